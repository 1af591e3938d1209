//! Whether a model answers: what its workers noticed, and whether anything moves while inputs wait.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::{Duration, Instant};

/// A batch is made to take a quarter of a second. One that takes so long, or inputs that wait so long without the end of
/// any batch, mean that the model is stuck.
const STUCK: Duration = Duration::from_secs(30);

/// Shared by a model's workers and by whoever asks. Times are milliseconds from `started`.
#[derive(Debug)]
pub(super) struct Health {
    started: Instant,
    /// When the last batch ended, or the first input came after a rest.
    moved: AtomicU64,
    /// When each worker's batch began; 0 while it has none.
    began: Box<[AtomicU64]>,
    /// Workers whose replica fails its golden outputs or cannot be built anew.
    broken: AtomicUsize,
}

impl Health {
    /// Health of so many workers.
    pub(super) fn new(workers: usize) -> Self {
        Self::since(Instant::now(), workers)
    }

    /// The same, from then on.
    pub(super) fn since(started: Instant, workers: usize) -> Self {
        let began = (0..workers).map(|_| AtomicU64::new(0)).collect();
        Self { started, moved: AtomicU64::new(0), began, broken: AtomicUsize::new(0) }
    }

    /// Inputs come after a rest.
    pub(super) fn wakes(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// A worker begins a batch.
    pub(super) fn begins(&self, worker: usize) {
        self.began[worker].store(self.now().max(1), Relaxed);
    }

    /// It ends it.
    pub(super) fn ends(&self, worker: usize) {
        self.began[worker].store(0, Relaxed);
        self.moved.store(self.now(), Relaxed);
    }

    /// A worker's replica is broken.
    pub(super) fn breaks(&self) {
        self.broken.fetch_add(1, Relaxed);
    }

    /// It was built anew.
    pub(super) fn mends(&self) {
        self.broken.fetch_sub(1, Relaxed);
    }

    /// Whether every worker has a replica that reproduces the golden outputs.
    pub(super) fn is_whole(&self) -> bool {
        self.broken.load(Relaxed) == 0
    }

    /// Whether the model answers, where `waiting` inputs wait or run.
    pub(super) fn is_good(&self, waiting: usize) -> bool {
        let recent = |since: u64| self.now().saturating_sub(since) < STUCK.as_millis() as u64;
        let busy = self.began.iter().map(|began| began.load(Relaxed)).filter(|began| *began > 0);
        self.is_whole() && busy.into_iter().all(recent) && (waiting == 0 || recent(self.moved.load(Relaxed)))
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_move_is_not_good() {
        let health = Health::since(Instant::now() - 2 * STUCK, 2);
        assert!(health.is_good(0), "it rests");
        assert!(!health.is_good(1), "nobody takes what waits");
        health.wakes();
        assert!(health.is_good(1), "it came just now");
        health.began[1].store(1, Relaxed);
        assert!(!health.is_good(1) && !health.is_good(0), "a batch hangs");
        health.ends(1);
        health.begins(0);
        assert!(health.is_good(1));
        health.breaks();
        assert!(!health.is_good(0));
        health.mends();
        assert!(health.is_good(0));
    }
}

//! Keeps long stretches of parsing off the threads that serve connections, and ends them when nobody waits any more.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::callers::{CallerShare, cores, folding_cores};
use super::problem::Problem;
use crate::serving::stand_back;

/// Rows between two looks at whether the caller is still there.
const LOOK_EVERY: usize = 1000;

/// How far one reading may go: so many rows, and only while somebody waits for it.
#[derive(Debug)]
pub(super) struct Bounds {
    /// Most rows of one request.
    pub max_rows: usize,
    left: Arc<AtomicBool>,
}

impl Bounds {
    /// For a caller who is there.
    pub(super) fn new(max_rows: usize) -> Self {
        Self { max_rows, left: Arc::default() }
    }

    /// Before row `index` (from 0) is read: whether it may be.
    ///
    /// # Errors
    /// When it is one too many; or, looked at now and then, when the caller left: nobody reads that problem.
    pub(super) fn admit(&self, index: usize) -> Result<(), Problem> {
        if index >= self.max_rows {
            return Err(Problem::TooManyRows(self.max_rows));
        }
        if index.is_multiple_of(LOOK_EVERY) { self.look() } else { Ok(()) }
    }

    /// Whether the caller is still there.
    pub(super) fn look(&self) -> Result<(), Problem> {
        if self.left.load(Ordering::Relaxed) { Err(Problem::DeadlineExceeded) } else { Ok(()) }
    }
}

/// Tells the work that its caller left, by being dropped with the caller's future.
struct Leaving(Arc<AtomicBool>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Runs `work` here when it is light, else on the pool for blocking work, no more of it at once than there are cores:
/// 10,000 rows keep a core busy for tens of milliseconds, in which small requests would wait for their turn on this
/// thread. Work that looks at its `bounds` ends soon after the future was dropped.
pub(super) async fn offload<T: Send + 'static>(
    heavy: bool,
    bounds: Bounds,
    work: impl FnOnce(&Bounds) -> T + Send + 'static,
) -> T {
    offload_to(heavy.then_some(Pool::Rows), bounds, work).await
}

/// Where heavy work is done.
#[derive(Clone)]
pub(super) enum Pool {
    /// Reading and encoding rows: milliseconds.
    Rows,
    /// Folding them: seconds, for which nobody else waits. Of one caller no more stretches wait for a core than there are
    /// cores: whoever comes is behind those, and not behind all that he asked for.
    Folds(Arc<CallerShare>),
}

/// [`offload`] to a pool, or to none where the work is light.
pub(super) async fn offload_to<T: Send + 'static>(
    pool: Option<Pool>,
    bounds: Bounds,
    work: impl FnOnce(&Bounds) -> T + Send + 'static,
) -> T {
    static POOLS: LazyLock<[Arc<Semaphore>; 2]> =
        LazyLock::new(|| [cores(), folding_cores()].map(|permits| Arc::new(Semaphore::new(permits))));
    let Some(pool) = pool else { return work(&bounds) };
    let _leaving = Leaving(bounds.left.clone());
    let (cores, turn) = match &pool {
        Pool::Rows => (&POOLS[0], None),
        Pool::Folds(share) => (&POOLS[1], Some((taken(&share.folds).await, share.clone()))),
    };
    let core = taken(cores).await;
    let span = tracing::Span::current();
    let work = move || {
        stand_back();
        let done = span.in_scope(|| work(&bounds));
        drop((core, turn));
        done
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // It was not cancelled, since nobody else holds the handle: it panicked. Let the request's layer answer.
        Err(error) => resume_unwind(error.into_panic()),
    }
}

async fn taken(places: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    places.clone().acquire_owned().await.expect("nobody closes it")
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// The cores are those of the process: one test at a time has them.
    static CORES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[tokio::test]
    async fn work_ends_soon_after_its_caller_left() {
        let _cores = CORES.lock().await;
        let (tell, ended) = mpsc::channel();
        let work = move |bounds: &Bounds| {
            let rows = (0..usize::MAX).take_while(|row| bounds.admit(row % 1_000_000).is_ok()).count();
            tell.send(rows).unwrap();
        };
        let waiting =
            tokio::time::timeout(Duration::from_millis(20), offload(true, Bounds::new(1_000_000), work));
        assert!(waiting.await.is_err());
        assert!(ended.recv_timeout(Duration::from_secs(20)).unwrap() > 0);
    }

    #[tokio::test]
    async fn no_more_is_read_at_once_than_there_are_cores() {
        let _cores = CORES.lock().await;
        let cores = cores();
        let (running, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let works = (0..cores + 3).map(|_| {
            let (running, most) = (running.clone(), most.clone());
            offload(true, Bounds::new(1), move |_| {
                most.fetch_max(running.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
                running.fetch_sub(1, Ordering::Relaxed);
            })
        });
        futures_util::future::join_all(works).await;
        assert!(most.load(Ordering::Relaxed) <= cores);
    }

    /// On this test's one thread the other work goes on meanwhile.
    #[tokio::test]
    async fn heavy_work_keeps_no_connection_waiting() {
        let _cores = CORES.lock().await;
        let (tell, told) = mpsc::channel();
        let heavy =
            offload(true, Bounds::new(1), move |_| told.recv_timeout(Duration::from_secs(20)).is_ok());
        let other = async {
            tokio::task::yield_now().await;
            tell.send(()).unwrap();
        };
        assert!(tokio::join!(heavy, other).0);
    }

    #[tokio::test]
    async fn a_caller_who_waits_is_served_to_the_end() {
        let _cores = CORES.lock().await;
        let work = |bounds: &Bounds| (0..100_000).all(|row| bounds.admit(row).is_ok());
        assert!(offload(true, Bounds::new(100_000), work).await);
        let most = offload(false, Bounds::new(7), |bounds| bounds.admit(7)).await;
        assert!(matches!(most, Err(Problem::TooManyRows(7))));
    }
}

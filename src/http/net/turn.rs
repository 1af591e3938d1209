//! A request's turn on its connection: begun with its head, over when its reply is sent or dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::life::{Exchange, Life};

/// How many requests run, and how many were given up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    running: AtomicUsize,
    /// Refused because the server would not wait any longer.
    lost: AtomicUsize,
}

impl Tally {
    /// Requests whose reply is not sent yet.
    pub(super) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// A request that was accepted is not answered.
    pub(super) fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Accepted requests that were not answered.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::Relaxed)
    }
}

/// Holds the request's place among those that run.
pub(super) struct Turn {
    /// The request.
    pub exchange: Arc<Exchange>,
    life: Arc<Life>,
    tally: Arc<Tally>,
}

impl Turn {
    /// It begins.
    pub(super) fn begin(exchange: Exchange, life: Arc<Life>, tally: Arc<Tally>) -> Self {
        let exchange = Arc::new(exchange);
        life.begin(exchange.clone());
        tally.running.fetch_add(1, Ordering::Relaxed);
        Self { exchange, life, tally }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.life.finish(&self.exchange);
        self.tally.running.fetch_sub(1, Ordering::Relaxed);
    }
}

//! What goes between a job and the route that answers it, with the request and with the reply.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// With the request: how many rows were answered before, and who counts those that are read.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    done: u64,
    read: Arc<AtomicU64>,
}

/// With the reply: who answers, by the name of the query's parameter, each with its version and the digest of its weights.
#[derive(Clone, Debug)]
pub struct Answerers(pub Value);

impl Resume {
    /// The first `done` rows were answered before.
    pub fn after(done: u64) -> Self {
        Self { done, read: Arc::default() }
    }

    /// Rows that were answered before.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Rows that were read until now.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Counts a row that was read; whether it is to be answered.
    pub fn is_new(&self) -> bool {
        self.read.fetch_add(1, Ordering::Relaxed) >= self.done
    }
}

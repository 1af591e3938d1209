//! What goes between a job and the route that answers it, with the request and with the reply.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

/// With the request: how many rows were answered before, and who counts those that are read.
#[derive(Clone, Debug, Default)]
pub struct Resume {
    done: u64,
    is_settled: bool,
    read: Arc<AtomicU64>,
}

/// With the reply: who answers, by the name of the query's parameter, each with its version and the digest of its weights.
#[derive(Clone, Debug)]
pub struct Answerers(pub Value);

impl Resume {
    /// The first `done` rows were answered before; `is_settled`: the URL names who answers, whatever the body says.
    pub fn after(done: u64, is_settled: bool) -> Self {
        Self { done, is_settled, read: Arc::default() }
    }

    /// Whether the models that the URL names stand above those of the body.
    pub fn is_settled(&self) -> bool {
        self.is_settled
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

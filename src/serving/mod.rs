//! From encoded rows to outputs: who waits, who runs, who gets which answer.
//!
//! ```text
//! Predictor::reserve ── places for all inputs, by who asks ──► Room ── bytes for the next few ──► Place
//! Predictor::predict ── encoded inputs that have places ──► Queue, short line ──► worker, owns a replica
//!        ▲                                                  └─────  long line ──► workers, one replica each
//!        └───────── slices of answers, as each batch is done ◄────────────────────┘
//! ```
//!
//! Work-conserving: an idle worker starts at once with whatever waits, up to `max_batch_size` rows; batches form
//! only behind a busy one. There is no window that a lonely request would have to sit out. What a batch may hold, and
//! what may wait, is bounded in time: each model's cost of an input is measured when it is loaded.

mod cost;
mod fault;
mod health;
mod model_metrics;
mod predictor;
mod priority;
mod queue;
mod registry;
mod room;
mod worker;

pub use fault::Fault;
pub use model_metrics::ModelMetrics;
pub use predictor::{Prediction, Predictor, PredictorConfig, Reservation};
pub use priority::stand_back;
pub use registry::{Entry, Registry, ServedModel, UnknownModel};
pub use room::{Bytes, FEW, Place, Room, Share};
pub use worker::{AskDevice, Forward, Rebuild, THREAD_NAME as WORKER_THREAD_NAME};

/// Why rows have no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// The queue has no room for all inputs of the request now.
    #[error("the queue is full")]
    Full,
    /// The queue never has room for so many inputs.
    #[error("the queue has room for {inputs} inputs")]
    TooMuch {
        /// Most inputs of one request.
        inputs: usize,
    },
    /// The model failed; the log says of what.
    #[error("the model failed")]
    Failed,
    /// The model fails its golden outputs and is being built anew.
    #[error("the model is broken")]
    Broken,
    /// The server is shutting down.
    #[error("the queue is closed")]
    Closed,
}

//! From encoded rows to outputs: who waits, who runs, who gets which answer.
//!
//! ```text
//! Predictor::predict ── reserves n rows of the queue, all or none ──► Queue, short line ──► worker, owns a replica
//!        ▲                                                            └─────  long line ──► workers, one replica each
//!        └───────── slices of answers, as each batch is done ◄──────────────────────────────┘
//! ```
//!
//! Work-conserving: an idle worker starts at once with whatever waits, up to `max_batch_size` rows; batches form
//! only behind a busy one. There is no window that a lonely request would have to sit out.

mod fault;
mod meters;
mod predictor;
mod queue;
mod registry;
mod worker;

pub use fault::Fault;
pub use meters::Meters;
pub use predictor::{Prediction, Predictor, PredictorConfig};
pub use registry::{Entry, Registry, ServedModel, UnknownModel};
pub use worker::{Forward, THREAD_NAME as WORKER_THREAD_NAME};

/// Why rows have no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PredictError {
    /// The queue has no room for all rows of the request now.
    #[error("the queue is full")]
    Full,
    /// A worker died; the log says of what.
    #[error("a worker died")]
    Failed,
    /// The server is shutting down.
    #[error("the queue is closed")]
    Closed,
}

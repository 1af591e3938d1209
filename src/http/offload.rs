//! Keeps long stretches of parsing off the threads that serve connections.

use std::panic::resume_unwind;

/// Runs `work` here when it is light, else on the pool for blocking work: 10,000 rows keep a core busy for tens of
/// milliseconds, in which small requests would wait for their turn on this thread.
pub async fn offload<T: Send + 'static>(heavy: bool, work: impl FnOnce() -> T + Send + 'static) -> T {
    if !heavy {
        return work();
    }
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(done) => done,
        // It was not cancelled, since nobody else holds the handle: it panicked. Let the request's layer answer.
        Err(error) => resume_unwind(error.into_panic()),
    }
}

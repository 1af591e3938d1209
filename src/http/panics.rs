//! A net for panics: whoever asked gets an answer, not a connection that breaks.

use std::panic::AssertUnwindSafe;

use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::problem::Problem;

/// The reply; where making it panics, that something broke. The panic's own line is in the log.
pub(super) async fn caught<F: Future<Output = Response>>(next: impl FnOnce() -> F) -> Response {
    // Called within, since that may panic too.
    let reply = AssertUnwindSafe(async { next().await }).catch_unwind();
    reply.await.unwrap_or_else(|_| Problem::Internal.into_response())
}

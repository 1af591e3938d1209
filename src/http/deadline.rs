//! `X-Deadline-Ms`: the caller says how long the answer is worth waiting for.

use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::HeaderName;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;

/// Milliseconds from the arrival of the request's head.
pub(super) const X_DEADLINE_MS: HeaderName = HeaderName::from_static("x-deadline-ms");

/// When the answer is worth nothing any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(pub Instant);

/// A day: nobody waits longer.
const MAX_MS: u64 = 86_400_000;

/// Drops the handler when the time is over; with it go the rows that still wait in the queue.
pub(super) async fn deadline(mut request: Request, next: Next) -> Result<Response, Problem> {
    let Some(value) = request.headers().get(X_DEADLINE_MS) else { return Ok(next.run(request).await) };
    let ms: u64 = value
        .to_str()
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|ms| (1..=MAX_MS).contains(ms))
        .ok_or_else(|| {
            Problem::BadHeader(format!("X-Deadline-Ms has to be a whole number from 1 to {}", MAX_MS))
        })?;
    let end = Instant::now() + Duration::from_millis(ms);
    request.extensions_mut().insert(Deadline(end));
    tokio::time::timeout_at(end.into(), next.run(request)).await.map_err(|_| Problem::DeadlineExceeded)
}

//! `GET /metrics`: what was counted, for Prometheus; and the counting of requests.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use metrics::{gauge, histogram};

use super::problem_kind::BareProblems;
use super::state::AppState;
use crate::serving::Entry;
use crate::telemetry::prometheus;

/// Read the metrics
///
/// Prometheus text. Seconds of whole requests by route and status, of waiting, encoding and forward passes by model;
/// inputs in flight, in a batch, answered, and dropped by cause.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "metrics",
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus text"), BareProblems),
)]
pub async fn metrics(State(state): State<AppState>) -> Response {
    for Entry { served, .. } in state.registry().iter().flat_map(|registry| registry.entries()) {
        let in_flight = gauge!("mirador_inputs_in_flight", "model" => served.full_name());
        in_flight.set(served.predictor.inputs_in_flight() as f64);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], prometheus().render()).into_response()
}

/// Measures every request of a known route, up to the head of its reply.
pub async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request.extensions().get().map(|path: &MatchedPath| path.as_str().to_owned());
    let response = next.run(request).await;
    if let Some(route) = route {
        let status = response.status().as_u16().to_string();
        let seconds = histogram!("mirador_request_seconds", "route" => route, "status" => status);
        seconds.record(started.elapsed());
    }
    response
}

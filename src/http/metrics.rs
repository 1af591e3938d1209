//! `GET /metrics`: what was counted, for Prometheus.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics::gauge;
use strum::IntoEnumIterator;

use super::openapi::BareProblems;
use super::process_metrics::{self, IN_FLIGHT};
use super::state::AppState;
use crate::jobs::State as JobState;
use crate::serving::{Entry, ModelMetrics};
use crate::telemetry::prometheus;

/// Read the metrics
///
/// Prometheus text. Seconds of whole requests by route and status, of waiting, encoding and forward passes by model;
/// inputs in flight, in a batch, answered, and dropped by cause; memory, processor time and open files of the process.
/// Versions that are served no more are left out.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "metrics",
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus text"), BareProblems),
)]
pub(super) async fn metrics(State(state): State<AppState>) -> Response {
    for Entry { served, .. } in state.registry().iter().flat_map(|registry| registry.entries()) {
        let in_flight = gauge!(IN_FLIGHT, "model" => served.full_name());
        in_flight.set(served.predictor.inputs_in_flight() as f64);
    }
    if let Some(jobs) = state.jobs() {
        let counts = jobs.counts().await.unwrap_or_default();
        for of_state in JobState::iter().map(|of_state| of_state.to_string()) {
            let count = counts.iter().find(|(known, _)| *known == of_state).map_or(0, |(_, count)| *count);
            gauge!("mirador_jobs", "state" => of_state).set(count as f64);
        }
    }
    process_metrics::collect();
    let gone = ModelMetrics::gone();
    let text = prometheus().render();
    let lines =
        text.split_inclusive('\n').filter(|line| !model(line).is_some_and(|model| gone.contains(model)));
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], lines.collect::<String>()).into_response()
}

/// The model that a line is about.
fn model(line: &str) -> Option<&str> {
    let (_, labels) = line.split_once('{')?;
    let label = labels.strip_prefix("model=\"").or_else(|| Some(labels.split_once(",model=\"")?.1))?;
    label.split('"').next()
}

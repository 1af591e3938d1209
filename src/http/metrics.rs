//! `GET /metrics`: what was counted, for Prometheus.

use std::sync::LazyLock;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_process::Collector;

use super::measure::{SECONDS, UNFINISHED};
use super::problem_kind::BareProblems;
use super::state::AppState;
use crate::serving::{Entry, Meters};
use crate::telemetry::prometheus;

const IN_FLIGHT: &str = "mirador_inputs_in_flight";
const BUILD: &str = "mirador_build_info";

/// Says what each figure means; made on the first use of `prometheus`, before anything is counted.
static PROCESS: LazyLock<Collector> = LazyLock::new(|| {
    prometheus();
    Meters::describe();
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "From the head of a request to the last byte of its reply, by route and status"
    );
    describe_counter!(
        "mirador_streams_ended_total",
        "Streams of lines that ended before their upload, each with a last line that says so, by cause"
    );
    describe_counter!(
        UNFINISHED,
        "Requests whose reply was not sent to its end: the caller left, or the reply failed, by route"
    );
    describe_gauge!(IN_FLIGHT, "Inputs of a model that wait or run");
    describe_gauge!(BUILD, "Always 1; the labels tell which program this is");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION"), "api" => "v1").set(1.0);
    let process = Collector::default();
    process.describe();
    process
});

/// Starts counting.
pub fn start() {
    LazyLock::force(&PROCESS);
}

/// Read the metrics
///
/// Prometheus text. Seconds of whole requests by route and status, of waiting, encoding and forward passes by model;
/// inputs in flight, in a batch, answered, and dropped by cause; memory, processor time and open files of the process.
/// Versions that are served no more are left out.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "metrics",
    responses((status = 200, body = String, content_type = "text/plain", description = "Prometheus text"), BareProblems),
)]
pub async fn metrics(State(state): State<AppState>) -> Response {
    for Entry { served, .. } in state.registry().iter().flat_map(|registry| registry.entries()) {
        let in_flight = gauge!(IN_FLIGHT, "model" => served.full_name());
        in_flight.set(served.predictor.inputs_in_flight() as f64);
    }
    PROCESS.collect();
    let gone = Meters::gone();
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

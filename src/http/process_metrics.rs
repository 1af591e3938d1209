//! What each figure of `/metrics` means.

use std::sync::LazyLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_process::Collector;

use super::measure::{SECONDS, UNFINISHED};
use crate::serving::ModelMetrics;
use crate::telemetry::prometheus;

/// Inputs of a model that wait or run.
pub(super) const IN_FLIGHT: &str = "mirador_inputs_in_flight";
const BUILD: &str = "mirador_build_info";

/// Says what each figure means; made on the first use of `prometheus`, before anything is counted.
static PROCESS: LazyLock<Collector> = LazyLock::new(|| {
    prometheus();
    ModelMetrics::describe();
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
    describe_counter!(
        "mirador_connections_ended_total",
        "Connections that the server closed: slow, idle, crowded or draining, by cause"
    );
    describe_counter!("mirador_log_lines_lost_total", "Lines of the log that nobody read in time");
    describe_gauge!("mirador_jobs", "Jobs by state");
    describe_counter!("mirador_job_rows_total", "Rows of jobs that were answered");
    describe_gauge!(IN_FLIGHT, "Inputs of a model that wait or run");
    describe_gauge!(BUILD, "Always 1; the labels tell which program this is");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION"), "api" => "v1").set(1.0);
    let process = Collector::default();
    process.describe();
    process
});

/// Starts counting.
pub(super) fn start() {
    LazyLock::force(&PROCESS);
}

/// Looks at the process.
pub(super) fn collect() {
    PROCESS.collect();
}

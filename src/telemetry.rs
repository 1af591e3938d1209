//! What the programs say on standard error, and what they count.

use std::io::IsTerminal;
use std::panic;
use std::sync::OnceLock;
use std::thread;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::LogFormat;
use crate::serving::WORKER_THREAD_NAME;

/// Sends the spans that are left when it goes.
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

/// Starts logging: `info` and worse, or what `RUST_LOG` says. A panic becomes a log line within the span of its
/// request; those of a worker's network are left to the worker, which logs each row at fault once. With an `otlp`
/// collector's address the spans of requests are sent there.
pub fn start(format: LogFormat, otlp: Option<&str>) -> Result<Telemetry, ExporterBuildError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let provider = otlp.map(tracer_provider).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        global::set_text_map_propagator(TraceContextPropagator::new());
        tracing_opentelemetry::layer().with_tracer(provider.tracer("mirador"))
    });
    tracing_subscriber::registry().with(filter).with(lines).with(spans).init();
    panic::set_hook(Box::new(|panic| {
        let thread = thread::current();
        let thread = thread.name().unwrap_or_default();
        if thread.starts_with(WORKER_THREAD_NAME) {
            tracing::debug!(thread, "{panic}");
        } else {
            tracing::error!(thread, "{panic}");
        }
    }));
    Ok(Telemetry(provider))
}

/// Sends spans in batches, from a thread of its own.
fn tracer_provider(collector: &str) -> Result<SdkTracerProvider, ExporterBuildError> {
    let endpoint = format!("{}/v1/traces", collector.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint).build()?;
    let resource = Resource::builder().with_service_name("mirador").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// From a tenth of a millisecond, close enough that a p99 between two bounds is known to a third.
const SECONDS: [f64; 26] = [
    1e-4, 1.5e-4, 2e-4, 3e-4, 5e-4, 7e-4, 1e-3, 1.5e-3, 2e-3, 3e-3, 5e-3, 7e-3, 0.01, 0.015, 0.02, 0.03,
    0.05, 0.07, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0, 10.0,
];
const INPUTS: [f64; 12] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0];
const SHARES: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// Where everything that is counted comes together; made by the first call, which has to precede what counts.
pub fn prometheus() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let buckets = [("_seconds", &SECONDS[..]), ("_inputs", &INPUTS), ("_share", &SHARES)];
        let mut builder = PrometheusBuilder::new();
        for (suffix, bounds) in buckets {
            let suffix = Matcher::Suffix(suffix.to_owned());
            builder = builder.set_buckets_for_metric(suffix, bounds).expect("the bounds are not empty");
        }
        builder.install_recorder().expect("nobody else installs a recorder")
    })
}

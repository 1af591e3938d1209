//! What the programs say on standard error, and what they count.

mod spans;

use std::io::IsTerminal;
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use metrics::counter;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use spans::CollectorError;

use crate::config::LogFormat;
use crate::serving::WORKER_THREAD_NAME;

/// Lines of the log that may wait for whoever reads standard error; further ones are lost, and counted.
const WAITING_LINES: usize = 4096;
/// What the end of the process waits for the collector of spans,
const LAST_SPANS: Duration = Duration::from_millis(1500);
/// and for whoever reads standard error.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Lines that were lost.
static LOST: OnceLock<ErrorCounter> = OnceLock::new();

/// Sends the spans and writes the lines that are left when it goes.
pub struct Telemetry {
    spans: Option<SdkTracerProvider>,
    failing: Arc<AtomicBool>,
    lines: WorkerGuard,
}

impl Telemetry {
    /// Ends the process with this code: what is left is sent and written within bounds, then it is over without any
    /// destructor. Threads that still compute must not see libtorch torn down under them.
    pub fn leave(self, code: u8, last_words: Option<String>) -> ! {
        if let Some(Err(error)) = self.spans.as_ref().map(|spans| spans.shutdown_with_timeout(LAST_SPANS))
            && !self.failing.load(Ordering::Relaxed)
        {
            tracing::warn!(%error, "the last spans were not sent");
        }
        drop(self.lines);
        if let Some(words) = last_words {
            let (said, until_said) = mpsc::channel();
            // Whoever reads standard error may have stopped reading.
            thread::spawn(move || {
                eprintln!("mirador: {words}");
                said.send(())
            });
            let _ = until_said.recv_timeout(LAST_WORDS);
        }
        signal_hook::low_level::exit(code.into())
    }
}

/// Starts logging: `info` and worse, or what `RUST_LOG` says. A panic becomes a log line within the span of its
/// request; those of a worker's network are left to the worker, which logs each row at fault once. With an `otlp`
/// collector's address the spans of requests are sent there. Starts threads: the device has to be open by then.
pub fn start(format: LogFormat, otlp: Option<&str>) -> Result<Telemetry, CollectorError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // A thread of its own writes: where nobody reads, nobody but that thread waits.
    let writer =
        NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES).thread_name("log");
    let (writer, lines) = writer.finish(std::io::stderr());
    LOST.get_or_init(|| writer.error_counter());
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    let layer = match format {
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let failing = Arc::<AtomicBool>::default();
    let provider = otlp.map(|collector| spans::provider(collector, failing.clone())).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        global::set_text_map_propagator(TraceContextPropagator::new());
        tracing_opentelemetry::layer().with_tracer(provider.tracer("mirador"))
    });
    tracing_subscriber::registry().with(filter).with(layer).with(spans).init();
    panic::set_hook(Box::new(|panic| {
        let thread = thread::current();
        let thread = thread.name().unwrap_or_default();
        let text = panic.to_string();
        // Where, and what; libtorch's own stack fills pages.
        let start = text.lines().take(2).collect::<Vec<_>>().join(" ");
        if !thread.starts_with(WORKER_THREAD_NAME) {
            tracing::error!(thread, "{start}");
        }
        tracing::debug!(thread, "{text}");
    }));
    Ok(Telemetry { spans: provider, failing, lines })
}

/// Counts and says how many lines of the log were lost since the last time.
pub fn tell_lost_lines() {
    static SAID: AtomicUsize = AtomicUsize::new(0);
    let lost = LOST.get().map_or(0, ErrorCounter::dropped_lines);
    counter!("mirador_log_lines_lost_total").absolute(lost as u64);
    let more = lost - SAID.swap(lost, Ordering::Relaxed).min(lost);
    if more > 0 {
        tracing::warn!(lines = more, "lines of the log were lost, because nobody read them");
    }
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

//! What the programs say on standard error.

use std::io::IsTerminal;
use std::panic;
use std::thread;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;
use crate::serving::WORKER_THREAD_NAME;

/// Starts logging: `info` and worse, or what `RUST_LOG` says. A panic becomes a log line within the span of its
/// request; those of a worker's network are left to the worker, which logs each row at fault once.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    panic::set_hook(Box::new(|panic| {
        let thread = thread::current();
        let thread = thread.name().unwrap_or_default();
        if thread.starts_with(WORKER_THREAD_NAME) {
            tracing::debug!(thread, "{panic}");
        } else {
            tracing::error!(thread, "{panic}");
        }
    }));
}

//! The life of the server: bind, load, serve, drain.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::AppState;
use crate::config::{ConfigError, ServeConfig};
use crate::models::LoadError;
use crate::models::device::Device;
use crate::serving::{PredictorConfig, Registry};
use crate::telemetry::prometheus;

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The settings contradict each other.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// `--bind`.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file for the bound address cannot be written.
    #[error("{}: {source}", path.display())]
    PortFile {
        /// `--port-file`.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The models cannot be served.
    #[error("the models cannot be served: {0}")]
    Load(#[from] LoadError),
    /// The thread that loads the models panicked; the log has its message.
    #[error("the models cannot be served: loading them panicked")]
    Loader,
    /// The system refused a signal handler or a thread, or the listener broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Listens on `--bind` and tells `--port-file` where that is.
pub async fn bind(config: &ServeConfig) -> Result<TcpListener, ServeError> {
    config.check()?;
    let refused = |source| ServeError::Bind { address: config.bind.clone(), source };
    let listener = TcpListener::bind(&config.bind).await.map_err(refused)?;
    if let Some(path) = &config.port_file {
        fs::write(path, listener.local_addr()?.to_string())
            .map_err(|source| ServeError::PortFile { path: path.clone(), source })?;
    }
    Ok(listener)
}

/// Serves until SIGTERM or Ctrl-C, then drains. Requests are accepted at once and answered 503 until the models are
/// there.
pub async fn serve(listener: TcpListener, config: ServeConfig, device: Device) -> Result<(), ServeError> {
    let mut stop = Stop::listen()?;
    let (pause, cap) =
        (Duration::from_millis(config.drain_pause_ms), Duration::from_secs(config.drain_cap_s));
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let state = AppState::new(config);
    let mut loading = load(state.clone(), device)?;
    // What is counted piles up until somebody reads it, or this does.
    tokio::spawn(async {
        loop {
            sleep(Duration::from_secs(5)).await;
            prometheus().run_upkeep();
        }
    });

    let (stopped, until_stopped) = oneshot::channel::<()>();
    let listener = listener.tap_io(|stream| {
        // An answer is one small packet: it must not wait for the next one.
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, super::app(state.clone()))
        .with_graceful_shutdown(async move { until_stopped.await.unwrap_or_default() });
    let ending = async {
        let signal = stop.signalled().await;
        tracing::info!("{signal}: draining");
        state.drain();
        sleep(pause).await;
        let _ = stopped.send(());
        sleep(cap).await;
    };
    let failed = async {
        match (&mut loading).await {
            Ok(Ok(())) => std::future::pending().await,
            Ok(Err(error)) => ServeError::Load(error),
            Err(_) => ServeError::Loader,
        }
    };
    tokio::select! {
        result = server.into_future() => result?,
        error = failed => return Err(error),
        () = ending => {
            tracing::warn!("accepted work was not finished within {} s", cap.as_secs());
            return Ok(());
        }
    }
    if state.registry().is_err() {
        // Stopped while loading: libtorch must not be torn down under the loader's feet.
        let _ = loading.await;
    }
    if let Ok(registry) = state.registry() {
        registry.shut_down();
    }
    tracing::info!("drained");
    Ok(())
}

/// Loads the models on a thread of its own and opens the state; the receiver gets the outcome, or closes on a panic.
fn load(state: AppState, device: Device) -> Result<oneshot::Receiver<Result<(), LoadError>>, ServeError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("loader".into()).spawn(move || {
        let started = Instant::now();
        let config = state.config();
        let (workers, threads) = (config.workers(device != Device::Cpu), config.threads_per_worker.get());
        let feeding = PredictorConfig {
            max_batch_size: config.max_batch_size.get(),
            queue_capacity: config.queue_capacity.get(),
            workers,
            threads,
        };
        let loaded = Registry::load(&config.network.weights_dir, device, feeding).map(|registry| {
            let names: Vec<String> = registry.models().iter().map(|served| served.full_name()).collect();
            state.start(registry);
            tracing::info!(
                "ready in {:.1} s: {} on {device:?}, {workers} worker(s) of {threads} thread(s) each",
                started.elapsed().as_secs_f64(),
                names.join(", "),
            );
        });
        let _ = sender.send(loaded);
    })?;
    Ok(receiver)
}

/// The two signals that end the server.
struct Stop {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn signalled(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "Ctrl-C",
        }
    }
}

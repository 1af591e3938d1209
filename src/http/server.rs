//! The life of the server: bind, load, serve, drain.

use std::fs;
use std::future::IntoFuture;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener, ListenerExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::AppState;
use super::keys::{KeyFileError, Keys};
use super::tls::{Certificate, TlsError, TlsListener};
use crate::config::{ConfigError, ServeConfig};
use crate::models::LoadError;
use crate::models::device::Device;
use crate::serving::Registry;
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
    /// The file of keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The models cannot be served.
    #[error("the models cannot be served: {0}")]
    Load(#[from] LoadError),
    /// The thread that loads the models panicked; the log has its message.
    #[error("the models cannot be served: loading them panicked")]
    Loader,
    /// The device broke while serving.
    #[error("the device is broken: {0}")]
    Fault(String),
    /// The system refused a signal handler or a thread, or the listener broke.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The addresses that are listened on.
pub struct Listeners {
    main: TcpListener,
    ops: Option<TcpListener>,
}

/// Listens on `--bind` and `--ops-bind`, and tells `--port-file` where that is.
pub async fn bind(config: &ServeConfig) -> Result<Listeners, ServeError> {
    config.check()?;
    let listen = async |address: &String| {
        let refused = |source| ServeError::Bind { address: address.clone(), source };
        TcpListener::bind(address).await.map_err(refused)
    };
    let main = listen(&config.bind).await?;
    let ops = match &config.ops_bind {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    if let Some(path) = &config.port_file {
        let addresses = [Some(&main), ops.as_ref()].into_iter().flatten().map(TcpListener::local_addr);
        let addresses = addresses.map(|address| address.map(|address| address.to_string()));
        fs::write(path, addresses.collect::<Result<Vec<_>, _>>()?.join("\n"))
            .map_err(|source| ServeError::PortFile { path: path.clone(), source })?;
    }
    Ok(Listeners { main, ops })
}

/// Serves until SIGTERM or Ctrl-C, then drains. Requests are accepted at once and answered 503 until the models are
/// there.
pub async fn serve(listeners: Listeners, config: ServeConfig, device: Device) -> Result<(), ServeError> {
    let Listeners { main, ops } = listeners;
    let mut stop = Stop::listen()?;
    let (pause, cap) =
        (Duration::from_millis(config.drain_pause_ms), Duration::from_secs(config.drain_cap_s));
    let certificate = match (&config.tls_cert, &config.tls_key) {
        (Some(chain), Some(key)) => Some(Certificate::read(chain, key)?),
        _ => None,
    };
    let scheme = if certificate.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{}", main.local_addr()?);
    let state = AppState::new(config);
    reload_keys(&state)?;
    let mut loading = load(state.clone(), device)?;
    tokio::spawn(reload(state.clone(), device, certificate.clone(), signal(SignalKind::hangup())?));
    tokio::spawn(keep_house(state.clone()));
    if let Some(ops) = ops {
        tracing::info!("health and metrics on http://{}", ops.local_addr()?);
        tokio::spawn(axum::serve(ops, super::ops(state.clone())).into_future());
    }

    let (stopped, until_stopped) = oneshot::channel::<()>();
    let app = super::app(state.clone());
    let server = async {
        match certificate {
            Some(certificate) => {
                let listener = TlsListener::new(main, certificate);
                run(listener.tap_io(|_| {}), app, until_stopped).await
            }
            None => {
                // An answer is one small packet: it must not wait for the next one.
                let no_delay = |stream: &mut TcpStream| drop(stream.set_nodelay(true));
                run(main.tap_io(no_delay), app, until_stopped).await
            }
        }
    };
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
        result = server => result?,
        error = failed => return Err(error),
        reason = state.fault().happened() => {
            // Long enough for callers to read their answers and for balancers to see that this server is not ready.
            state.drain();
            sleep(pause).await;
            return Err(ServeError::Fault(reason));
        }
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

/// Serves a listener until told to stop, then finishes what was accepted.
async fn run<L>(listener: L, app: Router, until_stopped: oneshot::Receiver<()>) -> io::Result<()>
where
    L: Listener<Addr = SocketAddr>,
    SocketAddr: for<'a> Connected<IncomingStream<'a, L>>,
{
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move { until_stopped.await.unwrap_or_default() })
        .await
}

/// What piles up unless somebody looks after it: measurements that nobody read, callers who left.
async fn keep_house(state: AppState) {
    loop {
        sleep(Duration::from_secs(5)).await;
        prometheus().run_upkeep();
        if let Some(limiter) = state.limiter() {
            limiter.forget_idle();
        }
    }
}

/// On SIGHUP: keys, certificate and weights are read anew. What cannot be used is logged, and the old goes on.
async fn reload(state: AppState, device: Device, certificate: Option<Certificate>, mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        tracing::info!("SIGHUP: reading keys, certificate and weights anew");
        if let Err(error) = reload_keys(&state) {
            tracing::error!(%error, "the old keys stay");
        }
        if let Some(Err(error)) = certificate.as_ref().map(Certificate::reload) {
            tracing::error!(%error, "the old certificate stays");
        }
        match load(state.clone(), device).map(oneshot::Receiver::into_future) {
            Err(error) => tracing::error!(%error, "the old weights stay"),
            Ok(loading) => match loading.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "the old weights stay"),
                Err(_) => tracing::error!("the old weights stay: loading the new ones panicked"),
            },
        }
    }
}

fn reload_keys(state: &AppState) -> Result<(), KeyFileError> {
    if let Some(path) = &state.config().key_file {
        state.admit(Keys::read(path)?);
    }
    Ok(())
}

/// Loads the models on a thread of its own and opens the state; the receiver gets the outcome, or closes on a panic.
fn load(state: AppState, device: Device) -> Result<oneshot::Receiver<Result<(), LoadError>>, ServeError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("loader".into()).spawn(move || {
        let started = Instant::now();
        let config = state.config();
        let [short_workers, long_workers] = config.workers(device != Device::Cpu);
        let threads = config.threads_per_worker.get();
        let feeding = state.feeding(device != Device::Cpu);
        let already = state.registry().ok();
        let loaded = Registry::load(&config.network.weights_dir, device, &feeding, already.as_deref()).map(
            |registry| {
                let names: Vec<String> =
                    registry.entries().iter().map(|entry| entry.served.full_name()).collect();
                state.start(registry);
                tracing::info!(
                    "ready in {:.1} s: {} on {device:?}, workers of each: {short_workers} for small and \
                     {long_workers} for large requests, {threads} thread(s) each",
                    started.elapsed().as_secs_f64(),
                    names.join(", "),
                );
            },
        );
        let _ = sender.send(loaded);
    })?;
    Ok(receiver)
}

/// The two signals that end the server.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
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

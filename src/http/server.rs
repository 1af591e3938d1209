//! The life of the server: bind, load, serve, drain.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use futures_util::future::OptionFuture;
use mirador_models::device::Device;
use sd_notify::NotifyState;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::AppState;
use super::net::{Connections, Limits, Listening, Places, share_files};
use super::reload;
use super::serve_error::ServeError;
use crate::config::ServeConfig;
use crate::telemetry::{prometheus, tell_lost_lines};

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

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All accepted work was answered.
    Answered,
    /// Accepted work was dropped.
    Dropped,
}

/// What a batch that runs may still take once accepted work is not waited for any longer.
const LAST_BATCH: Duration = Duration::from_secs(2);

/// Serves until SIGTERM or Ctrl-C, then drains. Requests are accepted at once and answered 503 until the models are
/// there. Threads may still compute or load when it returns: the process has to be left without tearing them down.
pub async fn serve(
    listeners: Listeners,
    config: ServeConfig,
    devices: Vec<Device>,
) -> Result<Outcome, ServeError> {
    let Listeners { main, ops } = listeners;
    let mut stop = Stop::listen()?;
    let limits = Limits::of(&config);
    let files = share_files(config.max_connections.get());
    let tls = reload::certificate(&config).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("listening on {scheme}://{}", main.local_addr()?);
    let state = AppState::new(config);
    reload::keys(&state).await?;
    reload::mirbase(&state).await?;
    let loaded = reload::start(state.clone(), devices, tls.clone())?;
    let jobs = super::start_jobs(&state)?;
    tokio::spawn(upkeep(state.clone()));
    if let Some(listener) = ops {
        tracing::info!("health and metrics on http://{}", listener.local_addr()?);
        let app = super::ops(state.clone());
        let places = Places::new(files.ops, 0);
        // They are never asked to leave: health is answered to the end.
        let connections = Connections::new(limits);
        tokio::spawn(
            Listening { listener, connections, places, tls: None, health: app.clone(), app }.accept(),
        );
    }
    let connections = Connections::new(limits);
    let listening = Listening {
        listener: main,
        connections: connections.clone(),
        places: Places::new(files.connections, files.kept_back),
        tls,
        app: super::app(state.clone()),
        health: super::health(state.clone()),
    };
    tokio::spawn(listening.accept());
    let failed = async {
        match loaded.await {
            Ok(Ok(())) => {
                tell_systemd(NotifyState::Ready);
                std::future::pending().await
            }
            Ok(Err(error)) => error,
            Err(_) => ServeError::Loader,
        }
    };
    tokio::select! {
        signal = stop.signalled() => {
            tracing::info!("{signal}: draining");
            tell_systemd(NotifyState::Stopping);
        }
        error = failed => return Err(error),
        reason = state.fault().happened() => {
            // Callers read their answers, balancers see that this server is not ready, and sound devices finish.
            drain(&state, &connections, jobs).await;
            return Err(ServeError::Fault(reason));
        }
    }
    tokio::select! {
        () = drain(&state, &connections, jobs) => {}
        signal = stop.signalled() => {
            tracing::warn!("{signal}: leaving at once");
            connections.give_up();
        }
    }
    let dropped = connections.lost() + connections.running();
    if dropped > 0 {
        tracing::warn!("{dropped} accepted request(s) were not answered");
        return Ok(Outcome::Dropped);
    }
    tracing::info!("drained");
    Ok(Outcome::Answered)
}

/// Says nothing where nobody asked for word by `NOTIFY_SOCKET`.
fn tell_systemd(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Waits until all that was accepted is answered, or has to be given up.
async fn drain(state: &AppState, connections: &Connections, jobs: Option<JoinHandle<()>>) {
    state.drain();
    sleep(Duration::from_millis(state.config().drain_pause_ms)).await;
    connections.leave();
    let cap = Duration::from_secs(state.config().drain_cap_s);
    // The job that is under way goes on when the server is there again.
    let both = async { tokio::join!(connections.gone(), OptionFuture::from(jobs)) };
    if timeout(cap, both).await.is_err() {
        tracing::warn!("accepted work was not finished within {} s", cap.as_secs());
        connections.give_up();
        if let Ok(registry) = state.registry() {
            registry.abort();
        }
        // Whoever still runs then is counted.
        let _ = timeout(LAST_BATCH, connections.gone()).await;
    }
}

/// A model that answers nothing for so long hangs in its device: only another process can help.
const HOPELESS: Duration = Duration::from_secs(300);

/// What piles up unless somebody looks after it: measurements that nobody read, callers who left, lines of the log that
/// nobody reads.
async fn upkeep(state: AppState) {
    let mut broken_since = None;
    loop {
        sleep(Duration::from_secs(5)).await;
        let broken = state.registry().ok().and_then(|registry| Some(registry.broken()?.full_name()));
        match broken {
            None => broken_since = None,
            Some(name) if broken_since.get_or_insert_with(Instant::now).elapsed() > HOPELESS => {
                state.fault().report(&format!("{name} has not answered for {} s", HOPELESS.as_secs()));
            }
            Some(_) => {}
        }
        prometheus().run_upkeep();
        tell_lost_lines();
        state.callers().forget_idle();
        if let Some(limiter) = state.limiter() {
            limiter.forget_idle();
        }
    }
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

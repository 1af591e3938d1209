//! What is read from files while the server runs: keys, certificate and weights, at the start and on SIGHUP. None of
//! the three waits for another, and what cannot be used is logged while the old goes on.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mirador_models::device::Device;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::AppState;
use mirna::mirbase::Mirbase;

use super::keys::Keys;
use super::net::{Certificate, TlsError};
use super::serve_error::ServeError;
use crate::config::ServeConfig;
use crate::serving::Registry;
use crate::text_file;

/// A file that takes longer is not waited for: it lies on a disk that is gone, or is a pipe.
const FILE: Duration = Duration::from_secs(10);

/// Reads the keys anew, where there are some.
pub(super) async fn keys(state: &AppState) -> Result<(), ServeError> {
    let Some(path) = state.config().key_file.clone() else { return Ok(()) };
    let keys = aside("the keys", move || Keys::read(&path)).await??;
    tracing::info!("{} keys", keys.count());
    state.admit(keys);
    Ok(())
}

/// Reads the miRNAs' names, where there is a file of them.
pub(super) async fn mirbase(state: &AppState) -> Result<(), ServeError> {
    let Some(path) = state.config().mirbase.clone() else { return Ok(()) };
    let refused = |reason: String| ServeError::Mirbase { path: path.clone(), reason };
    let file = path.clone();
    let text = aside("the miRNAs", move || text_file::read(&file)).await?;
    let mirbase = Mirbase::parse(&text.map_err(|error| refused(error.to_string()))?);
    let mirbase = mirbase.map_err(|error| refused(error.to_string()))?;
    tracing::info!("{} miRNAs by name", mirbase.matures().len());
    state.know(mirbase);
    Ok(())
}

/// The certificate, where there is one.
pub(super) async fn certificate(config: &ServeConfig) -> Result<Option<Certificate>, ServeError> {
    let (Some(chain), Some(key)) = (config.tls_cert.clone(), config.tls_key.clone()) else { return Ok(None) };
    Ok(Some(aside("the certificate", move || Certificate::read(&chain, &key)).await??))
}

async fn certificate_anew(certificate: Option<Certificate>) -> Result<(), ServeError> {
    let Some(certificate) = certificate else { return Ok(()) };
    let reload = move || -> Result<(), TlsError> { certificate.reload() };
    Ok(aside("the certificate", reload).await??)
}

/// Loads the weights, then all three anew whenever SIGHUP says so. The receiver gets the outcome of the first loading.
pub(super) fn start(
    state: AppState,
    devices: Vec<Device>,
    certificate: Option<Certificate>,
) -> io::Result<oneshot::Receiver<Result<(), ServeError>>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let (sender, first) = oneshot::channel();
    let wanted = Arc::new(Notify::new());
    tokio::spawn(weights(state.clone(), devices, wanted.clone(), sender));
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: reading keys, certificate and weights anew");
            if let Some(jobs) = state.jobs() {
                jobs.reopen_audit();
            }
            let (state, certificate) = (state.clone(), certificate.clone());
            tokio::spawn(async move {
                if let Err(error) = keys(&state).await {
                    tracing::error!(%error, "the old keys stay");
                }
            });
            tokio::spawn(async move {
                if let Err(error) = certificate_anew(certificate).await {
                    tracing::error!(%error, "the old certificate stays");
                }
            });
            wanted.notify_one();
        }
    });
    Ok(first)
}

/// One loading at a time: what was wanted meanwhile is one more.
async fn weights(
    state: AppState,
    devices: Vec<Device>,
    wanted: Arc<Notify>,
    first: oneshot::Sender<Result<(), ServeError>>,
) {
    // Where it failed the process ends.
    let _ = first.send(load(state.clone(), devices.clone()).await);
    loop {
        wanted.notified().await;
        if let Err(error) = load(state.clone(), devices.clone()).await {
            tracing::error!(%error, "the old weights stay");
        }
    }
}

/// Loads the models on a thread of its own, which nobody waits for at the end, and opens the state.
async fn load(state: AppState, devices: Vec<Device>) -> Result<(), ServeError> {
    let (sender, receiver) = oneshot::channel();
    std::thread::Builder::new().name("loader".into()).spawn(move || {
        let started = Instant::now();
        let config = state.config();
        let [short_workers, long_workers] = config.workers(&devices);
        let threads = config.threads_per_worker.get();
        let feeding = state.feeding(&devices);
        let already = state.registry().ok();
        let loaded = config.network.weights().and_then(|root| {
            let models = &config.network.models;
            let registry = Registry::load_some(&root, models, &devices, &feeding, already.as_deref())?;
            let names: Vec<String> =
                registry.entries().iter().map(|entry| entry.served.full_name()).collect();
            state.start(registry);
            tracing::info!(
                "ready in {:.1} s: {} of {} on {devices:?}, workers of each: {short_workers} for small and \
                     {long_workers} for large requests, {threads} thread(s) each",
                started.elapsed().as_secs_f64(),
                names.join(", "),
                root.display(),
            );
            Ok(())
        });
        let _ = sender.send(loaded);
    })?;
    // It closes without a word when the thread panics.
    Ok(receiver.await.map_err(|_| ServeError::Loader)??)
}

/// Runs `work` on a thread that may be left behind.
async fn aside<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let late =
        || io::Error::new(io::ErrorKind::TimedOut, format!("{what} could not be read within {FILE:?}"));
    timeout(FILE, tokio::task::spawn_blocking(work)).await.map_err(|_| late())?.map_err(io::Error::other)
}

//! What every handler can see: the settings, the models once they are loaded, who may ask, and whether work is taken.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use mirador_models::device::Device;
use mirna::mirbase::Mirbase;
use tokio::sync::{Semaphore, watch};

use super::callers::Callers;
use super::keys::Keys;
use super::problem::Problem;
use super::process_metrics;
use super::rate::{Caller, Limiter};
use crate::config::ServeConfig;
use crate::jobs::Jobs;
use crate::serving::{Bytes, Fault, PredictorConfig, Registry};

/// Replies that may be compressed at once; others are sent as they are.
const COMPRESSORS: usize = 64;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    config: ServeConfig,
    /// Empty while the models are being loaded.
    registry: Shared<Option<Arc<Registry>>>,
    /// `None`: everybody may ask everything.
    keys: Shared<Option<Arc<Keys>>>,
    /// miRNAs by name, where there is a file of them.
    mirbase: Shared<Option<Arc<Mirbase>>>,
    /// Where jobs are kept.
    jobs: OnceLock<Arc<Jobs>>,
    limiter: Option<Limiter>,
    callers: Callers,
    /// For replies that are compressed.
    compressors: Arc<Semaphore>,
    /// Bytes of encoded rows, for all models.
    bytes: Bytes,
    fault: Fault,
    /// Turns true once, and stays.
    draining: watch::Sender<bool>,
}

impl AppState {
    /// A server that is starting.
    pub fn new(config: ServeConfig) -> Self {
        // Before a model makes its counters.
        process_metrics::start();
        let limiter = config.rate_limit.map(Limiter::new);
        let (registry, keys, fault) = (Shared::default(), Shared::default(), Fault::default());
        let callers = Callers::new(config.max_bodies_bytes.get());
        let bytes = Bytes::new(config.max_queued_bytes.get());
        Self(Arc::new(Inner {
            config,
            registry,
            keys,
            mirbase: Shared::default(),
            jobs: OnceLock::new(),
            limiter,
            callers,
            compressors: Arc::new(Semaphore::new(COMPRESSORS)),
            bytes,
            fault,
            draining: watch::Sender::new(false),
        }))
    }

    /// The settings.
    pub fn config(&self) -> &ServeConfig {
        &self.0.config
    }

    /// These models answer from now on. Requests that were begun with others are finished by those, which then end.
    pub fn start(&self, registry: Registry) {
        self.0.registry.set(Some(Arc::new(registry)));
    }

    /// From now on only callers with one of these keys are answered.
    pub fn admit(&self, keys: Keys) {
        self.0.keys.set(Some(Arc::new(keys)));
    }

    /// Who may ask, if not everybody.
    pub fn keys(&self) -> Option<Arc<Keys>> {
        self.0.keys.get()
    }

    /// From now on these names are known.
    pub fn know(&self, mirbase: Mirbase) {
        self.0.mirbase.set(Some(Arc::new(mirbase)));
    }

    /// miRNAs by name.
    pub fn mirbase(&self) -> Option<Arc<Mirbase>> {
        self.0.mirbase.get()
    }

    /// Whether somebody who was let in would be today: a key may have been taken away meanwhile.
    pub fn still_admits(&self, caller: &Caller) -> bool {
        match (caller, self.keys()) {
            (Caller::Key(name), Some(keys)) => keys.knows(name),
            _ => true,
        }
    }

    /// From now on jobs are taken. They can be kept in one place only: a second is not looked at.
    pub fn keep(&self, jobs: Arc<Jobs>) {
        self.0.jobs.get_or_init(|| jobs);
    }

    /// The jobs, where they are kept.
    pub fn jobs(&self) -> Option<&Arc<Jobs>> {
        self.0.jobs.get()
    }

    /// How often one caller may ask, if that is bounded.
    pub fn limiter(&self) -> Option<&Limiter> {
        self.0.limiter.as_ref()
    }

    /// What each caller holds.
    pub fn callers(&self) -> &Callers {
        &self.0.callers
    }

    /// A place for each reply that is being compressed.
    pub fn compressors(&self) -> &Arc<Semaphore> {
        &self.0.compressors
    }

    /// How the workers of each model are fed.
    pub fn feeding(&self, devices: &[Device]) -> PredictorConfig {
        PredictorConfig {
            bytes: self.0.bytes.clone(),
            fault: self.0.fault.clone(),
            ..self.0.config.feeding(devices)
        }
    }

    /// Knows whether the device is broken.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// From now on not ready; requests that still come are answered.
    pub fn drain(&self) {
        self.0.draining.send_replace(true);
    }

    /// Waits until the server drains.
    pub async fn drained(&self) {
        // An error would mean that the sender went, but it lives as long as `self`.
        let _ = self.0.draining.subscribe().wait_for(|draining| *draining).await;
    }

    /// Whether new callers should come.
    pub fn ready(&self) -> Result<(), Problem> {
        // A server with a broken device drains too; this says why.
        if self.0.fault.is_known() {
            return Err(Problem::DeviceFault);
        }
        if *self.0.draining.borrow() {
            return Err(Problem::Draining);
        }
        match self.registry()?.broken() {
            Some(served) => Err(Problem::ModelFault(served.full_name())),
            None => Ok(()),
        }
    }

    /// The models, or that they are being loaded.
    pub fn registry(&self) -> Result<Arc<Registry>, Problem> {
        self.0.registry.get().ok_or(Problem::Starting)
    }
}

/// A value that is read often and replaced now and then.
#[derive(Default)]
struct Shared<T>(RwLock<T>);

impl<T: Clone> Shared<T> {
    fn get(&self) -> T {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = value;
    }
}

/// The loaded models; refuses the request before its body is read while there are none.
pub(super) struct Models(pub Arc<Registry>);

impl FromRequestParts<AppState> for Models {
    type Rejection = Problem;
    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        state.registry().map(Self)
    }
}

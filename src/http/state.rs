//! What every handler can see: the settings, the models once they are loaded, and whether work is taken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::problem::Problem;
use crate::config::ServeConfig;
use crate::serving::Registry;
use crate::telemetry::prometheus;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    config: ServeConfig,
    /// Empty while the models are being loaded.
    registry: OnceLock<Arc<Registry>>,
    draining: AtomicBool,
}

impl AppState {
    /// A server that is starting.
    pub fn new(config: ServeConfig) -> Self {
        // Before a model makes its counters.
        prometheus();
        Self(Arc::new(Inner { config, registry: OnceLock::new(), draining: AtomicBool::new(false) }))
    }

    /// The settings.
    pub fn config(&self) -> &ServeConfig {
        &self.0.config
    }

    /// The models are there: from now on requests are answered. A second call changes nothing.
    pub fn start(&self, registry: Registry) {
        let _ = self.0.registry.set(Arc::new(registry));
    }

    /// From now on not ready; requests that still come are answered.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// Whether new callers should come.
    pub fn ready(&self) -> Result<(), Problem> {
        if self.0.draining.load(Ordering::Relaxed) {
            return Err(Problem::Draining);
        }
        self.registry().map(|_| ())
    }

    /// The models, or that they are being loaded.
    pub fn registry(&self) -> Result<&Arc<Registry>, Problem> {
        self.0.registry.get().ok_or(Problem::Starting)
    }
}

/// The loaded models; refuses the request before its body is read while there are none.
pub struct Models(pub Arc<Registry>);

impl FromRequestParts<AppState> for Models {
    type Rejection = Problem;
    async fn from_request_parts(_: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        state.registry().cloned().map(Self)
    }
}

//! Who answered.

use serde::Serialize;
use utoipa::ToSchema;

use crate::serving::ServedModel;

/// The model and version that answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ModelRef {
    /// Name of the model.
    #[schema(example = "dmiso")]
    name: String,
    /// The version.
    #[schema(example = "balanced")]
    version: String,
}

impl ModelRef {
    /// Names what is served.
    pub(super) fn of(served: &ServedModel) -> Self {
        Self { name: served.config.model.clone(), version: served.config.version.clone() }
    }
}

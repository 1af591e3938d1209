//! `GET /health/live` and `GET /health/ready`: for those who restart the process and those who send it callers.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{LiveProblems, ReadyProblems};
use super::problem::Problem;
use super::state::AppState;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `live` or `ready`.
    #[schema(example = "ready")]
    status: &'static str,
}

impl Health {
    /// How a server or a model is.
    pub(super) const READY: Self = Self { status: "ready" };
}

/// Does the process run?
#[utoipa::path(
    get, path = "/health/live", tag = "service", operation_id = "live",
    responses((status = 200, body = Health, description = "The process runs"), LiveProblems),
)]
pub(super) async fn live() -> Json<Health> {
    Json(Health { status: "live" })
}

/// May callers come?
///
/// Yes once every model is loaded, warmed and has reproduced its golden outputs; no while the server shuts down.
#[utoipa::path(
    get, path = "/health/ready", tag = "service", operation_id = "ready",
    responses((status = 200, body = Health, description = "Every model is ready"), ReadyProblems),
)]
pub(super) async fn ready(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    state.ready().map(|()| Json(Health::READY))
}

//! `GET /service-info`: GA4GH service-info 1.0, by which registries of life-science services know this one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use serde::Serialize;
use utoipa::ToSchema;

use super::arrival;
use super::openapi::BareProblems;
use super::state::AppState;

/// GA4GH service-info 1.0.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceInfo {
    /// Unique name of the service, in reverse domain order.
    #[schema(example = "local.mirador")]
    id: &'static str,
    /// For people.
    #[schema(example = "mirador")]
    name: &'static str,
    /// Which API this is.
    #[serde(rename = "type")]
    kind: ServiceType,
    /// What the service does.
    description: &'static str,
    /// Who runs it.
    organization: Organization,
    /// Version of the program.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

/// An API by group, name and version.
#[derive(Debug, Serialize, ToSchema)]
struct ServiceType {
    #[schema(example = "local.mirador")]
    group: &'static str,
    #[schema(example = "mirador")]
    artifact: &'static str,
    #[schema(example = "1.0.0")]
    version: &'static str,
}

/// Who runs the service.
#[derive(Debug, Serialize, ToSchema)]
struct Organization {
    name: String,
    #[schema(example = "http://127.0.0.1:8080/")]
    url: String,
}

/// Describe the service
#[utoipa::path(
    get, path = "/service-info", tag = "service", operation_id = "service_info",
    responses((status = 200, body = ServiceInfo, description = "GA4GH service-info 1.0"), BareProblems),
)]
pub(super) async fn service_info(
    State(state): State<AppState>,
    uri: Uri,
    headers: HeaderMap,
) -> Json<ServiceInfo> {
    let config = state.config();
    // The address that is listened on may be 0.0.0.0, which nobody can call.
    let home = || {
        let asked = arrival::home(&headers, &uri, config);
        asked.unwrap_or_else(|| format!("{}://{}/", arrival::scheme(&headers, config), config.bind))
    };
    Json(ServiceInfo {
        id: "local.mirador",
        name: "mirador",
        kind: ServiceType { group: "local.mirador", artifact: "mirador", version: "1.0.0" },
        description: env!("CARGO_PKG_DESCRIPTION"),
        organization: Organization {
            name: config.organization_name.clone(),
            url: config.organization_url.clone().unwrap_or_else(home),
        },
        version: env!("CARGO_PKG_VERSION"),
    })
}

//! The Open Inference Protocol, version 2, for clients of KServe and Triton: a tensor is a column of rows. Sequences are
//! tensors of BYTES, shape [n].

mod answer;
mod reader;
mod tensors;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::HeaderName;
use axum::response::Response;
use mirador_models::tasks::Task;
use serde::Serialize;
use utoipa::ToSchema;

use super::expression::GeneRow;
use super::health::Health;
use super::openapi::{BareProblems, LookupProblems, ReadyProblems, ScoringProblems};
use super::pre_mirnas::PreMirnaRow;
use super::problem::Problem;
use super::rows::{Column, ScoringEndpoint};
use super::state::{AppState, Models};
use super::target_sites::PairRow;
use crate::serving::{Entry, Registry};
use answer::ask;
use tensors::{InputTensor, OutputTensor, Parameters, datatype};

/// Length of the JSON part of a body; binary tensors stand behind it.
const HEADER_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// The server.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ServerMetadata {
    #[schema(example = "mirador")]
    name: &'static str,
    version: &'static str,
    /// What it knows beyond the protocol.
    #[schema(example = json!(["binary_tensor_data"]))]
    extensions: [&'static str; 1],
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ModelMetadata {
    name: String,
    versions: Vec<String>,
    #[schema(example = "pytorch_libtorch")]
    platform: &'static str,
    /// What a request has to hold. It may hold further fields of a row, a field inside a field with a dot.
    inputs: Vec<TensorMetadata>,
    outputs: Vec<TensorMetadata>,
}

/// A tensor.
#[derive(Debug, Serialize, ToSchema)]
struct TensorMetadata {
    name: &'static str,
    #[schema(example = "BYTES")]
    datatype: &'static str,
    /// −1: any number of rows.
    shape: [i64; 1],
}

/// Rows to score.
#[derive(Debug, Default, ToSchema)]
#[schema(example = json!({
    "id": "1",
    "inputs": [
        {"name": "mirna", "datatype": "BYTES", "shape": [1], "data": ["UGAGGUAGUAGGUUGUAUAGUU"]},
        {"name": "site", "datatype": "BYTES", "shape": [1], "data": ["AACUAUACAACCUACUACCUCA"]},
    ],
    "outputs": [{"name": "probability"}, {"name": "site_type"}],
}))]
pub(super) struct InferRequest {
    /// Echoed.
    id: Option<String>,
    /// `binary_data_output: true` asks for every output behind the JSON.
    #[schema(value_type = Object, required = false)]
    parameters: Parameters,
    /// A tensor for each field of a row.
    #[schema(value_type = Vec<InputTensor>, required = true)]
    inputs: Option<Vec<InputTensor>>,
    /// Left out, all of them; none twice.
    #[schema(required = false)]
    outputs: Vec<WantedOutput>,
}

/// An output that is asked for.
#[derive(Debug, Default, ToSchema)]
struct WantedOutput {
    name: String,
    /// `binary_data: true` asks for it behind the JSON.
    #[schema(value_type = Object, required = false)]
    parameters: Parameters,
}

/// The scores.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "model_name": "dmiso", "model_version": "balanced", "id": "1",
    "outputs": [
        {"name": "probability", "datatype": "FP32", "shape": [1], "data": [0.98161477]},
        {"name": "site_type", "datatype": "BYTES", "shape": [1], "data": ["8mer"]},
    ],
}))]
pub(super) struct InferResponse {
    model_name: String,
    model_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    outputs: Vec<OutputTensor>,
}

/// Describe the server
#[utoipa::path(
    get, path = "/v2", tag = "inference protocol", operation_id = "v2_server",
    responses((status = 200, body = ServerMetadata, description = "Name and version"), BareProblems),
)]
pub(super) async fn server() -> Json<ServerMetadata> {
    let version = env!("CARGO_PKG_VERSION");
    Json(ServerMetadata { name: "mirador", version, extensions: ["binary_tensor_data"] })
}

/// Does the process run? (Open Inference Protocol)
#[utoipa::path(
    get, path = "/v2/health/live", tag = "inference protocol", operation_id = "v2_live",
    responses((status = 200, body = Health, description = "The process runs"), super::openapi::LiveProblems),
)]
pub(super) async fn live() -> Json<Health> {
    super::health::live().await
}

/// May callers come? (Open Inference Protocol)
#[utoipa::path(
    get, path = "/v2/health/ready", tag = "inference protocol", operation_id = "v2_ready",
    responses((status = 200, body = Health, description = "Every model is ready"), ReadyProblems),
)]
pub(super) async fn ready(state: State<AppState>) -> Result<Json<Health>, Problem> {
    super::health::ready(state).await
}

/// Describe a model
#[utoipa::path(
    get, path = "/v2/models/{name}", tag = "inference protocol", operation_id = "v2_model",
    params(("name" = String, Path, description = "`name` or `name@version`", example = "dmiso")),
    responses((status = 200, body = ModelMetadata, description = "Its tensors"), LookupProblems),
)]
pub(super) async fn model(
    Models(registry): Models,
    Path(name): Path<String>,
) -> Result<Json<ModelMetadata>, Problem> {
    Ok(Json(ModelMetadata::of(registry.get_with_rows(&name)?, &registry)))
}

/// Describe a version
#[utoipa::path(
    get, path = "/v2/models/{name}/versions/{version}", tag = "inference protocol", operation_id = "v2_version",
    params(("name" = String, Path, example = "dmiso"), ("version" = String, Path, example = "balanced")),
    responses((status = 200, body = ModelMetadata, description = "Its tensors"), LookupProblems),
)]
pub(super) async fn version(
    Models(registry): Models,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<ModelMetadata>, Problem> {
    Ok(Json(ModelMetadata::of(registry.get_with_rows(&format!("{name}@{version}"))?, &registry)))
}

/// Is a model ready?
#[utoipa::path(
    get, path = "/v2/models/{name}/ready", tag = "inference protocol", operation_id = "v2_model_ready",
    params(("name" = String, Path, description = "`name` or `name@version`", example = "dmiso")),
    responses((status = 200, body = Health, description = "It answers"), LookupProblems),
)]
pub(super) async fn model_ready(
    Models(registry): Models,
    Path(name): Path<String>,
) -> Result<Json<Health>, Problem> {
    ready_if_good(registry.get_with_rows(&name)?)
}

/// Is a version ready?
#[utoipa::path(
    get, path = "/v2/models/{name}/versions/{version}/ready", tag = "inference protocol",
    operation_id = "v2_version_ready",
    params(("name" = String, Path, example = "dmiso"), ("version" = String, Path, example = "balanced")),
    responses((status = 200, body = Health, description = "It answers"), LookupProblems),
)]
pub(super) async fn version_ready(
    Models(registry): Models,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Health>, Problem> {
    ready_if_good(registry.get_with_rows(&format!("{name}@{version}"))?)
}

fn ready_if_good(Entry { served, .. }: &Entry) -> Result<Json<Health>, Problem> {
    match served.predictor.is_good() {
        true => Ok(Json(Health::READY)),
        false => Err(Problem::ModelFault(served.full_name())),
    }
}

/// Ask a model
///
/// Tensors may also stand behind the JSON, as the protocol's binary extension has it.
#[utoipa::path(
    post, path = "/v2/models/{name}/infer", tag = "inference protocol", operation_id = "v2_infer",
    params(("name" = String, Path, description = "`name` or `name@version`", example = "dmiso")),
    request_body = InferRequest,
    responses((status = 200, body = InferResponse, description = "A tensor for each field of the results"), ScoringProblems),
)]
pub(super) async fn infer(
    state: State<AppState>,
    models: Models,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    ask(&state, &models.0, &name, request).await
}

/// Ask a version
#[utoipa::path(
    post, path = "/v2/models/{name}/versions/{version}/infer", tag = "inference protocol",
    operation_id = "v2_infer_version",
    params(("name" = String, Path, example = "dmiso"), ("version" = String, Path, example = "balanced")),
    request_body = InferRequest,
    responses((status = 200, body = InferResponse, description = "A tensor for each field of the results"), ScoringProblems),
)]
pub(super) async fn infer_version(
    state: State<AppState>,
    models: Models,
    Path((name, version)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    ask(&state, &models.0, &format!("{name}@{version}"), request).await
}

impl ModelMetadata {
    fn of(entry: &Entry, registry: &Registry) -> Self {
        let (fields, columns) = match entry.served.model.task {
            Task::TargetSite => (PairRow::FIELDS, PairRow::COLUMNS),
            Task::PreMirna => (PreMirnaRow::FIELDS, PreMirnaRow::COLUMNS),
            Task::Expression => (GeneRow::FIELDS, GeneRow::COLUMNS),
            // Not found here, see `Registry::get_with_rows`.
            Task::Repression => (&[][..], &[][..]),
        };
        let tensor = |column: &Column| TensorMetadata {
            name: column.name,
            datatype: datatype(column.kind),
            shape: [-1],
        };
        let name = entry.served.model.name;
        let versions = registry.entries().iter().filter(|other| other.served.model.name == name);
        Self {
            name: name.to_owned(),
            versions: versions.map(|entry| entry.served.config.version.clone()).collect(),
            platform: "pytorch_libtorch",
            inputs: fields.iter().map(tensor).collect(),
            outputs: columns.iter().map(tensor).collect(),
        }
    }
}

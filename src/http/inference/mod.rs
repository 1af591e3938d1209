//! The Open Inference Protocol, version 2, for clients of KServe and Triton: a tensor is a column of rows. Sequences are
//! tensors of BYTES, shape [n].

mod tensors;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use self::tensors::{InputTensor, OutputTensor, datatype};
use super::body;
use super::deadline::Deadline;
use super::expression::GeneRow;
use super::formats::{by_column, parse, row, score, to_json};
use super::health::Health;
use super::pre_mirnas::PreMirnaRow;
use super::problem::{ErrorCode, FieldError, Problem};
use super::problem_kind::{BareProblems, LookupProblems, ReadyProblems, ScoringProblems};
use super::rows::{Column, Question};
use super::state::{AppState, Models};
use super::target_sites::PairRow;
use crate::serving::{Entry, Registry};
use crate::tasks::Task;

/// Length of the JSON part of a body; binary tensors stand behind it.
const HEADER_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// The server.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServerMetadata {
    #[schema(example = "mirador")]
    name: &'static str,
    version: &'static str,
    /// What it knows beyond the protocol.
    #[schema(example = json!(["binary_tensor_data"]))]
    extensions: [&'static str; 1],
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub struct ModelMetadata {
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
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "1",
    "inputs": [
        {"name": "mirna", "datatype": "BYTES", "shape": [1], "data": ["UGAGGUAGUAGGUUGUAUAGUU"]},
        {"name": "site", "datatype": "BYTES", "shape": [1], "data": ["AACUAUACAACCUACUACCUCA"]},
    ],
    "outputs": [{"name": "probability"}, {"name": "site_type"}],
}))]
pub struct InferRequest {
    /// Echoed.
    id: Option<String>,
    /// `binary_data_output: true` asks for every output behind the JSON.
    #[serde(default)]
    parameters: Map<String, Value>,
    /// A tensor for each field of a row.
    inputs: Vec<InputTensor>,
    /// Left out, all of them.
    #[serde(default)]
    outputs: Vec<WantedOutput>,
}

/// An output that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
struct WantedOutput {
    name: String,
    /// `binary_data: true` asks for it behind the JSON.
    #[serde(default)]
    parameters: Map<String, Value>,
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
pub struct InferResponse {
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
pub async fn server() -> Json<ServerMetadata> {
    let version = env!("CARGO_PKG_VERSION");
    Json(ServerMetadata { name: "mirador", version, extensions: ["binary_tensor_data"] })
}

/// Does the process run? (Open Inference Protocol)
#[utoipa::path(
    get, path = "/v2/health/live", tag = "inference protocol", operation_id = "v2_live",
    responses((status = 200, body = Health, description = "The process runs"), super::problem_kind::LiveProblems),
)]
pub async fn live() -> Json<Health> {
    super::health::live().await
}

/// May callers come? (Open Inference Protocol)
#[utoipa::path(
    get, path = "/v2/health/ready", tag = "inference protocol", operation_id = "v2_ready",
    responses((status = 200, body = Health, description = "Every model is ready"), ReadyProblems),
)]
pub async fn ready(state: State<AppState>) -> Result<Json<Health>, Problem> {
    super::health::ready(state).await
}

/// Describe a model
#[utoipa::path(
    get, path = "/v2/models/{name}", tag = "inference protocol", operation_id = "v2_model",
    params(("name" = String, Path, description = "`name` or `name@version`", example = "dmiso")),
    responses((status = 200, body = ModelMetadata, description = "Its tensors"), LookupProblems),
)]
pub async fn model(
    Models(registry): Models,
    Path(name): Path<String>,
) -> Result<Json<ModelMetadata>, Problem> {
    Ok(Json(ModelMetadata::of(registry.card(&name)?, &registry)))
}

/// Describe a version
#[utoipa::path(
    get, path = "/v2/models/{name}/versions/{version}", tag = "inference protocol", operation_id = "v2_version",
    params(("name" = String, Path, example = "dmiso"), ("version" = String, Path, example = "balanced")),
    responses((status = 200, body = ModelMetadata, description = "Its tensors"), LookupProblems),
)]
pub async fn version(
    Models(registry): Models,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<ModelMetadata>, Problem> {
    Ok(Json(ModelMetadata::of(registry.card(&format!("{name}@{version}"))?, &registry)))
}

/// Is a model ready?
#[utoipa::path(
    get, path = "/v2/models/{name}/ready", tag = "inference protocol", operation_id = "v2_model_ready",
    params(("name" = String, Path, description = "`name` or `name@version`", example = "dmiso")),
    responses((status = 200, body = Health, description = "It answers"), LookupProblems),
)]
pub async fn model_ready(
    Models(registry): Models,
    Path(name): Path<String>,
) -> Result<Json<Health>, Problem> {
    ready_if_good(registry.card(&name)?)
}

/// Is a version ready?
#[utoipa::path(
    get, path = "/v2/models/{name}/versions/{version}/ready", tag = "inference protocol",
    operation_id = "v2_version_ready",
    params(("name" = String, Path, example = "dmiso"), ("version" = String, Path, example = "balanced")),
    responses((status = 200, body = Health, description = "It answers"), LookupProblems),
)]
pub async fn version_ready(
    Models(registry): Models,
    Path((name, version)): Path<(String, String)>,
) -> Result<Json<Health>, Problem> {
    ready_if_good(registry.card(&format!("{name}@{version}"))?)
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
pub async fn infer(
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
pub async fn infer_version(
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

async fn ask(
    state: &AppState,
    registry: &Registry,
    name: &str,
    request: Request,
) -> Result<Response, Problem> {
    let entry = registry.card(name)?;
    check_type(request.headers())?;
    let (head, deadline) = (request.headers().clone(), request.extensions().get().copied());
    let bytes = body::read(request, state.config().max_body_bytes.get()).await?;
    let (json, binary) = split(&head, &bytes)?;
    let request: InferRequest = parse(json)?;
    match entry.served.model.task {
        Task::TargetSite => answer::<PairRow>(state, entry, deadline, request, binary).await,
        Task::PreMirna => answer::<PreMirnaRow>(state, entry, deadline, request, binary).await,
        Task::Expression => answer::<GeneRow>(state, entry, deadline, request, binary).await,
    }
}

/// Triton's client names no type. No page of another origin passes with that: its POST names the origin.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(media_type) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = media_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let taken = ["application/json", "application/octet-stream"];
    taken.iter().any(|name| essence.eq_ignore_ascii_case(name)).then_some(()).ok_or(Problem::TensorType)
}

/// The JSON, and the binary tensors behind it.
fn split<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), Problem> {
    let Some(length) = headers.get(HEADER_LENGTH) else { return Ok((bytes, &[])) };
    let length = length.to_str().ok().and_then(|text| text.parse().ok());
    length.and_then(|length| bytes.split_at_checked(length)).ok_or_else(|| {
        Problem::BadHeader(
            "Inference-Header-Content-Length has to be the length of the JSON in the body".into(),
        )
    })
}

async fn answer<Q: Question>(
    state: &AppState,
    Entry { served, .. }: &Entry,
    deadline: Option<Deadline>,
    request: InferRequest,
    mut binary: &[u8],
) -> Result<Response, Problem> {
    let mut columns: Vec<Vec<Value>> = Vec::with_capacity(request.inputs.len());
    for (index, tensor) in request.inputs.iter().enumerate() {
        columns.push(tensor.values(&mut binary).map_err(|detail| malformed(index, detail))?);
    }
    let rows = columns.first().map_or(0, Vec::len);
    if let Some(index) = columns.iter().position(|values| values.len() != rows) {
        return Err(malformed(index, format!("tensors have to have as many rows as the first, {rows}")));
    }
    let row = |index: usize| {
        let values = columns.iter_mut().map(|values| values[index].take());
        row::<Q>(index, request.inputs.iter().map(|tensor| tensor.name.as_str()).zip(values))
    };
    let rows = (0..rows).map(row).collect::<Result<_, _>>()?;
    let (results, _) = score(rows, served, state, deadline).await?;

    let results: Vec<Value> = results.iter().map(by_column).collect();
    let all_binary = flag(&request.parameters, "binary_data_output");
    let wanted: Vec<(Column, bool)> = match request.outputs.as_slice() {
        [] => Q::COLUMNS.iter().map(|column| (*column, all_binary)).collect(),
        outputs => outputs.iter().map(|output| output.find::<Q>(all_binary)).collect::<Result<_, _>>()?,
    };
    let mut behind = Vec::new();
    let tensor = |(column, binary): &(Column, bool)| {
        OutputTensor::of(*column, &results, binary.then_some(&mut behind))
    };
    let reply = InferResponse {
        model_name: served.config.model.clone(),
        model_version: served.config.version.clone(),
        id: request.id,
        outputs: wanted.iter().map(tensor).collect(),
    };
    if behind.is_empty() {
        return Ok(Json(reply).into_response());
    }
    let mut bytes = Vec::new();
    to_json(&mut bytes, &reply);
    let length = bytes.len().to_string();
    bytes.append(&mut behind);
    let headers = [(HEADER_LENGTH, length.as_str()), (header::CONTENT_TYPE, "application/octet-stream")];
    Ok((headers, bytes).into_response())
}

impl WantedOutput {
    fn find<Q: Question>(&self, all_binary: bool) -> Result<(Column, bool), Problem> {
        let column = Q::COLUMNS.iter().find(|column| column.name == self.name).ok_or_else(|| {
            let names: Vec<&str> = Q::COLUMNS.iter().map(|column| column.name).collect();
            let detail = format!("no output {:?}; there is: {}", self.name, names.join(", "));
            Problem::from(FieldError::new("/outputs".into(), ErrorCode::UnknownField, detail))
        })?;
        let binary = match self.parameters.contains_key("binary_data") {
            true => flag(&self.parameters, "binary_data"),
            false => all_binary,
        };
        Ok((*column, binary))
    }
}

fn flag(parameters: &Map<String, Value>, name: &str) -> bool {
    parameters.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn malformed(input: usize, detail: String) -> Problem {
    let pointer = format!("/inputs/{input}");
    FieldError::new(pointer, ErrorCode::WrongType, detail).into()
}

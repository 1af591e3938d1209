//! Asks a model with tensors, and writes its answer as tensors.

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use mirador_models::tasks::Task;
use serde_json::Value;

use super::tensors::{Broken, Datum, InputTensor, OutputTensor};
use super::{HEADER_LENGTH, InferRequest, InferResponse, WantedOutput, reader};
use crate::http::body;
use crate::http::deadline::Deadline;
use crate::http::expression::GeneRow;
use crate::http::formats::{Draft, by_column, meant, score, to_json, whole_number};
use crate::http::offload::{Bounds, offload};
use crate::http::pre_mirnas::PreMirnaRow;
use crate::http::problem::{ErrorCode, Errors, FieldError, Problem, shown};
use crate::http::rows::{Answerer, Column, Found, FoundRows, HEAVY_ROWS, Kind, ScoringEndpoint};
use crate::http::state::AppState;
use crate::http::target_sites::PairRow;
use crate::serving::{Entry, Registry};

/// From here on a body is read away from the connections' threads.
const HEAVY_BYTES: usize = 16 * 1024;

/// Answers a request to the model of this name.
pub(super) async fn ask(
    state: &AppState,
    registry: &Registry,
    name: &str,
    request: Request,
) -> Result<Response, Problem> {
    let entry = registry.get_with_rows(name)?;
    check_type(request.headers())?;
    match entry.served.model.task {
        Task::TargetSite => answer::<PairRow>(state, entry, request).await,
        Task::PreMirna => answer::<PreMirnaRow>(state, entry, request).await,
        Task::Expression => answer::<GeneRow>(state, entry, request).await,
        Task::Repression => Err(Problem::Internal),
    }
}

/// Triton's client names no type. No page of another origin passes with that: its POST names the origin.
fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(media_type) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = media_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let taken = ["application/json", "application/octet-stream"];
    match taken.iter().any(|name| essence.eq_ignore_ascii_case(name)) {
        true => Ok(()),
        false => Err(Problem::TensorType(essence.to_owned())),
    }
}

async fn answer<S: ScoringEndpoint>(
    state: &AppState,
    Entry { served, .. }: &Entry,
    request: Request,
) -> Result<Response, Problem> {
    let (head, deadline) = (request.headers().clone(), request.extensions().get::<Deadline>().copied());
    let (bytes, mut permit) = body::read(request, state).await?;
    let (length, heavy) = (bytes.len(), bytes.len() >= HEAVY_BYTES);
    let bounds = || Bounds::new(state.config().max_rows.get());
    let read = move |bounds: &Bounds| read::<S>(&head, &bytes, bounds);
    let Asked { found, id, wanted } = offload(heavy, bounds(), read).await?;
    permit.grow_by_rows(length, found.rows.len(), 0).await?;
    let heavy = found.rows.len() >= HEAVY_ROWS;
    let answerer = Answerer { served: Some(served.clone()), mirbase: state.mirbase() };
    let (results, _) = score(found, &answerer, state, (deadline, &permit.share)).await?;
    let (model_name, model_version) = (served.config.model.clone(), served.config.version.clone());
    let write = move |_: &Bounds| {
        let mut behind = Vec::new();
        let results: Vec<Value> = results.iter().map(by_column).collect();
        let tensor = |(column, binary): &(Column, bool)| {
            OutputTensor::of(*column, &results, binary.then_some(&mut behind))
        };
        let outputs = wanted.iter().map(tensor).collect();
        let mut json = Vec::new();
        to_json(&mut json, &InferResponse { model_name, model_version, id, outputs });
        (json, behind)
    };
    let (mut bytes, mut behind) = offload(heavy, bounds(), write).await;
    if behind.is_empty() {
        let reply = ([(header::CONTENT_TYPE, "application/json")], bytes).into_response();
        return Ok(permit.hold(reply));
    }
    let length = bytes.len().to_string();
    bytes.append(&mut behind);
    let headers = [(HEADER_LENGTH, length.as_str()), (header::CONTENT_TYPE, "application/octet-stream")];
    Ok(permit.hold((headers, bytes).into_response()))
}

/// What a request asks for.
struct Asked<S> {
    found: Found<S>,
    id: Option<String>,
    /// Which outputs, and whether each stands behind the JSON.
    wanted: Vec<(Column, bool)>,
}

fn read<S: ScoringEndpoint>(head: &HeaderMap, bytes: &Bytes, bounds: &Bounds) -> Result<Asked<S>, Problem> {
    let (json, mut binary) = split(head, bytes)?;
    let InferRequest { id, parameters, inputs, outputs } = reader::read(json, bounds)?;
    let Some(mut inputs) = inputs else {
        return Err(FieldError::whole(
            ErrorCode::MissingField,
            "inputs are missing: a list of tensors".into(),
        )
        .into());
    };
    let wanted = wanted::<S>(&outputs, parameters.binary_data_output.unwrap_or(false))?;
    let (mut columns, mut errors) = (Vec::with_capacity(inputs.len()), Errors::default());
    for (index, tensor) in inputs.iter_mut().enumerate() {
        if S::kind(&tensor.name).is_none() {
            let meant = meant::<S>(&tensor.name).map(|field| format!(", did you mean {field}?"));
            let (name, meant) = (shown(&tensor.name), meant.unwrap_or_default());
            let detail = format!("no input {name}{meant}; there is: {}", S::names());
            errors.push(of_tensor(index, ErrorCode::UnknownField, detail));
        }
        match tensor.values(&mut binary, bounds.max_rows) {
            Ok(values) => columns.push(values),
            Err(Broken::TooMany) => return Err(Problem::TooManyRows(bounds.max_rows)),
            Err(Broken::Tensor(detail)) => {
                columns.push(Vec::new());
                errors.push(of_tensor(index, ErrorCode::WrongType, detail));
            }
        }
    }
    errors.into_result()?;
    if !binary.is_empty() {
        let detail = format!(
            "{} bytes behind the JSON belong to no tensor: binary_data_size says how many are whose",
            binary.len()
        );
        return Err(FieldError::new("/inputs".into(), ErrorCode::WrongType, detail).into());
    }
    let rows = columns.first().map_or(0, Vec::len);
    let mut errors = Errors::default();
    for (index, values) in columns.iter().enumerate() {
        if values.len() != rows {
            let detail = format!("tensors have to have as many rows as the first, {rows}");
            errors.push(of_tensor(index, ErrorCode::WrongType, detail));
        }
    }
    errors.into_result()?;
    let mut columns: Vec<_> = columns.into_iter().map(Vec::into_iter).collect();
    let mut found = FoundRows::default();
    for index in 0..rows {
        bounds.admit(index)?;
        let values = columns.iter_mut().map(|values| values.next().unwrap_or(Datum::Nothing));
        let row = row::<S>(&inputs, values, found.room());
        found.push(None, row);
    }
    Ok(Asked { found: Found { rows: found.into_rows(), ..std::iter::empty().collect() }, id, wanted })
}

fn row<S: ScoringEndpoint>(
    inputs: &[InputTensor],
    values: impl Iterator<Item = Datum>,
    room: usize,
) -> Result<S, Errors> {
    let mut draft = Draft::<S>::new(room);
    for (InputTensor { name, .. }, datum) in inputs.iter().zip(values) {
        let wrong = |expected: &str| (ErrorCode::WrongType, format!("{name} has to be {expected}"));
        let Some(kind) = S::kind(name) else { continue };
        let value = match (kind, datum) {
            (_, Datum::Nothing) => Ok(Value::Null),
            (_, Datum::Infinite) => Err((ErrorCode::OutOfRange, format!("{name} has to be a finite number"))),
            (Kind::Text, Datum::Text(text)) => Ok(text.into()),
            (Kind::Text, _) => Err(wrong("text: a tensor of BYTES")),
            (Kind::Flag, Datum::Flag(flag)) => Ok(flag.into()),
            (Kind::Flag, _) => Err(wrong("true or false")),
            (Kind::Number, Datum::Number(number)) => Ok(Value::Number(number)),
            (Kind::Integer, Datum::Number(number)) => whole_number(number.as_f64())
                .map(Value::from)
                .ok_or_else(|| wrong("a whole number, 0 or more")),
            (Kind::Integer | Kind::Number, _) => Err(wrong("a number")),
        };
        match value {
            Ok(value) => draft.put(name, value),
            Err((code, detail)) => draft.error(name, code, || detail),
        }
    }
    draft.finish()
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

/// The outputs that are asked for, each once; none named: all.
fn wanted<S: ScoringEndpoint>(
    outputs: &[WantedOutput],
    all_binary: bool,
) -> Result<Vec<(Column, bool)>, Problem> {
    if outputs.is_empty() {
        return Ok(S::COLUMNS.iter().map(|column| (*column, all_binary)).collect());
    }
    let (mut wanted, mut errors) = (Vec::<(Column, bool)>::new(), Errors::default());
    for (index, WantedOutput { name, parameters }) in outputs.iter().enumerate() {
        let mut error =
            |code, detail| errors.push(FieldError::new(format!("/outputs/{index}"), code, detail));
        match S::COLUMNS.iter().find(|column| column.name == name) {
            Some(_) if wanted.iter().any(|(column, _)| column.name == name) => {
                error(ErrorCode::DuplicateField, format!("output {name:?} stands there twice"));
            }
            Some(column) => wanted.push((*column, parameters.binary_data.unwrap_or(all_binary))),
            None => {
                let names: Vec<&str> = S::COLUMNS.iter().map(|column| column.name).collect();
                let detail = format!("no output {}; there is: {}", shown(name), names.join(", "));
                error(ErrorCode::UnknownField, detail);
            }
        }
    }
    errors.into_result().map(|()| wanted)
}

fn of_tensor(input: usize, code: ErrorCode, detail: String) -> FieldError {
    FieldError::new(format!("/inputs/{input}"), code, detail)
}

//! JSON: from bytes to a typed value, with a pointer to what is wrong.

use std::convert::Infallible;
use std::iter;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::http::models::ModelRef;
use crate::http::offload::{Bounds, offload};
use crate::http::problem::{ErrorCode, FieldError, Problem};
use crate::http::rows::{Found, Question};

/// From here on a body is parsed away from the connections' threads.
const HEAVY_BODY_BYTES: usize = 64 * 1024;
/// Results that are written at once. A longer reply is streamed, so that writing it holds up nobody else.
const CHUNK: usize = 512;

/// A request.
pub async fn read<Q: Question>(bytes: Bytes, bounds: Bounds) -> Result<Found<Q>, Problem> {
    let heavy = bytes.len() >= HEAVY_BODY_BYTES;
    let read = move |bounds: &Bounds| {
        let (model, rows) = Q::rows(parse(&bytes)?);
        bounds.admit(rows.len().saturating_sub(1))?;
        Ok(Found { model, ..rows.into_iter().collect() })
    };
    offload(heavy, bounds, read).await
}

/// A reply: `{"model": …, "results": […]}`. There is at least one result.
pub fn write<R: Serialize + Send + 'static>(model: &ModelRef, results: Vec<R>) -> Body {
    let few = results.len() <= CHUNK;
    let mut start = br#"{"model":"#.to_vec();
    to_json(&mut start, model);
    start.extend(br#","results":["#);
    let (mut start, mut results) = (Some(start), results.into_iter().peekable());
    let mut chunks = iter::from_fn(move || {
        results.peek()?;
        let mut text = start.take().unwrap_or_default();
        for result in results.by_ref().take(CHUNK) {
            to_json(&mut text, &result);
            text.push(b',');
        }
        if results.peek().is_none() {
            text.pop();
            text.extend(b"]}");
        }
        Some(text)
    });
    match few {
        true => chunks.next().unwrap_or_default().into(),
        false => Body::from_stream(stream::iter(chunks.map(Ok::<_, Infallible>))),
    }
}

/// Appends a value.
pub fn to_json(text: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(text, value).expect("strings and finite numbers always serialise");
}

/// Parses twice when something is wrong: keeping track of the path costs time that a good request need not spend.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FieldError> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(field_error)?;
    json.end().map(|()| value).map_err(|error| FieldError::whole(ErrorCode::Syntax, error.to_string()))
}

/// What was wrong, and where.
pub fn field_error(error: serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let detail = error.inner().to_string();
    match error.inner().is_data() {
        true => FieldError::new(pointer(error.path()), code(&detail), detail),
        false => FieldError::whole(ErrorCode::Syntax, detail),
    }
}

/// serde tells these apart by its words only.
fn code(detail: &str) -> ErrorCode {
    let starts = [
        ("missing field", ErrorCode::MissingField),
        ("unknown field", ErrorCode::UnknownField),
        ("duplicate field", ErrorCode::DuplicateField),
    ];
    starts
        .into_iter()
        .find(|(words, _)| detail.starts_with(words))
        .map_or(ErrorCode::WrongType, |(_, code)| code)
}

/// RFC 6901.
fn pointer(path: &Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}

//! From bytes to a typed request: content type, size, JSON, fields.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::offload::offload;
use super::problem::{ErrorCode, FieldError, Problem};
use super::state::AppState;

/// From here on a body is parsed away from the connections' threads.
const HEAVY_BODY_BYTES: usize = 64 * 1024;
/// A body over the limit is read on up to so many times the limit, so that the caller, who may read only after
/// writing all, gets the answer instead of a broken connection.
const PATIENCE: usize = 2;

/// The body as JSON of type `T`, or the problem with it.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + Send + 'static> FromRequest<AppState> for Json<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::MediaType);
        }
        let bytes = read(request.into_body(), state.config().max_body_bytes.get()).await?;
        offload(bytes.len() >= HEAVY_BODY_BYTES, move || parse(&bytes)).await.map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let (mut bytes, mut total) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let broken = |_| Problem::Malformed(whole_body(ErrorCode::Syntax, "the body ended early".into()));
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        total += data.len();
        if total <= limit {
            bytes.extend_from_slice(&data);
        } else if total > limit.saturating_mul(PATIENCE) {
            break;
        }
    }
    if total > limit { Err(Problem::BodyTooLarge(limit)) } else { Ok(bytes) }
}

/// Parses twice when something is wrong: keeping track of the path costs time that a good request need not spend.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let error = match serde_path_to_error::deserialize(&mut json) {
        Ok(value) => match json.end() {
            Ok(()) => return Ok(value),
            Err(error) => whole_body(ErrorCode::Syntax, error.to_string()),
        },
        Err(error) if error.inner().is_data() => {
            let detail = error.inner().to_string();
            FieldError { pointer: pointer(error.path()), code: code(&detail), detail }
        }
        Err(error) => whole_body(ErrorCode::Syntax, error.inner().to_string()),
    };
    Err(Problem::Malformed(error))
}

fn whole_body(code: ErrorCode, detail: String) -> FieldError {
    FieldError { pointer: String::new(), code, detail }
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

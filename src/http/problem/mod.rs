//! The one place where an error becomes an answer: RFC 9457 problem details.
//!
//! A handler returns a [`Problem`]; `envelope` writes its body, because the body names the request.

mod field_error;
mod kind;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use field_error::Errors;
pub(super) use field_error::{ErrorCode, FieldError, MOST_ERRORS};
use field_error::{MOST_ECHOED, shorten};
pub(super) use kind::{PROBLEM_JSON, ProblemKind};

use super::keys::Scope;
use super::rate::RateStatus;
use crate::serving::UnknownModel;

/// Characters of what a problem says as a whole; jobs keep it.
const LONGEST_DETAIL: usize = 4_000;
/// What `Retry-After` says, in seconds, where nothing better is known.
const RETRY_AFTER_S: u64 = 1;
/// Where one of the caller's jobs has to end first.
const RETRY_JOB_S: u64 = 30;

/// Why a request was refused.
#[derive(Clone, Debug)]
pub enum Problem {
    /// The body is not what the route takes.
    Malformed(Errors),
    /// A header or the path cannot be read.
    BadHeader(String),
    /// No key, or none that is known.
    Unauthorized,
    /// The key lacks this scope.
    Forbidden(Scope),
    /// The caller asks too often.
    RateLimited(RateStatus),
    /// No such route.
    NotFound,
    /// No such model.
    UnknownModel(UnknownModel),
    /// The route has other methods.
    MethodNotAllowed,
    /// More bytes than this limit.
    BodyTooLarge(usize),
    /// More rows than this limit.
    TooManyRows(usize),
    /// More rows than this model can score while the server drains: the model, and its limit.
    TooMuchWork {
        /// `name@version`.
        model: String,
        /// Most rows of one request to it.
        rows: usize,
    },
    /// More than one scan may be of, in words.
    ScanTooLarge(String),
    /// What stands in the way of a job, in words.
    Job(ProblemKind, String),
    /// The body came too slowly.
    SlowBody,
    /// A format that the route does not take, as it was named.
    MediaType(String),
    /// The same, below `/v2`.
    TensorType(String),
    /// A format that a scan does not take, as it was named.
    ScanType(String),
    /// No format that the caller accepts.
    NotAcceptable,
    /// A page of another origin, which is not listed.
    ForeignOrigin,
    /// The request is for another host.
    Misdirected,
    /// Compressed in a way that is not read.
    ContentEncoding,
    /// Well-formed, but these values are not acceptable.
    InvalidInput(Errors),
    /// Something broke; the log says what.
    Internal,
    /// No room for the rows now; seconds until there may be.
    QueueFull(u64),
    /// All places for connections are taken by requests that run.
    Crowded,
    /// The model fails; it is being built anew.
    ModelFault(String),
    /// Models are being loaded.
    Starting,
    /// The server is shutting down.
    Draining,
    /// The device is broken; the process is about to end.
    DeviceFault,
    /// The caller's deadline passed.
    DeadlineExceeded,
}

/// An error, as RFC 9457 problem details.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(title = "Problem")]
pub(super) struct ProblemBody {
    /// Stable name of the kind of problem.
    #[serde(rename = "type")]
    kind: ProblemKind,
    /// The kind of problem in a few words.
    #[schema(example = "The input is not acceptable")]
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599, example = 422)]
    status: u16,
    /// What was wrong this time.
    #[schema(example = "1 value of the request is not acceptable; `errors` names each")]
    detail: String,
    /// The reply's `X-Request-Id`, under which the log knows the request.
    #[schema(example = "5f0c2a54-6b1f-4c5e-9c44-0b6f8d7f1b11")]
    request_id: String,
    /// What is wrong with the body, every single thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// How many more there are, beyond the first 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    more_errors: Option<usize>,
    /// All of it in one line, where clients of the Open Inference Protocol look: below `/v2` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
}

impl Problem {
    fn kind(&self) -> ProblemKind {
        match self {
            Self::Malformed(_) | Self::BadHeader(_) => ProblemKind::MalformedRequest,
            Self::Unauthorized => ProblemKind::Unauthorized,
            Self::Forbidden(_) => ProblemKind::Forbidden,
            Self::RateLimited(_) => ProblemKind::RateLimited,
            Self::NotFound => ProblemKind::NotFound,
            Self::UnknownModel(_) => ProblemKind::UnknownModel,
            Self::MethodNotAllowed => ProblemKind::MethodNotAllowed,
            Self::BodyTooLarge(_) => ProblemKind::BodyTooLarge,
            Self::TooManyRows(_) => ProblemKind::TooManyRows,
            Self::TooMuchWork { .. } | Self::ScanTooLarge(_) => ProblemKind::TooMuchWork,
            Self::Job(kind, _) => *kind,
            Self::SlowBody => ProblemKind::SlowBody,
            Self::MediaType(_) | Self::TensorType(_) | Self::ScanType(_) | Self::ContentEncoding => {
                ProblemKind::UnsupportedMediaType
            }
            Self::NotAcceptable => ProblemKind::NotAcceptable,
            Self::ForeignOrigin => ProblemKind::ForeignOrigin,
            Self::Misdirected => ProblemKind::Misdirected,
            Self::InvalidInput(_) => ProblemKind::InvalidInput,
            Self::Internal => ProblemKind::Internal,
            Self::QueueFull(_) | Self::Crowded => ProblemKind::QueueFull,
            Self::ModelFault(_) => ProblemKind::ModelFault,
            Self::Starting => ProblemKind::Starting,
            Self::Draining => ProblemKind::Draining,
            Self::DeviceFault => ProblemKind::DeviceFault,
            Self::DeadlineExceeded => ProblemKind::DeadlineExceeded,
        }
    }

    /// That a scan has more miRNAs, or transcripts, than it may.
    pub(super) fn too_many_to_scan(most: usize, what: &str) -> Self {
        Self::ScanTooLarge(format!(
            "a scan may have up to {most} {what}; send them in parts, or scan files with `mirador scan`"
        ))
    }

    /// That a scan has more windows and sites to look at than it may.
    pub(super) fn too_many_windows(most: usize, lines: bool) -> Self {
        let remedy = if lines {
            "send fewer transcripts at once"
        } else {
            "ask for lines (Accept: application/x-ndjson)"
        };
        Self::ScanTooLarge(format!(
            "this scan has more than {most} windows and sites to look at; {remedy}, or scan files with `mirador scan`"
        ))
    }

    /// That a miRNA has more sites on a transcript than are looked at.
    pub(super) fn repeat(transcript: &str, mirna: &str, most: usize) -> Self {
        Self::ScanTooLarge(format!(
            "{mirna} has more than {most} windows and sites to look at on {transcript}: mask its repeats with N"
        ))
    }

    /// That a reply would be longer than it may.
    pub(super) fn reply_too_long(most: usize) -> Self {
        Self::ScanTooLarge(format!(
            "the reply would take more than {most} bytes; ask for lines (Accept: application/x-ndjson), or without sites (sites=false)"
        ))
    }

    fn detail(&self) -> String {
        match self {
            Self::Malformed(Errors { all: 1, first, .. }) => first.iter().map(|error| error.detail.clone()).collect(),
            Self::BadHeader(detail) | Self::ScanTooLarge(detail) | Self::Job(_, detail) => detail.clone(),
            Self::Unauthorized => {
                "a known key is needed: Authorization: Bearer KEY, or X-API-Key: KEY".into()
            }
            Self::Forbidden(scope) => format!("this key lacks the scope {scope}"),
            Self::RateLimited(rate) => {
                format!("too many requests; the next is answered in {} s", rate.retry_after())
            }
            Self::NotFound => "there is no such route; /docs lists what there is".into(),
            Self::UnknownModel(unknown) => unknown.to_string(),
            Self::MethodNotAllowed => {
                "this route does not take this method; the Allow header says which".into()
            }
            Self::BodyTooLarge(limit) => format!("a body may have up to {limit} bytes"),
            Self::TooManyRows(limit) => format!(
                "a request may have up to {limit} rows; send more as lines (application/x-ndjson) or in parts, or ask for lines of a table or FASTA file: Accept: application/x-ndjson"
            ),
            Self::TooMuchWork { model, rows: 0 } => format!(
                "one such row is more than {model} can do in one request; ask for fewer methods, or another model"
            ),
            Self::TooMuchWork { model, rows } => format!(
                "{model} takes up to {rows} rows in one request; send more as lines (application/x-ndjson) or in parts, or ask for lines of a table or FASTA file: Accept: application/x-ndjson"
            ),
            Self::SlowBody => "the body came too slowly; the connection is closed".into(),
            Self::NotAcceptable => {
                "Accept names no format that this answer can have; leave it out, or name one that the route lists".into()
            }
            Self::ForeignOrigin => {
                "a page of this origin may not ask this server; its operator can allow it by --cors-origin".into()
            }
            Self::Misdirected => "this server does not answer to the host that was asked for".into(),
            Self::MediaType(sent) => format!(
                "Content-Type is {}; it has to be application/json, application/x-ndjson, text/csv or text/tab-separated-values; for hairpins and promoters also text/x-fasta",
                named(sent)
            ),
            Self::TensorType(sent) => format!(
                "Content-Type is {}; it has to be application/json, or application/octet-stream with tensors behind the JSON",
                named(sent)
            ),
            Self::ScanType(sent) => format!(
                "Content-Type is {}; it has to be application/json, or multipart/form-data with FASTA files as the parts mirnas and transcripts",
                named(sent)
            ),
            Self::ContentEncoding => "Content-Encoding has to be gzip or zstd, or absent".into(),
            Self::Malformed(errors) | Self::InvalidInput(errors) => {
                let (values, are) = if errors.all == 1 { ("value", "is") } else { ("values", "are") };
                let named = if errors.all > MOST_ERRORS { "the first 100" } else { "each" };
                format!("{} {values} of the request {are} not acceptable; `errors` names {named}", errors.all)
            }
            Self::Internal => {
                "the server failed to answer; its log has the reason under this request_id".into()
            }
            Self::QueueFull(_) => "too many rows are waiting; try again after Retry-After seconds".into(),
            Self::Crowded => "too many connections are at work; try again after Retry-After seconds".into(),
            Self::ModelFault(model) => format!("{model} fails and is being built anew; ask another model, or later"),
            Self::Starting => "the models are being loaded; try again after Retry-After seconds".into(),
            Self::Draining => "the server is shutting down; ask another one".into(),
            Self::DeviceFault => "the device is broken and the server ends; try another one".into(),
            Self::DeadlineExceeded => {
                "the work was not done within X-Deadline-Ms and has been dropped".into()
            }
        }
    }

    /// Writes this problem into the response that carries it; other headers, such as `Allow`, stay.
    pub(super) fn render(self, response: &mut Response, request_id: &str, path: &str) {
        let kind = self.kind();
        *response.status_mut() = kind.status();
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        match &self {
            Self::RateLimited(rate) => {
                rate.write(headers);
                headers.insert(header::RETRY_AFTER, rate.retry_after().into());
            }
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::QueueFull(seconds) => {
                headers.insert(header::RETRY_AFTER, (*seconds).max(RETRY_AFTER_S).into());
            }
            Self::Job(ProblemKind::TooManyJobs, _) => {
                headers.insert(header::RETRY_AFTER, RETRY_JOB_S.into());
            }
            _ if kind.status() == StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, RETRY_AFTER_S.into());
            }
            _ => {}
        }
        let body =
            serde_json::to_vec(&self.body(request_id, path)).expect("strings and numbers always serialise");
        *response.body_mut() = Body::from(body);
    }

    /// What is said of it to the caller who asked for `path`.
    pub(super) fn body(self, request_id: &str, path: &str) -> ProblemBody {
        let (kind, mut detail) = (self.kind(), self.detail());
        shorten(&mut detail, LONGEST_DETAIL);
        let errors = match self {
            Self::Malformed(errors) | Self::InvalidInput(errors) => errors,
            _ => Errors::default(),
        };
        let mut body = ProblemBody {
            kind,
            title: kind.title(),
            status: kind.status().as_u16(),
            detail,
            request_id: request_id.to_owned(),
            more_errors: Some(errors.more()).filter(|more| *more > 0),
            errors: errors.first,
            error: None,
        };
        if path.starts_with("/v2") {
            let each = body.errors.iter().map(|error| format!("; {}: {}", error.pointer, error.detail));
            body.error = Some(body.detail.clone() + &each.collect::<String>());
        }
        body
    }

    /// What a bare refusal of the router or of a third party's handler means.
    pub(super) fn from_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::BAD_REQUEST => Some(Self::BadHeader("the path or the query cannot be read".into())),
            StatusCode::NOT_FOUND => Some(Self::NotFound),
            StatusCode::METHOD_NOT_ALLOWED => Some(Self::MethodNotAllowed),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Some(Self::ContentEncoding),
            StatusCode::RANGE_NOT_SATISFIABLE => {
                let detail = "the results end before that; Content-Range says how many bytes they have";
                Some(Self::Job(ProblemKind::RangeNotSatisfiable, detail.into()))
            }
            StatusCode::INTERNAL_SERVER_ERROR => Some(Self::Internal),
            _ => None,
        }
    }
}

/// Status only: `envelope` writes the rest.
/// A media type in a sentence.
fn named(sent: &str) -> String {
    match sent {
        "" => "missing".into(),
        _ => shown(sent),
    }
}

/// A caller's word in quotes, or its beginning: a message is no longer than its request, and never long.
pub(super) fn shown(word: &str) -> String {
    format!("{:?}", word.chars().take(MOST_ECHOED).collect::<String>())
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.kind().status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<UnknownModel> for Problem {
    fn from(error: UnknownModel) -> Self {
        Self::UnknownModel(error)
    }
}

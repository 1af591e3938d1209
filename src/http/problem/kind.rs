//! The kinds of problems: stable names that clients may compare, one status and title each.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Media type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Stable names of the kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, strum::EnumIter)]
pub enum ProblemKind {
    /// Not JSON, a wrong type, an unknown or missing field, a header that cannot be read.
    #[serde(rename = "urn:mirador:problem:malformed-request")]
    MalformedRequest,
    /// No key, or none that is known.
    #[serde(rename = "urn:mirador:problem:unauthorized")]
    Unauthorized,
    /// The key does not allow this.
    #[serde(rename = "urn:mirador:problem:forbidden")]
    Forbidden,
    /// A page of an origin that is not listed.
    #[serde(rename = "urn:mirador:problem:foreign-origin")]
    ForeignOrigin,
    /// The request is for another host.
    #[serde(rename = "urn:mirador:problem:misdirected")]
    Misdirected,
    /// The caller asks too often.
    #[serde(rename = "urn:mirador:problem:rate-limited")]
    RateLimited,
    /// No such route.
    #[serde(rename = "urn:mirador:problem:not-found")]
    NotFound,
    /// No such model or version.
    #[serde(rename = "urn:mirador:problem:unknown-model")]
    UnknownModel,
    /// The route takes other methods.
    #[serde(rename = "urn:mirador:problem:method-not-allowed")]
    MethodNotAllowed,
    /// More bytes than the limit.
    #[serde(rename = "urn:mirador:problem:body-too-large")]
    BodyTooLarge,
    /// More rows than the limit.
    #[serde(rename = "urn:mirador:problem:too-many-rows")]
    TooManyRows,
    /// More rows than this model can score while the server drains.
    #[serde(rename = "urn:mirador:problem:too-much-work")]
    TooMuchWork,
    /// The server keeps no jobs, or no list of them.
    #[serde(rename = "urn:mirador:problem:no-jobs")]
    NoJobs,
    /// No such job.
    #[serde(rename = "urn:mirador:problem:unknown-job")]
    UnknownJob,
    /// The job was there and has expired.
    #[serde(rename = "urn:mirador:problem:expired-job")]
    ExpiredJob,
    /// The job is not in the state for that, or its `Idempotency-Key` is another's.
    #[serde(rename = "urn:mirador:problem:conflict")]
    Conflict,
    /// As many jobs have not ended as one caller may have.
    #[serde(rename = "urn:mirador:problem:too-many-jobs")]
    TooManyJobs,
    /// No room on the disk, or in the caller's part of it.
    #[serde(rename = "urn:mirador:problem:insufficient-storage")]
    InsufficientStorage,
    /// The results have no such bytes.
    #[serde(rename = "urn:mirador:problem:range-not-satisfiable")]
    RangeNotSatisfiable,
    /// The body came too slowly.
    #[serde(rename = "urn:mirador:problem:slow-body")]
    SlowBody,
    /// Another content type than the route takes.
    #[serde(rename = "urn:mirador:problem:unsupported-media-type")]
    UnsupportedMediaType,
    /// No format that the caller accepts.
    #[serde(rename = "urn:mirador:problem:not-acceptable")]
    NotAcceptable,
    /// Well-formed, but a sequence or number is not acceptable.
    #[serde(rename = "urn:mirador:problem:invalid-input")]
    InvalidInput,
    /// Something broke in the server.
    #[serde(rename = "urn:mirador:problem:internal")]
    Internal,
    /// No room for the rows now.
    #[serde(rename = "urn:mirador:problem:queue-full")]
    QueueFull,
    /// The model fails and is being built anew.
    #[serde(rename = "urn:mirador:problem:model-fault")]
    ModelFault,
    /// Models are being loaded.
    #[serde(rename = "urn:mirador:problem:starting")]
    Starting,
    /// The server is shutting down.
    #[serde(rename = "urn:mirador:problem:draining")]
    Draining,
    /// The device that the networks run on is broken.
    #[serde(rename = "urn:mirador:problem:device-fault")]
    DeviceFault,
    /// `X-Deadline-Ms` passed.
    #[serde(rename = "urn:mirador:problem:deadline-exceeded")]
    DeadlineExceeded,
}

impl ProblemKind {
    /// The HTTP status, and the kind in a few words.
    fn row(self) -> (StatusCode, &'static str) {
        match self {
            Self::MalformedRequest => (StatusCode::BAD_REQUEST, "The request is malformed"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "A key is needed"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "The key does not allow this"),
            Self::ForeignOrigin => (StatusCode::FORBIDDEN, "The origin is not listed"),
            Self::Misdirected => (StatusCode::MISDIRECTED_REQUEST, "The host is not this one"),
            Self::RateLimited => (StatusCode::TOO_MANY_REQUESTS, "Too many requests"),
            Self::NotFound => (StatusCode::NOT_FOUND, "There is no such route"),
            Self::UnknownModel => (StatusCode::NOT_FOUND, "There is no such model"),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::TooManyRows => (StatusCode::PAYLOAD_TOO_LARGE, "The request has too many rows"),
            Self::TooMuchWork => (StatusCode::PAYLOAD_TOO_LARGE, "The request is too much work"),
            Self::NoJobs => (StatusCode::NOT_FOUND, "This server keeps no such list of jobs"),
            Self::UnknownJob => (StatusCode::NOT_FOUND, "There is no such job"),
            Self::ExpiredJob => (StatusCode::GONE, "The job has expired"),
            Self::Conflict => (StatusCode::CONFLICT, "The job is in the way of that"),
            Self::TooManyJobs => (StatusCode::TOO_MANY_REQUESTS, "Too many jobs have not ended"),
            Self::InsufficientStorage => (StatusCode::INSUFFICIENT_STORAGE, "There is no room on the disk"),
            Self::RangeNotSatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, "There are no such bytes"),
            Self::SlowBody => (StatusCode::REQUEST_TIMEOUT, "The body came too slowly"),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The content type is not supported")
            }
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "No acceptable format"),
            Self::InvalidInput => (StatusCode::UNPROCESSABLE_ENTITY, "The input is not acceptable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "The server failed"),
            Self::QueueFull => (StatusCode::SERVICE_UNAVAILABLE, "The queue is full"),
            Self::ModelFault => (StatusCode::SERVICE_UNAVAILABLE, "The model fails"),
            Self::Starting => (StatusCode::SERVICE_UNAVAILABLE, "The server is starting"),
            Self::Draining => (StatusCode::SERVICE_UNAVAILABLE, "The server is shutting down"),
            Self::DeviceFault => (StatusCode::SERVICE_UNAVAILABLE, "The device is broken"),
            Self::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "The deadline passed"),
        }
    }

    /// The kind's own part of the stable name.
    pub(crate) fn name(self) -> String {
        let name = serde_json::to_value(self).expect("a name always serialises");
        name.as_str().and_then(|name| name.rsplit(':').next()).unwrap_or_default().to_owned()
    }

    /// The HTTP status of this kind.
    pub(crate) fn status(self) -> StatusCode {
        self.row().0
    }

    /// The kind in a few words.
    pub(crate) fn title(self) -> &'static str {
        self.row().1
    }
}

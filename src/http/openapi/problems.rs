//! Which problems a route may answer with, and what each looks like there.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::Value;
use strum::IntoEnumIterator;
use utoipa::IntoResponses;
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};

use super::examples::{of_schema, rows};
use super::operations;
use crate::http::auth::needed;
use crate::http::problem::{ErrorCode, FieldError, PROBLEM_JSON, Problem, ProblemKind};
use crate::http::rate::RateStatus;
use crate::serving::UnknownModel;

/// What a route that scores rows may refuse with, for the OpenAPI document.
pub(crate) struct ScoringProblems;
/// What a route that looks something up by name may refuse with.
pub(crate) struct LookupProblems;
/// What a route that needs the models may refuse with.
pub(crate) struct ReadinessProblems;
/// What a route that needs nothing may refuse with.
pub(crate) struct BareProblems;
/// What a probe that needs nothing, not even a key, may refuse with.
pub(crate) struct LiveProblems;
/// What a probe that needs the models may refuse with.
pub(crate) struct ReadyProblems;

/// What taking a job may be refused with.
pub(crate) struct SubmitProblems;
/// What asking for a job may be refused with.
pub(crate) struct JobProblems;
/// What asking for the results of a job may be refused with.
pub(crate) struct ResultsProblems;
/// What asking for a list of jobs may be refused with.
pub(crate) struct JobListProblems;

/// What any route may refuse with that needs a key.
const ACCESS: [ProblemKind; 5] = [
    ProblemKind::Unauthorized,
    ProblemKind::Forbidden,
    ProblemKind::Misdirected,
    ProblemKind::RateLimited,
    ProblemKind::Internal,
];

impl IntoResponses for ScoringProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use ProblemKind::{
            BodyTooLarge, DeadlineExceeded, Draining, ForeignOrigin, InvalidInput, MalformedRequest,
            ModelFault, NotAcceptable, QueueFull, SlowBody, Starting, TooManyRows, TooMuchWork, UnknownModel,
            UnsupportedMediaType,
        };
        responses(&[
            &ACCESS[..],
            &[
                MalformedRequest,
                ForeignOrigin,
                UnknownModel,
                NotAcceptable,
                SlowBody,
                BodyTooLarge,
                TooManyRows,
            ],
            &[TooMuchWork, UnsupportedMediaType, InvalidInput, QueueFull, ModelFault, Starting, Draining],
            &[DeadlineExceeded],
        ])
    }
}

impl IntoResponses for SubmitProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use ProblemKind::{
            BodyTooLarge, Conflict, ForeignOrigin, InsufficientStorage, InvalidInput, MalformedRequest,
            NoJobs, SlowBody, Starting, TooManyJobs, UnknownModel, UnsupportedMediaType,
        };
        responses(&[
            &ACCESS,
            &[MalformedRequest, ForeignOrigin, NoJobs, UnknownModel, Conflict, SlowBody, BodyTooLarge],
            &[UnsupportedMediaType, InvalidInput, TooManyJobs, Starting, InsufficientStorage],
        ])
    }
}

impl IntoResponses for JobProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use ProblemKind::{ExpiredJob, ForeignOrigin, MalformedRequest, NoJobs, UnknownJob};
        responses(&[&ACCESS, &[MalformedRequest, ForeignOrigin, NoJobs, UnknownJob, ExpiredJob]])
    }
}

impl IntoResponses for ResultsProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use ProblemKind::{
            Conflict, ExpiredJob, MalformedRequest, NoJobs, NotAcceptable, RangeNotSatisfiable, UnknownJob,
        };
        let own = [MalformedRequest, NoJobs, UnknownJob, NotAcceptable, Conflict, ExpiredJob];
        responses(&[&ACCESS, &own, &[RangeNotSatisfiable]])
    }
}

impl IntoResponses for JobListProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[&ACCESS, &[ProblemKind::MalformedRequest, ProblemKind::NoJobs]])
    }
}

impl IntoResponses for LookupProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let own = [ProblemKind::MalformedRequest, ProblemKind::UnknownModel, ProblemKind::Starting];
        responses(&[&ACCESS, &own])
    }
}

impl IntoResponses for ReadinessProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[&ACCESS, &[ProblemKind::Starting]])
    }
}

impl IntoResponses for BareProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[&ACCESS])
    }
}

impl IntoResponses for LiveProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[&[ProblemKind::Misdirected, ProblemKind::Internal]])
    }
}

impl IntoResponses for ReadyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        use ProblemKind::{DeviceFault, Draining, Internal, Misdirected, ModelFault, Starting};
        responses(&[&[Misdirected, Internal, Starting, Draining, ModelFault, DeviceFault]])
    }
}

/// One response for each status; an example for each kind, which [`complete`] writes.
fn responses(kinds: &[&[ProblemKind]]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for kind in kinds.iter().copied().flatten() {
        by_status.entry(kind.status().as_u16()).or_default().push(*kind);
    }
    let describe = |kinds: &[ProblemKind]| {
        let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
        let examples = kinds.iter().map(|kind| (kind.name(), ExampleBuilder::new().summary(kind.title())));
        let schema = Ref::from_schema_name("ProblemBody");
        let content = ContentBuilder::new().schema(Some(schema)).examples_from_iter(examples).build();
        ResponseBuilder::new().description(titles.join("; ")).content(PROBLEM_JSON, content).build()
    };
    by_status.iter().map(|(status, kinds)| (status.to_string(), describe(kinds).into())).collect()
}

/// Writes the examples, as the route itself would answer.
pub(super) fn complete(api: &mut OpenApi) {
    let schemas = api.components.get_or_insert_default().schemas.clone();
    for (path, method, operation) in operations(api) {
        let place = place(operation, &schemas);
        for response in operation.responses.responses.values_mut() {
            let RefOr::T(response) = response else { continue };
            let Some(RefOr::T(content)) = response.content.get_mut(PROBLEM_JSON) else { continue };
            for (name, example) in &mut content.examples {
                let RefOr::T(Example { value, .. }) = example else { continue };
                let kind = ProblemKind::iter().find(|kind| kind.name() == *name);
                let problem = kind.and_then(|kind| example_of(kind, path, &method, &place));
                *value = problem.map(|problem| body(problem, path));
            }
        }
    }
}

fn body(problem: Problem, path: &str) -> Value {
    let body = problem.body("5f0c2a54-6b1f-4c5e-9c44-0b6f8d7f1b11", path);
    serde_json::to_value(body).expect("strings and numbers always serialise")
}

/// A sequence in a request to this route.
fn place(operation: &Operation, schemas: &BTreeMap<String, RefOr<Schema>>) -> String {
    let of_pairs = || "/pairs/0/mirna".to_owned();
    let Some(RefOr::T(request)) = &operation.request_body else { return of_pairs() };
    let Some(RefOr::T(json)) = request.content.get("application/json") else { return of_pairs() };
    let found = of_schema(json, schemas).and_then(|example| {
        let list = example.as_object()?.iter().find(|(_, value)| value.is_array())?.0;
        let row = rows(example)?.first()?.as_object()?;
        let field = row.iter().find(|(name, value)| *name != "id" && value.is_string())?.0;
        Some(format!("/{list}/0/{field}"))
    });
    // Tensors are read as rows, and their values named so.
    found.filter(|place| !place.starts_with("/inputs/")).unwrap_or_else(of_pairs)
}

/// A problem of this kind, as one request to this route may meet it.
fn example_of(kind: ProblemKind, path: &str, method: &Method, place: &str) -> Option<Problem> {
    let field = |code, detail: &str| FieldError::new(place.to_owned(), code, detail.into()).into();
    let tensors = path.starts_with("/v2");
    let jobs = |detail: &str| Problem::Job(kind, detail.into());
    Some(match kind {
        ProblemKind::MalformedRequest if method == Method::POST => {
            field(ErrorCode::MissingField, "this field has to be there")
        }
        ProblemKind::MalformedRequest => Problem::BadHeader("the path or the query cannot be read".into()),
        ProblemKind::Unauthorized => Problem::Unauthorized,
        ProblemKind::Forbidden => Problem::Forbidden(needed(path, method)),
        ProblemKind::ForeignOrigin => Problem::ForeignOrigin,
        ProblemKind::Misdirected => Problem::Misdirected,
        ProblemKind::RateLimited => Problem::RateLimited(RateStatus { limit: 60, remaining: 0, reset: 1 }),
        ProblemKind::UnknownModel => {
            let known = ["dmiso@balanced", "dmiso@paper"].map(str::to_owned).into();
            Problem::UnknownModel(UnknownModel { asked: "dmiso@best".into(), known })
        }
        ProblemKind::BodyTooLarge => Problem::BodyTooLarge(16 << 20),
        ProblemKind::TooManyRows => Problem::TooManyRows(10_000),
        ProblemKind::TooMuchWork => {
            Problem::TooMuchWork { model: "deepmirnatar@balanced".into(), rows: 1_000 }
        }
        ProblemKind::SlowBody => Problem::SlowBody,
        ProblemKind::UnsupportedMediaType if tensors => Problem::TensorType("text/plain".into()),
        ProblemKind::UnsupportedMediaType => Problem::MediaType("text/plain".into()),
        ProblemKind::NotAcceptable => Problem::NotAcceptable,
        ProblemKind::InvalidInput if path == "/v1/jobs" => {
            let detail = "callback may only be of an origin that this server lists (--callback-origin)";
            FieldError::new("/callback".into(), ErrorCode::Unsupported, detail.into()).into()
        }
        ProblemKind::InvalidInput => field(
            ErrorCode::InvalidLetter,
            "letter 'X' at position 4 is not a nucleotide; use A, C, G, U or T, or N for any base",
        ),
        ProblemKind::Internal => Problem::Internal,
        ProblemKind::QueueFull => Problem::QueueFull(1),
        ProblemKind::ModelFault => Problem::ModelFault("dmiso@balanced".into()),
        ProblemKind::Starting => Problem::Starting,
        ProblemKind::Draining => Problem::Draining,
        ProblemKind::DeviceFault => Problem::DeviceFault,
        ProblemKind::DeadlineExceeded => Problem::DeadlineExceeded,
        ProblemKind::NoJobs => jobs("this server keeps no jobs; its operator can turn them on by --jobs-dir"),
        ProblemKind::UnknownJob => jobs("there is no such job"),
        ProblemKind::ExpiredJob => jobs("the job has expired"),
        ProblemKind::Conflict => jobs("the job is RUNNING; it has results once it is COMPLETE"),
        ProblemKind::TooManyJobs => jobs("100 jobs have not ended; wait for one of them, or cancel one"),
        ProblemKind::InsufficientStorage => jobs("there is no room for more jobs on this server's disk"),
        ProblemKind::RangeNotSatisfiable => {
            jobs("the results end before that; Content-Range says how many bytes they have")
        }
        // A route that is listed is found, and takes the method that it is listed with.
        ProblemKind::NotFound | ProblemKind::MethodNotAllowed => return None,
    })
}

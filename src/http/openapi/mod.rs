//! `GET /openapi.json`: the contract, generated from the handlers.

mod common;
mod examples;
mod problems;

use std::sync::LazyLock;

use axum::http::{HeaderName, Method, header};
use bytes::Bytes;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::Operation;

pub(super) use problems::{
    BareProblems, JobListProblems, JobProblems, LiveProblems, LookupProblems, ReadinessProblems,
    ReadyProblems, ResultsProblems, ScoringProblems, SubmitProblems,
};

use super::problem::ProblemBody;

const DESCRIPTION: &str = "Answers the questions of microRNA biology with neural networks.\n\n\
    All sequences are 5'→3', in RNA or DNA letters of either case. Errors are RFC 9457 problem details.\n\n\
    Lines (`application/x-ndjson`) are answered while they come: read the reply while you write the request, or both \
    sides wait for each other for good. A reply that ends with a line `{\"error\": …, \"next_line\": n}` was not \
    finished: line n of the upload is the first without an answer.\n\n\
    A server may ask for a key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, and may bound how often a caller \
    asks; `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) then stand in every reply. Pages in browsers are \
    answered where the server lists their origin.";

/// What belongs to no route.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "mirador", description = DESCRIPTION),
    servers((url = ".")),
    components(schemas(ProblemBody)),
    tags(
        (name = "target sites", description = "Does this miRNA (or isomiR) bind this site?"),
        (name = "pre-miRNAs", description = "Is this hairpin a mirtron or a canonical pre-miRNA?"),
        (
            name = "expression",
            description = "What mRNA level do this promoter, this transcript and these miRNAs imply?",
        ),
        (name = "structure", description = "How do strands pair, and how firmly? No network answers here"),
        (
            name = "inference protocol",
            description = "The same for clients of the Open Inference Protocol 2 (KServe, Triton)",
        ),
        (name = "jobs", description = "Rows that are scored while nobody waits, where the server keeps jobs"),
        (name = "models", description = "What is served, and the cards"),
        (name = "service", description = "Health and description of the service"),
    ),
)]
struct Frame;

/// The document before the routes are added.
pub(super) fn frame() -> OpenApi {
    Frame::openapi()
}

/// What the handlers do not say themselves.
pub(super) fn complete(api: &mut OpenApi) {
    common::complete(api);
    examples::complete(api);
    problems::complete(api);
}

/// Every operation with its path and method.
fn operations(api: &mut OpenApi) -> impl Iterator<Item = (&str, Method, &mut Operation)> {
    api.paths.paths.iter_mut().flat_map(|(path, item)| {
        let methods = [
            (Method::GET, &mut item.get),
            (Method::POST, &mut item.post),
            (Method::DELETE, &mut item.delete),
        ];
        methods
            .into_iter()
            .filter_map(|(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}

/// Read the OpenAPI document
#[utoipa::path(
    get, path = "/openapi.json", tag = "service", operation_id = "openapi",
    responses((status = 200, body = Object, description = "This document"), BareProblems),
)]
pub(super) async fn openapi() -> ([(HeaderName, &'static str); 1], Bytes) {
    // Written once: replies that nobody takes share it.
    static DOCUMENT: LazyLock<Bytes> =
        LazyLock::new(|| crate::http::openapi().to_json().expect("the document always serialises").into());
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}

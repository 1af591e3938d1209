//! `GET /openapi.json`: the contract, generated from the handlers.

use std::sync::LazyLock;

use axum::Json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{OpenApi, RefOr, Response};
use utoipa::{Modify, OpenApi as _};

use super::problem::ProblemBody;
use super::problem_kind::BareProblems;

/// Headers of requests stand here and not among the parameters: a made-up deadline of 1 ms would make every client
/// that is generated to try parameters report a broken server.
const DESCRIPTION: &str = "Answers the questions of microRNA biology with neural networks.\n\n\
    All sequences are 5'→3', in RNA or DNA letters of either case. Errors are RFC 9457 problem details.\n\n\
    Every request may carry `X-Request-Id` (up to 128 visible ASCII characters; echoed in the reply) and \
    `traceparent` (W3C). A request that scores may carry `X-Deadline-Ms: N` (1 to 86400000): work not finished \
    after so many milliseconds is dropped and answered 504.\n\n\
    A server may ask for a key, as `Authorization: Bearer KEY` or `X-API-Key: KEY`, and may bound how often a caller \
    asks; `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) then stand in every reply.";

/// What the handlers do not say themselves.
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
        (
            name = "inference protocol",
            description = "The same for clients of the Open Inference Protocol 2 (KServe, Triton)",
        ),
        (name = "models", description = "What is served, and the cards"),
        (name = "service", description = "Health and description of the service"),
    ),
)]
struct Frame;

/// The document before the routes are added.
pub fn frame() -> OpenApi {
    Frame::openapi()
}

/// Headers that `envelope` gives to every reply, so that no handler has to repeat them.
pub struct CommonHeaders;

impl Modify for CommonHeaders {
    fn modify(&self, api: &mut OpenApi) {
        for operation in api.paths.paths.values_mut().flat_map(operations) {
            for (status, response) in &mut operation.responses.responses {
                let RefOr::T(response) = response else { continue };
                add_header(
                    response,
                    "X-Request-Id",
                    Type::String,
                    "The caller's `X-Request-Id`, or a new one",
                );
                if matches!(status.as_str(), "429" | "503") {
                    add_header(response, "Retry-After", Type::Integer, "Seconds after which to try again");
                }
            }
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut path.get, &mut path.post].into_iter().flatten()
}

fn add_header(response: &mut Response, name: &str, kind: Type, description: &str) {
    let schema = ObjectBuilder::new().schema_type(kind);
    let header = HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build();
    response.headers.insert(name.to_owned(), header.into());
}

/// Read the OpenAPI document
#[utoipa::path(
    get, path = "/openapi.json", tag = "service", operation_id = "openapi",
    responses((status = 200, body = Object, description = "This document"), BareProblems),
)]
pub async fn openapi() -> Json<&'static OpenApi> {
    static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(super::openapi);
    Json(&DOCUMENT)
}

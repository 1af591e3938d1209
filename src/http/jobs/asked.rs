//! What a request for jobs says in its URL and headers.

use axum::http::{HeaderMap, Uri};
use form_urlencoded::Serializer;
use utoipa::IntoParams;
use uuid::Uuid;

use super::document::page_token;
use super::operations::{OPERATIONS, Operation};
use crate::http::problem::{ErrorCode, FieldError, Problem, ProblemKind};
use crate::http::query;
use crate::jobs::Jobs;

const MOST_ON_PAGE: usize = 1000;
const ON_PAGE: usize = 100;
const LONGEST_KEY: usize = 255;

/// What is to be done with the body.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedSubmit {
    /// The route that the rows are put to, without `/v1/`.
    #[param(value_type = String, example = "target-sites/score", pattern = r"^(target-sites/(score|scan|explain)|pre-mirnas/(classify|explain)|expression/(predict|explain)|duplexes/fold|hairpins/fold)$")]
    pub operation: &'static Operation,
    /// URL that is told of the end, https and of an origin that the server lists: `{"id": …, "state": …}`, signed as
    /// Standard Webhooks says; up to five tries.
    #[param(required = false)]
    pub callback: Option<String>,
    /// The operation's own parameters.
    #[param(ignore)]
    pub query: String,
}

impl AskedSubmit {
    /// # Errors
    /// 400 without an operation, 422 for a callback that may not be told.
    pub(super) fn read(uri: &Uri, jobs: &Jobs) -> Result<Self, Problem> {
        let (mut operation, mut callback, mut rest) = (None, None, Serializer::new(String::new()));
        for (name, value) in query::pairs(uri)? {
            match name.as_str() {
                "operation" => {
                    let known = || OPERATIONS.map(|operation| operation.name).join(", ");
                    operation = Some(Operation::named(&value).ok_or_else(|| {
                        Problem::BadHeader(format!("operation has to be one of: {}", known()))
                    })?);
                }
                "callback" => callback = Some(value),
                _ => drop(rest.append_pair(&name, &value)),
            }
        }
        if let Some(url) = &callback {
            let refused =
                |detail| Problem::from(FieldError::new("/callback".into(), ErrorCode::Unsupported, detail));
            match jobs.callbacks() {
                None => {
                    return Err(refused(
                        "this server tells nobody of the ends of jobs; leave callback out".into(),
                    ));
                }
                Some(callbacks) => callbacks.check(url).map_err(|error| refused(error.to_string()))?,
            }
        }
        let missing =
            || Problem::BadHeader("operation= is missing: the route, as in target-sites/score".into());
        Ok(Self { operation: operation.ok_or_else(missing)?, callback, query: rest.finish() })
    }
}

/// Which of one's jobs.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AskedList {
    /// Most jobs of a page.
    #[param(required = false, minimum = 1, maximum = 1000, default = 100)]
    pub page_size: usize,
    /// `next_page_token` of the page before.
    #[param(required = false, rename = "page_token", value_type = String)]
    pub after: Option<(i64, Uuid)>,
}

impl AskedList {
    pub(super) fn read(uri: &Uri) -> Result<Self, Problem> {
        let bad = |detail: &str| Problem::BadHeader(detail.to_owned());
        let mut asked = Self { page_size: ON_PAGE, after: None };
        for (name, value) in query::pairs(uri)? {
            match name.as_str() {
                "page_size" => {
                    let size = value.parse().ok().filter(|size| (1..=MOST_ON_PAGE).contains(size));
                    asked.page_size =
                        size.ok_or_else(|| bad("page_size has to be a number from 1 to 1000"))?;
                }
                "page_token" => {
                    let after = page_token(&value);
                    asked.after = Some(after.ok_or_else(|| bad("page_token is none that a page gave"))?);
                }
                _ => return Err(query::unknown(&name, &["page_size", "page_token"])),
            }
        }
        Ok(asked)
    }
}

/// A job's id. What is none is no job's.
pub(super) fn id(text: &str) -> Result<Uuid, Problem> {
    // Other ways to write one are no names of ours.
    let id = Uuid::try_parse(text).ok().filter(|id| id.to_string() == text);
    id.ok_or_else(|| Problem::Job(ProblemKind::UnknownJob, "there is no such job".into()))
}

/// The caller's own name for a job.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let sane = key.to_str().ok().filter(|key| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    });
    match sane {
        Some(key) => Ok(Some(key.to_owned())),
        None => Err(Problem::BadHeader("Idempotency-Key has to be 1 to 255 visible ASCII characters".into())),
    }
}

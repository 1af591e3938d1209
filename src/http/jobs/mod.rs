//! `/v1/jobs`: rows that are scored while nobody waits. What a job is and how it is kept stands in [`crate::jobs`].

mod asked;
mod document;
mod operations;
mod refusal;
mod results;

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::Body;
use tokio::task::JoinHandle;

use super::openapi::{JobListProblems, JobProblems, ResultsProblems, SubmitProblems};
use super::problem::{Problem, ProblemKind};
use super::rate::Caller;
use super::scan::ScanForm;
use super::state::{AppState, Models};
use crate::jobs::{Jobs, JobsError, Order, Refusal, State as JobState};
use asked::{AskedList, AskedSubmit, id, idempotency_key};
use document::{JobDocument, JobList};

/// Opens the folder of jobs, where one is named, and has jobs done from now on until the server drains; the job that is
/// under way then has ended its turn when the handle is done.
pub fn start_jobs(state: &AppState) -> Result<Option<JoinHandle<()>>, JobsError> {
    let Some(jobs) = Jobs::open(&state.config().jobs)?.map(Arc::new) else { return Ok(None) };
    state.keep(jobs.clone());
    let (house, ends) = (jobs.clone(), jobs.clone());
    tokio::spawn(async move { house.keep_house().await });
    tokio::spawn(async move { ends.tell_ends().await });
    let (routes, draining) = (super::answering(state.clone()), state.clone());
    Ok(Some(tokio::spawn(crate::jobs::run(jobs, routes, async move { draining.drained().await }))))
}

/// Leave rows to be scored
///
/// The body is what the route takes that `operation` names, in any of its formats, and the query may have that route's own
/// parameters. JSON, tables and FASTA files are answered row by row too: a bad row costs only itself.
#[utoipa::path(
    post, path = "/v1/jobs", tag = "jobs", operation_id = "submit_job",
    params(
        AskedSubmit,
        ("Idempotency-Key" = Option<String>, Header, description = "The caller's name for the job, up to 255 visible ASCII characters: for 24 hours the same name and body mean the same job"),
    ),
    request_body(description = "As the operation takes it", content(
        (Object = "application/json", example = json!({"pairs": [{"id": "p1", "mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "AACUAUACAACCUACUACCUCA"}]})),
        (String = "application/x-ndjson", example = "{\"id\":\"p1\",\"mirna\":\"UGAGGUAGUAGGUUGUAUAGUU\",\"site\":\"AACUAUACAACCUACUACCUCA\"}\n"),
        (String = "text/csv", example = "id,mirna,site\np1,UGAGGUAGUAGGUUGUAUAGUU,AACUAUACAACCUACUACCUCA\n"),
        (String = "text/tab-separated-values", example = "id\tmirna\tsite\np1\tUGAGGUAGUAGGUUGUAUAGUU\tAACUAUACAACCUACUACCUCA\n"),
        (String = "text/x-fasta"),
        (ScanForm = "multipart/form-data"),
    )),
    responses(
        (status = 202, body = JobDocument, description = "It is kept, and will be done also if the server is killed", headers(
            ("Location" = String, description = "Where it is asked for"),
        )),
        SubmitProblems,
    ),
)]
pub(super) async fn submit(
    State(state): State<AppState>,
    Models(registry): Models,
    request: Request,
) -> Result<Response, Problem> {
    let jobs = jobs(&state)?;
    let AskedSubmit { operation, callback, query } = AskedSubmit::read(request.uri(), jobs)?;
    let headers = request.headers();
    let content_type = headers.get(header::CONTENT_TYPE).cloned();
    let content_type = content_type.unwrap_or(HeaderValue::from_static(""));
    let most = operation.check(&registry, state.config(), (&query, &content_type))?;
    let order = Order {
        owner: owner(&request),
        operation: operation.name,
        query,
        content_type: content_type.to_str().unwrap_or_default().to_owned(),
        idempotency_key: idempotency_key(headers)?,
        callback,
    };
    let body = request.into_body();
    if body.size_hint().lower() > most {
        return Err(Refusal::TooLarge(most).into());
    }
    let body = body.into_data_stream();
    let patience = Duration::from_secs(state.config().read_timeout_s.get().into());
    let upload = jobs.receive(&order, body, (most, patience)).await?;
    let jobs = jobs.clone();
    let job = to_its_end(async move { jobs.submit(order, upload).await }).await?;
    let place = [(header::LOCATION, format!("/v1/jobs/{}", job.id))];
    Ok((StatusCode::ACCEPTED, place, Json(JobDocument::of(&job))).into_response())
}

/// Ask how a job stands
#[utoipa::path(
    get, path = "/v1/jobs/{id}", tag = "jobs", operation_id = "read_job",
    params(("id" = String, Path, description = "The job's id", example = "0f8fad5b-d9cb-469f-a165-70867728950e")),
    responses((status = 200, body = JobDocument, description = "The job"), JobProblems),
)]
pub(super) async fn read(
    State(state): State<AppState>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<JobDocument>, Problem> {
    let job = jobs(&state)?.get(id(&name)?, &owner(&request)).await?;
    Ok(Json(JobDocument::of(&job)))
}

/// List one's jobs
///
/// Those of the caller's key, the newest first. A server without keys has no list: there, whoever knows a job's id may ask
/// for it.
#[utoipa::path(
    get, path = "/v1/jobs", tag = "jobs", operation_id = "list_jobs",
    params(AskedList),
    responses((status = 200, body = JobList, description = "A page of them"), JobListProblems),
)]
pub(super) async fn list(State(state): State<AppState>, request: Request) -> Result<Json<JobList>, Problem> {
    let jobs = jobs(&state)?;
    let owner = owner(&request);
    let asked = AskedList::read(request.uri())?;
    if owner.is_empty() {
        let detail = "without keys there is no list of jobs: ask for one by its id".into();
        return Err(Problem::Job(ProblemKind::NoJobs, detail));
    }
    let size = asked.page_size;
    Ok(Json(JobList::of(&jobs.list(&owner, asked.after, size + 1).await?, size)))
}

/// Read a job's results
///
/// A result for each row, in order, or what is wrong with it. Of lines, ranges of bytes can be asked for; other formats are
/// made of them. Those of a scan are lines.
#[utoipa::path(
    get, path = "/v1/jobs/{id}/results", tag = "jobs", operation_id = "read_job_results",
    params(
        ("id" = String, Path, description = "The job's id", example = "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("Range" = Option<String>, Header, description = "Of lines: `bytes=FIRST-LAST`"),
    ),
    responses(
        (status = 200, description = "All of them", content(
            (String = "application/x-ndjson", example = "{\"id\":\"p1\",\"probability\":0.9999999,\"interacts\":true,\"site_type\":\"8mer\",\"warnings\":[]}\n{\"line\":2,\"id\":\"p2\",\"errors\":[{\"pointer\":\"/site\",\"code\":\"empty_sequence\",\"detail\":\"the sequence is empty\"}]}\n"),
            (Object = "application/json"),
            (String = "text/csv"),
            (String = "text/tab-separated-values"),
        )),
        (status = 206, description = "The bytes that were asked for", content((String = "application/x-ndjson"))),
        (status = 304, description = "Not changed since `If-Modified-Since`"),
        ResultsProblems,
    ),
)]
pub(super) async fn results(
    State(state): State<AppState>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let jobs = jobs(&state)?;
    let job = jobs.get(id(&name)?, &owner(&request)).await?;
    if job.state != JobState::Complete {
        let detail = match job.state.is_end() {
            true => format!(
                "the job is {} and will have no results; its `problem`, if it has one, tells why",
                job.state
            ),
            false => format!("the job is {}; it has results once it is COMPLETE", job.state),
        };
        return Err(Problem::Job(ProblemKind::Conflict, detail));
    }
    let is_sent = request.method() != Method::HEAD;
    let response = results::send(&job, jobs.results(&job), request).await?;
    if is_sent && response.status().is_success() {
        jobs.were_read(&job);
    }
    Ok(response)
}

/// Cancel or delete a job
///
/// A job that has not ended is cancelled, and the reply tells how it stands then; one that has ended is deleted with its
/// results.
#[utoipa::path(
    delete, path = "/v1/jobs/{id}", tag = "jobs", operation_id = "remove_job",
    params(("id" = String, Path, description = "The job's id", example = "0f8fad5b-d9cb-469f-a165-70867728950e")),
    responses(
        (status = 200, body = JobDocument, description = "It is cancelled"),
        (status = 204, description = "It is deleted"),
        JobProblems,
    ),
)]
pub(super) async fn remove(
    State(state): State<AppState>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (jobs, id, owner) = (jobs(&state)?.clone(), id(&name)?, owner(&request));
    match to_its_end(async move { jobs.remove(id, &owner).await }).await? {
        Some(job) => Ok(Json(JobDocument::of(&job)).into_response()),
        None => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// What changes the table and the folder both is done whole, though the caller leaves in the midst of it.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Problem> {
    // A panic has told its reason already.
    Ok(tokio::spawn(work).await.map_err(|_| Problem::Internal)??)
}

fn jobs(state: &AppState) -> Result<&Arc<Jobs>, Problem> {
    let off = || "this server keeps no jobs; its operator can turn them on by --jobs-dir".to_owned();
    state.jobs().ok_or_else(|| Problem::Job(ProblemKind::NoJobs, off()))
}

/// Whose jobs they are: those of a key, or, where there are none, of whoever knows their ids.
fn owner(request: &Request) -> String {
    match Caller::of(request) {
        Caller::Key(name) => name.to_string(),
        Caller::Address(_) | Caller::Jobs => String::new(),
    }
}

//! What is said of a job.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::http::formats::to_json;
use crate::jobs::{Job, Rows, State};

/// A job.
#[derive(Debug, Serialize, ToSchema)]
#[schema(title = "Job", example = json!({
    "id": "0f8fad5b-d9cb-469f-a165-70867728950e", "state": "COMPLETE", "operation": "target-sites/score",
    "created": "2026-11-26T09:30:00Z", "started": "2026-11-26T09:30:00Z", "ended": "2026-11-26T09:31:12Z",
    "rows": {"read": 100_000, "done": 100_000, "failed": 3},
    "model": {
        "name": "pairmap", "version": "taught",
        "weights_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    "results": "/v1/jobs/0f8fad5b-d9cb-469f-a165-70867728950e/results",
}))]
pub(crate) struct JobDocument {
    /// A random UUID.
    #[schema(value_type = String, pattern = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    id: Uuid,
    /// Where it stands, in the words of GA4GH's Workflow Execution Service.
    state: State,
    /// The route that its rows are put to, without `/v1/`.
    #[schema(example = "target-sites/score")]
    operation: String,
    /// When it came, RFC 3339 in UTC.
    created: String,
    /// When its first row was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    started: Option<String>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ended: Option<String>,
    /// How many rows; of a scan, each miRNA on each transcript.
    rows: Rows,
    /// Who answers, settled when it began: it is not answered by others afterwards.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    model: Option<JobModel>,
    /// The model of repression that a scan asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    repression_model: Option<JobModel>,
    /// Why it failed, as RFC 9457 problem details.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    problem: Option<Value>,
    /// Where its results are, once it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    results: Option<String>,
}

/// Who answers a job.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct JobModel {
    /// Name of the model.
    name: String,
    /// The version.
    version: String,
    /// SHA-256 of the weights file.
    weights_sha256: String,
}

/// Some jobs, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// The caller's own.
    jobs: Vec<JobDocument>,
    /// For `page_token` of the next request; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_page_token: Option<String>,
}

impl JobDocument {
    /// What its caller may know of it.
    pub(super) fn of(job: &Job) -> Self {
        let model = |name: &str| {
            let model = job.models.as_ref()?.get(name)?;
            serde_json::from_value(model.clone()).ok()
        };
        Self {
            id: job.id,
            state: job.state,
            operation: job.operation.clone(),
            created: job.created.clone(),
            started: job.started.clone(),
            ended: job.ended.clone(),
            rows: job.rows,
            model: model("model"),
            repression_model: model("repression_model"),
            problem: job.problem.clone(),
            results: (job.state == State::Complete).then(|| format!("/v1/jobs/{}/results", job.id)),
        }
    }
}

impl JobList {
    /// A page of at most so many, of jobs of which one more shows that there is another page.
    pub(super) fn of(jobs: &[Job], size: usize) -> Self {
        let page = &jobs[..jobs.len().min(size)];
        let last = page.last().filter(|_| jobs.len() > size);
        Self {
            jobs: page.iter().map(JobDocument::of).collect(),
            next_page_token: last.map(|job| format!("{}.{}", job.created_ms, job.id)),
        }
    }
}

/// The job behind which a page begins.
pub(super) fn page_token(token: &str) -> Option<(i64, Uuid)> {
    let (created, id) = token.split_once('.')?;
    Some((created.parse().ok()?, Uuid::try_parse(id).ok()?))
}

/// The head of results as JSON: who answered, as a request's reply has it.
pub(super) fn head(job: &Job) -> Vec<u8> {
    let mut text = b"{".to_vec();
    if let Some(JobModel { name, version, .. }) = JobDocument::of(job).model {
        text.extend(br#""model":"#);
        to_json(&mut text, &serde_json::json!({"name": name, "version": version}));
        text.push(b',');
    }
    text.extend(br#""results":["#);
    text
}

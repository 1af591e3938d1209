//! Has the rows of jobs answered, one job after the other, by the routes that answer those of requests.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use metrics::counter;
use serde_json::{Value, json};
use tokio::fs::File;
use tokio::time::{sleep, timeout};
use tokio_util::io::ReaderStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::audit::Event;
use super::job::{Job, State};
use super::results::{EVERY, Results, Stopped};
use super::table::{self, ATTEMPTS};
use super::{Answerers, Jobs, Kept, Refusal, Resume};

/// Between two looks for a job, though nobody told of one.
const LOOK: Duration = Duration::from_secs(5);
/// Until a job for which there was no room is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// Until one is at which the model failed: a model that can be mended has been by then.
const LONG_PAUSE: Duration = Duration::from_secs(30);
/// Bytes of a body that are read at once.
const PART: usize = 64 * 1024;

/// What became of a turn.
enum Turn {
    Complete,
    Failed(State, Value),
    /// It waits again; whether it, or the model, was at fault.
    Again(bool),
    /// The caller gave it up.
    Canceled,
}

/// Scores the rows of jobs through `routes` until `stop` is over; the job that is under way then ends its turn by itself.
pub async fn run(jobs: Arc<Jobs>, routes: Router, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            match jobs.store.ask(table::claim).await {
                Ok(Some(job)) => return Some(job),
                Ok(None) => drop(timeout(LOOK, jobs.arrived.notified()).await),
                Err(error) => {
                    tracing::error!(%error, "no job can be begun");
                    sleep(LOOK).await;
                }
            }
            None
        };
        let job = tokio::select! {
            biased;
            () = &mut stop => return,
            job = next => job,
        };
        let Some(job) = job else { continue };
        if let Some(pause) = jobs.turn(&job, &routes).await {
            tokio::select! {
                () = &mut stop => return,
                () = sleep(pause) => {}
            }
        }
    }
}

impl Jobs {
    /// A job's turn; how long to wait before the next where it was of no use.
    async fn turn(&self, job: &Job, routes: &Router) -> Option<Duration> {
        let token = CancellationToken::new();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((job.id, token.clone()));
        let turn = match job.attempts >= ATTEMPTS {
            true => {
                let detail =
                    format!("{ATTEMPTS} times the server ended, or the model failed, at the same rows");
                Turn::Failed(State::SystemError, problem("internal", "The server failed", 500, &detail))
            }
            false => tokio::select! {
                turn = self.work(job, routes) => turn.unwrap_or_else(refused),
                () = token.cancelled() => Turn::Canceled,
            },
        };
        let id = job.id;
        let done = match &turn {
            Turn::Complete => self.end(job, State::Complete, None).await,
            Turn::Failed(state, problem) => self.end(job, *state, Some(problem)).await,
            Turn::Again(at_fault) => {
                let at_fault = *at_fault;
                self.store.ask(move |table| table::release(table, id, at_fault)).await
            }
            Turn::Canceled => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!(%error, job = %id, "what became of the job cannot be written down");
        }
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        // Given up while it was put back, it is nobody else's to take away.
        if matches!(turn, Turn::Canceled) || token.is_cancelled() {
            self.remove_files(id).await;
        }
        match turn {
            Turn::Again(at_fault) => Some(if at_fault { LONG_PAUSE } else { PAUSE }),
            _ => None,
        }
    }

    async fn end(&self, job: &Job, state: State, problem: Option<&Value>) -> Result<(), super::StoreError> {
        let (id, problem) = (job.id, problem.cloned());
        let audit = self.audit.clone();
        let ended = self.store.ask(move |table| {
            let ended = table::end(table, id, state, problem.as_ref())?;
            ended.iter().for_each(|job| audit.note(Event::Ended, job));
            Ok(ended.is_some())
        });
        let ended = ended.await?;
        let _ = tokio::fs::remove_file(self.path(Kept::Bodies, id)).await;
        // Given up at the last moment, it has no results either.
        if state != State::Complete || !ended {
            let _ = tokio::fs::remove_file(self.path(Kept::Results, id)).await;
        }
        Ok(())
    }

    /// Goes on where the last turn ended.
    async fn work(&self, job: &Job, routes: &Router) -> Result<Turn, Refusal> {
        let resume = Resume::after(job.rows.done, job.models.is_some());
        let body = File::open(self.path(Kept::Bodies, job.id)).await?;
        let request = Request::post(url(job))
            .header(header::CONTENT_TYPE, &job.content_type)
            .header(header::ACCEPT, "application/x-ndjson")
            .header("x-request-id", job.id.to_string())
            .extension(resume.clone())
            .body(Body::from_stream(ReaderStream::with_capacity(body, PART)));
        let request = request.map_err(|error| Refusal::Io(std::io::Error::other(error)))?;
        let Ok(response) = routes.clone().oneshot(request).await;
        if response.status() != StatusCode::OK {
            return Ok(not_answered(response.status(), response.into_body()).await);
        }
        let answerers = response.extensions().get().map_or(json!({}), |Answerers(who)| who.clone());
        if job.models.as_ref().is_some_and(|before| *before != answerers) {
            let detail = "the weights of its model have changed since it was begun; send it again";
            let problem = problem("model-fault", "The model fails", 503, detail);
            return Ok(Turn::Failed(State::SystemError, problem));
        }
        let (id, audit) = (job.id, self.audit.clone());
        let begun = self.store.ask(move |table| {
            let begun = table::begin(table, id, &answerers)?;
            begun.iter().for_each(|job| audit.note(Event::Started, job));
            Ok(begun.is_some())
        });
        if !begun.await? {
            return Ok(Turn::Canceled);
        }
        let mut results =
            Results::open(&self.path(Kept::Results, job.id), job.results_bytes, job.rows).await?;
        let mut reply = response.into_body().into_data_stream();
        let mut stopped = None;
        while stopped.is_none() {
            // What has come does not wait for what comes late.
            let patience = if results.waiting() > 0 { EVERY } else { Duration::MAX };
            match timeout(patience, reply.try_next()).await {
                Ok(Ok(Some(data))) => stopped = results.take(&data),
                Ok(Ok(None)) => break,
                Ok(Err(_)) => return Ok(Turn::Again(true)),
                Err(_) => {}
            }
            if results.is_due() && !self.save(job, &mut results, &resume).await? {
                return Ok(Turn::Canceled);
            }
        }
        if !self.save(job, &mut results, &resume).await? {
            return Ok(Turn::Canceled);
        }
        Ok(match stopped {
            Some(stopped) => ended_early(stopped),
            // As the routes have it of a table or a list: a broken export is not to look like a job well done. What a scan
            // has found may be nothing.
            None if results.rows.read == 0 && !job.operation.ends_with("/scan") => {
                let detail = "the body has no rows; at least one is needed";
                let problem = problem("invalid-input", "The request has invalid input", 422, detail);
                Turn::Failed(State::ExecutorError, problem)
            }
            None => Turn::Complete,
        })
    }

    /// Puts what there is of the results on the disk; `false`: the job was given up.
    async fn save(&self, job: &Job, results: &mut Results, resume: &Resume) -> Result<bool, Refusal> {
        self.space.check(&job.owner, results.waiting()).await?;
        let before = results.rows.done;
        results.save().await?;
        counter!("mirador_job_rows_total").increment(results.rows.done - before);
        results.rows.read = resume.read().max(results.rows.done);
        let (id, rows, bytes) = (job.id, results.rows, results.bytes);
        Ok(self.store.ask(move |table| table::advance(table, id, rows, bytes)).await?)
    }
}

/// The route, with the models that the job was begun with in place of names that may mean others by now.
fn url(job: &Job) -> String {
    let settled = |name: &str| job.models.as_ref().is_some_and(|models| models.get(name).is_some());
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(job.query.as_bytes()).filter(|(name, _)| !settled(name)) {
        query.append_pair(&name, &value);
    }
    for (name, model) in job.models.iter().flat_map(Value::as_object).flatten() {
        let part = |name: &str| model[name].as_str().unwrap_or_default().to_owned();
        query.append_pair(name, &format!("{}@{}", part("name"), part("version")));
    }
    format!("/v1/{}?{}", job.operation, query.finish())
}

/// What a refusal of the route means for the job.
async fn not_answered(status: StatusCode, body: Body) -> Turn {
    let problem = body.collect().await.ok().and_then(|text| serde_json::from_slice(&text.to_bytes()).ok());
    let problem = problem.unwrap_or_else(|| json!({"status": status.as_u16()}));
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Turn::Again(false),
        status if status.is_client_error() => Turn::Failed(State::ExecutorError, problem),
        _ => Turn::Failed(State::SystemError, problem),
    }
}

/// What it means that the route stopped before the last row.
fn ended_early(stopped: Stopped) -> Turn {
    let said = |words: &str| stopped.detail.clone().unwrap_or_else(|| words.to_owned());
    match stopped.error.as_str() {
        "draining" => Turn::Again(false),
        "broken_body" => {
            let detail = said("the body cannot be read to its end");
            let problem = problem("malformed-request", "The request is malformed", 400, &detail);
            Turn::Failed(State::ExecutorError, problem)
        }
        _ => Turn::Again(true),
    }
}

/// What it means that the disk or the table failed.
fn refused(refusal: Refusal) -> Turn {
    tracing::error!(error = %refusal, "a job cannot go on");
    let detail = refusal.to_string();
    let problem = match refusal {
        Refusal::Full | Refusal::Quota(_) => {
            problem("insufficient-storage", "There is no room on the disk", 507, &detail)
        }
        _ => {
            let detail = "the server failed to keep the job; its log has the reason";
            problem("internal", "The server failed", 500, detail)
        }
    };
    Turn::Failed(State::SystemError, problem)
}

/// RFC 9457 problem details, where no route has written them.
fn problem(kind: &str, title: &str, status: u16, detail: &str) -> Value {
    json!({"type": format!("urn:mirador:problem:{kind}"), "title": title, "status": status, "detail": detail})
}

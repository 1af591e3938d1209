//! A job: what was asked for, and how far it is.

use serde::Serialize;
use serde_json::Value;
use strum::{Display, EnumIter, EnumString};
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a job stands, in the words of GA4GH's Workflow Execution Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, Display, EnumIter, EnumString)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// It waits for its turn.
    Queued,
    /// The rows are being scored.
    Running,
    /// All its rows were answered, some perhaps by what is wrong with them.
    Complete,
    /// The body, or what was asked of it, cannot be done; `problem` says why.
    ExecutorError,
    /// The server could not do it; `problem` says why.
    SystemError,
    /// The caller gave it up.
    Canceled,
}

/// How many rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rows {
    /// Read from the body.
    pub read: u64,
    /// Answered; their answers outlast the process.
    pub done: u64,
    /// Those of them that were answered by what is wrong with them.
    pub failed: u64,
}

/// What somebody wants done.
#[derive(Clone, Debug)]
pub struct Order {
    /// The name of the key; empty where there are none.
    pub owner: String,
    /// `target-sites/score`: the route, without `/v1/`.
    pub operation: &'static str,
    /// The route's own query.
    pub query: String,
    /// What the body is.
    pub content_type: String,
    /// The caller's own name for the job.
    pub idempotency_key: Option<String>,
    /// Whom to tell of its end.
    pub callback: Option<String>,
}

/// A job as it is kept.
#[derive(Clone, Debug)]
pub struct Job {
    /// A random UUID.
    pub id: Uuid,
    /// As in its order.
    pub owner: String,
    /// As in its order.
    pub operation: String,
    /// As in its order.
    pub query: String,
    /// As in its order.
    pub content_type: String,
    /// Where it stands.
    pub state: State,
    /// How often it was begun without a row's being done.
    pub attempts: u32,
    /// How far it is.
    pub rows: Rows,
    /// Bytes of its results that are known to be whole.
    pub results_bytes: u64,
    /// Who answers, by the name of the query's parameter: known once it has begun.
    pub models: Option<Value>,
    /// Why it failed, as RFC 9457 problem details.
    pub problem: Option<Value>,
    /// When it came, RFC 3339 in UTC.
    pub created: String,
    /// When its first row was begun.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// When it came, in ms since 1970.
    pub created_ms: i64,
}

impl State {
    /// Whether nothing more happens to it.
    pub fn is_end(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

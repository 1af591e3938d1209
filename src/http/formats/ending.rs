//! Why a stream of lines ends before its upload, and the line that says so.

use serde::Serialize;

/// Why a stream ends before its upload.
#[derive(Clone, Copy, Debug, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Ending {
    /// The server is shutting down; another one goes on.
    Draining,
    /// `X-Deadline-Ms` passed.
    DeadlineExceeded,
    /// The upload broke off, came too slowly, or is not compressed as it says.
    BrokenBody,
    /// More lines than `--max-lines`.
    TooManyLines,
    /// So many bad or blank lines that this is no stream of rows.
    NoRows,
    /// The model fails.
    ModelFault,
    /// The caller's key was taken away.
    Unauthorized,
}

/// The last line of such a stream.
#[derive(Serialize)]
pub(super) struct LastLine {
    /// The name of the reason.
    pub error: String,
    /// From 1: what was not answered begins here.
    pub next_line: usize,
    /// What is known of the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

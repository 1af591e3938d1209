//! Who had what done: a JSON object a line, appended to a file that nobody else writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use super::job::{Job, Rows, State};

/// What happened to a job.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It was taken.
    Submitted,
    /// The first row was begun, or it went on after the server had ended.
    Started,
    /// All of it was done, or it failed.
    Ended,
    /// The caller gave it up.
    Canceled,
    /// The results were sent.
    Read,
    /// The caller took it away.
    Deleted,
    /// The time for which it is kept was over.
    Expired,
}

#[derive(Serialize)]
struct Line<'a> {
    /// RFC 3339, in UTC.
    time: String,
    event: Event,
    job: Uuid,
    /// The key's name.
    key: Option<&'a str>,
    operation: &'a str,
    state: State,
    rows: Rows,
    /// With the digests of their weights.
    models: Option<&'a Value>,
}

/// The file.
pub(super) struct Audit {
    path: PathBuf,
    file: Mutex<File>,
}

impl Audit {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        let file = Mutex::new(append(&path)?);
        Ok(Self { path, file })
    }

    /// From now on writes to the file that has the name now: somebody moved the old one away.
    pub(super) fn reopen(&self) -> io::Result<()> {
        let file = append(&self.path)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = file;
        Ok(())
    }

    pub(super) fn note(&self, event: Event, job: &Job) {
        let line = Line {
            time: OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default(),
            event,
            job: job.id,
            key: Some(job.owner.as_str()).filter(|owner| !owner.is_empty()),
            operation: &job.operation,
            state: job.state,
            rows: job.rows,
            models: job.models.as_ref(),
        };
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        // One write, so that no line is torn.
        let written = self.file.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text);
        if let Err(error) = written {
            tracing::error!(%error, job = %job.id, ?event, "the audit log cannot be written");
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

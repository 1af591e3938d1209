//! What is done with the table of jobs: each function is one step, whole or not at all.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use serde_json::Value;
use uuid::Uuid;

use super::job::{Job, Order, Rows, State};

/// For so long a caller's own name for a job means that job.
const IDEMPOTENT_MS: i64 = 24 * 3600 * 1000;
/// Begun so often without a row's being done, a job is begun no more.
pub(super) const ATTEMPTS: u32 = 3;
/// That a job was there and has expired is known for so long.
const REMEMBERED_MS: i64 = 30 * 24 * 3600 * 1000;
/// Times as RFC 3339 has them.
const COLUMNS: &str = "id, owner, operation, query, content_type, state, attempts, rows_read, rows_done, rows_failed, \
    results_bytes, models, problem, created, strftime('%FT%TZ', created / 1000, 'unixepoch'), \
    strftime('%FT%TZ', started / 1000, 'unixepoch'), strftime('%FT%TZ', ended / 1000, 'unixepoch')";

/// What became of an order.
pub(super) enum Ordered {
    /// A job of its own.
    New(Job),
    /// The job that the same order was made for before.
    Same(Job),
    /// Another body, or another question, under the same name.
    Conflict,
    /// The job that the order repeats is there no more, and its body was not kept.
    Gone,
    /// The owner has as many jobs that have not ended as may be.
    TooMany,
}

/// What there is of a job.
pub(super) enum Found {
    /// It is there.
    Job(Box<Job>),
    /// It was there.
    Expired,
    /// Nothing.
    Nothing,
}

/// What [`remove`] did.
pub(super) enum Removed {
    /// It had not ended, and does not go on.
    Canceled(Box<Job>),
    /// It had ended, and is there no more.
    Deleted(Box<Job>),
    /// It was there.
    Expired,
    /// There is no such job.
    Nothing,
}

/// Somebody who is to be told of a job's end.
pub(super) struct Due {
    pub id: Uuid,
    pub state: State,
    pub url: String,
    /// How often it was tried before.
    pub tries: u32,
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn job(row: &Row<'_>) -> Result<Job> {
    let json = |index: usize| -> Result<Option<Value>> {
        let text: Option<String> = row.get(index)?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| wrong(index, error))
    };
    let (id, state): (String, String) = (row.get(0)?, row.get(5)?);
    Ok(Job {
        id: id.parse().map_err(|error| wrong(0, error))?,
        owner: row.get(1)?,
        operation: row.get(2)?,
        query: row.get(3)?,
        content_type: row.get(4)?,
        state: state.parse().map_err(|error| wrong(5, error))?,
        attempts: row.get(6)?,
        rows: Rows { read: row.get(7)?, done: row.get(8)?, failed: row.get(9)? },
        results_bytes: row.get(10)?,
        models: json(11)?,
        problem: json(12)?,
        created_ms: row.get(13)?,
        created: row.get(14)?,
        started: row.get(15)?,
        ended: row.get(16)?,
    })
}

fn wrong(index: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Text, Box::new(error))
}

fn by_id(table: &Connection, id: Uuid) -> Result<Option<Job>> {
    let text = format!("SELECT {COLUMNS} FROM job WHERE id = ?");
    table.query_row(&text, [id.to_string()], job).optional()
}

/// Takes an order. `digest` tells it from others of the same name; `bytes`: of its body, where that lies on the disk.
pub(super) fn order(
    table: &mut Connection,
    (id, order): (Uuid, &Order),
    (digest, bytes): (&str, Option<u64>),
    most: u32,
) -> Result<Ordered> {
    let begun = table.transaction()?;
    if let Some(key) = &order.idempotency_key {
        free(&begun, &order.owner, key)?;
        let known = "SELECT id, digest FROM job WHERE owner = ? AND idempotency_key = ?";
        let pair = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        if let Some((known, before)) = begun.query_row(known, params![order.owner, key], pair).optional()? {
            let known = known.parse().map_err(|error| wrong(0, error))?;
            return Ok(match by_id(&begun, known)?.filter(|_| before == digest) {
                Some(job) => Ordered::Same(job),
                None => Ordered::Conflict,
            });
        }
    }
    let Some(bytes) = bytes else { return Ok(Ordered::Gone) };
    if unended(&begun, &order.owner)? >= most {
        return Ok(Ordered::TooMany);
    }
    begun.execute(
        "INSERT INTO job (id, owner, operation, query, content_type, idempotency_key, digest, state, body_bytes, created, callback)
         VALUES (?, ?, ?, ?, ?, ?, ?, 'QUEUED', ?, ?, ?)",
        params![
            id.to_string(),
            order.owner,
            order.operation,
            order.query,
            order.content_type,
            order.idempotency_key,
            digest,
            bytes,
            now(),
            order.callback
        ],
    )?;
    let job = by_id(&begun, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    begun.commit()?;
    Ok(Ordered::New(job))
}

/// A name means no job for ever, and none that came to nothing for want of something but its body: an order under its name
/// is another try.
fn free(table: &Connection, owner: &str, key: &str) -> Result<()> {
    let text = "UPDATE job SET idempotency_key = NULL WHERE owner = ? AND idempotency_key = ?
        AND (created <= ? OR expired IS NOT NULL OR state IN ('CANCELED', 'SYSTEM_ERROR'))";
    table.execute(text, params![owner, key, now() - IDEMPOTENT_MS]).map(drop)
}

/// Whether an owner has a job by this name.
pub(super) fn is_known(table: &Connection, owner: &str, key: &str) -> Result<bool> {
    free(table, owner, key)?;
    let text = "SELECT 1 FROM job WHERE owner = ? AND idempotency_key = ?";
    Ok(table.query_row(text, [owner, key], |_| Ok(())).optional()?.is_some())
}

/// Jobs of an owner that have not ended.
pub(super) fn unended(table: &Connection, owner: &str) -> Result<u32> {
    let text = "SELECT count(*) FROM job WHERE owner = ? AND state IN ('QUEUED', 'RUNNING')";
    table.query_row(text, [owner], |row| row.get(0))
}

/// Bytes of an owner's jobs, and of all.
pub(super) fn bytes(table: &Connection, owner: &str) -> Result<[u64; 2]> {
    let text = "SELECT coalesce(sum(bytes) FILTER (WHERE owner = ?), 0), coalesce(sum(bytes), 0)
        FROM (SELECT owner, body_bytes + results_bytes AS bytes FROM job WHERE body_bytes + results_bytes > 0)";
    table.query_row(text, [owner], |row| Ok([row.get(0)?, row.get(1)?]))
}

/// An owner's job; another's is none.
pub(super) fn find(table: &Connection, id: Uuid, owner: &str) -> Result<Found> {
    let expired = "SELECT expired IS NOT NULL FROM job WHERE id = ? AND owner = ?";
    match table.query_row(expired, params![id.to_string(), owner], |row| row.get(0)).optional()? {
        None => Ok(Found::Nothing),
        Some(true) => Ok(Found::Expired),
        Some(false) => Ok(by_id(table, id)?.map_or(Found::Nothing, |job| Found::Job(Box::new(job)))),
    }
}

/// Some of an owner's jobs, the newest first, those behind `after`.
pub(super) fn list(
    table: &Connection,
    owner: &str,
    after: Option<(i64, Uuid)>,
    most: usize,
) -> Result<Vec<Job>> {
    let text = format!(
        "SELECT {COLUMNS} FROM job WHERE owner = ? AND expired IS NULL AND (created, id) < (?, ?)
         ORDER BY created DESC, id DESC LIMIT ?"
    );
    let (created, id) = after.map_or((i64::MAX, String::new()), |(created, id)| (created, id.to_string()));
    table.prepare(&text)?.query_map(params![owner, created, id, most], job)?.collect()
}

/// How many jobs there are in each state.
pub(super) fn counts(table: &Connection) -> Result<Vec<(String, u64)>> {
    let text = "SELECT state, count(*) FROM job WHERE expired IS NULL GROUP BY state";
    table.prepare(text)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The job whose turn it is: the oldest of whoever had no turn for the longest time. Nothing runs when this is asked: what
/// the table says to run has ended without a place on the disk for its end.
pub(super) fn claim(table: &mut Connection) -> Result<Option<Job>> {
    let begun = table.transaction()?;
    begun.execute("UPDATE job SET state = 'QUEUED' WHERE state = 'RUNNING'", [])?;
    let text = format!(
        "SELECT {COLUMNS} FROM job WHERE state = 'QUEUED' ORDER BY
         (SELECT started FROM job AS other WHERE other.owner = job.owner AND other.id <> job.id AND started IS NOT NULL
          ORDER BY started DESC LIMIT 1), created, id LIMIT 1"
    );
    let next = begun.query_row(&text, [], job).optional()?;
    if let Some(job) = &next {
        let text = "UPDATE job SET state = 'RUNNING', attempts = attempts + 1 WHERE id = ?";
        begun.execute(text, [job.id.to_string()])?;
    }
    begun.commit()?;
    Ok(next)
}

/// Settles who answers; nothing where the job was given up.
pub(super) fn begin(table: &Connection, id: Uuid, models: &Value) -> Result<Option<Job>> {
    let text = format!(
        "UPDATE job SET models = ?, started = coalesce(started, ?) WHERE id = ? AND state = 'RUNNING' RETURNING {COLUMNS}"
    );
    table.query_row(&text, params![models.to_string(), now(), id.to_string()], job).optional()
}

/// So much of the results is whole; `false`: the job was given up.
pub(super) fn advance(table: &Connection, id: Uuid, rows: Rows, results_bytes: u64) -> Result<bool> {
    // Only a row that is done shows that the job gets on.
    let text = "UPDATE job SET attempts = iif(?2 > rows_done, 0, attempts), rows_read = ?1, rows_done = ?2,
        rows_failed = ?3, results_bytes = ?4 WHERE id = ?5 AND state = 'RUNNING'";
    let Rows { read, done, failed } = rows;
    Ok(table.execute(text, params![read, done, failed, results_bytes, id.to_string()])? > 0)
}

/// Has a job wait again. One that was not at fault was not begun.
pub(super) fn release(table: &Connection, id: Uuid, at_fault: bool) -> Result<()> {
    let text =
        "UPDATE job SET state = 'QUEUED', attempts = max(attempts - ?, 0) WHERE id = ? AND state = 'RUNNING'";
    table.execute(text, params![i32::from(!at_fault), id.to_string()]).map(drop)
}

/// Ends a job. Only what is complete has results; the body is needed no more. Nothing where it was given up.
pub(super) fn end(
    table: &Connection,
    id: Uuid,
    state: State,
    problem: Option<&Value>,
) -> Result<Option<Job>> {
    let text = format!(
        "UPDATE job SET state = ?1, problem = ?2, ended = ?3, body_bytes = 0,
         results_bytes = iif(?1 = 'COMPLETE', results_bytes, 0), callback_due = iif(callback IS NULL, NULL, ?3)
         WHERE id = ?4 AND state = 'RUNNING' RETURNING {COLUMNS}"
    );
    let problem = problem.map(Value::to_string);
    table.query_row(&text, params![state.to_string(), problem, now(), id.to_string()], job).optional()
}

/// Gives up a job that has not ended, or takes away one that has.
pub(super) fn remove(table: &mut Connection, id: Uuid, owner: &str) -> Result<Removed> {
    let begun = table.transaction()?;
    let job = match find(&begun, id, owner)? {
        Found::Job(job) => job,
        Found::Expired => return Ok(Removed::Expired),
        Found::Nothing => return Ok(Removed::Nothing),
    };
    let text = id.to_string();
    let removed = if job.state.is_end() {
        begun.execute("DELETE FROM job WHERE id = ?", [text])?;
        Removed::Deleted(job)
    } else {
        begun.execute(
            "UPDATE job SET state = 'CANCELED', ended = ?1, body_bytes = 0, results_bytes = 0,
             callback_due = iif(callback IS NULL, NULL, ?1) WHERE id = ?2",
            params![now(), text],
        )?;
        Removed::Canceled(Box::new(by_id(&begun, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?))
    };
    begun.commit()?;
    Ok(removed)
}

/// Marks what ended so long ago, and forgets what was marked long ago.
pub(super) fn expire(table: &Connection, ttl_ms: i64) -> Result<Vec<Job>> {
    let now = now();
    table.execute("DELETE FROM job WHERE expired <= ?", [now - REMEMBERED_MS])?;
    let text = format!(
        "UPDATE job SET expired = ?, body_bytes = 0, results_bytes = 0, callback = NULL, callback_due = NULL
         WHERE ended <= ? AND expired IS NULL RETURNING {COLUMNS}"
    );
    table.prepare(&text)?.query_map(params![now, now - ttl_ms], job)?.collect()
}

/// Jobs that need their bodies, and those that have results: all that may lie in the folder.
pub(super) fn kept(table: &Connection) -> Result<[Vec<String>; 2]> {
    let ids = |text: &str| -> Result<Vec<String>> {
        table.prepare(text)?.query_map([], |row| row.get(0))?.collect()
    };
    Ok([
        ids("SELECT id FROM job WHERE state = 'QUEUED'")?,
        ids("SELECT id FROM job WHERE expired IS NULL AND state IN ('QUEUED', 'COMPLETE')")?,
    ])
}

/// Who is to be told by now, the longest waiting first.
pub(super) fn due(table: &Connection) -> Result<Vec<Due>> {
    let text =
        "SELECT id, state, callback, callback_tries FROM job WHERE callback_due <= ? AND callback IS NOT NULL
        ORDER BY callback_due LIMIT 64";
    let due = |row: &Row<'_>| {
        let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(Due {
            id: id.parse().map_err(|error| wrong(0, error))?,
            state: state.parse().map_err(|error| wrong(1, error))?,
            url: row.get(2)?,
            tries: row.get(3)?,
        })
    };
    table.prepare(text)?.query_map([now()], due)?.collect()
}

/// Notes a try to tell somebody; `again`: when the next is, if there is one.
pub(super) fn told(table: &Connection, id: Uuid, again: Option<i64>) -> Result<()> {
    let text = "UPDATE job SET callback_tries = callback_tries + 1, callback_due = ?
        WHERE id = ? AND callback IS NOT NULL";
    table.execute(text, params![again, id.to_string()]).map(drop)
}

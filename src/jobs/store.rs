//! The table of jobs: SQLite in one file, whose connection belongs to one thread, as a replica does. What was told to be
//! done is on the disk.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::table;

/// A newer mirador has written the file.
const VERSION: u32 = 1;
const SCHEMA: &str = "
    CREATE TABLE job (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        operation TEXT NOT NULL,
        query TEXT NOT NULL,
        content_type TEXT NOT NULL,
        idempotency_key TEXT,
        digest TEXT NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        body_bytes INTEGER NOT NULL,
        results_bytes INTEGER NOT NULL DEFAULT 0,
        rows_read INTEGER NOT NULL DEFAULT 0,
        rows_done INTEGER NOT NULL DEFAULT 0,
        rows_failed INTEGER NOT NULL DEFAULT 0,
        models TEXT,
        problem TEXT,
        created INTEGER NOT NULL,
        started INTEGER,
        ended INTEGER,
        expired INTEGER,
        callback TEXT,
        callback_due INTEGER,
        callback_tries INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE UNIQUE INDEX job_by_key ON job (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX job_by_state ON job (state, created);
    CREATE INDEX job_by_owner ON job (owner, created);
    CREATE INDEX job_by_callback ON job (callback_due) WHERE callback_due IS NOT NULL;
    PRAGMA user_version = 1;
";
/// A month of jobs that are over must not slow those that wait down.
const INDICES: &str = "
    CREATE INDEX IF NOT EXISTS job_by_start ON job (owner, started);
    CREATE INDEX IF NOT EXISTS job_with_bytes ON job (owner, body_bytes, results_bytes)
        WHERE body_bytes + results_bytes > 0;
";

/// The table of jobs cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's word.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file is of a later version.
    #[error("a later version of mirador has written it")]
    Later,
    /// The thread has ended.
    #[error("the table of jobs is closed")]
    Closed,
}

impl StoreError {
    /// Whether there was no room on the disk.
    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull))
    }
}

type Task = Box<dyn FnOnce(&mut Connection) + Send>;

/// Hands tasks to the thread; they are done in order.
#[derive(Clone)]
pub(super) struct Store(Sender<Task>);

impl Store {
    /// Opens the file, or makes it, and starts the thread. A job that ran when a process ended waits again. Also tells
    /// whose files are needed.
    pub(super) fn open(path: &Path) -> Result<(Self, [Vec<String>; 2]), StoreError> {
        let mut connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        match connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))? {
            0 => {
                let begun = connection.transaction()?;
                begun.execute_batch(SCHEMA)?;
                begun.commit()?;
            }
            VERSION => {}
            _ => return Err(StoreError::Later),
        }
        connection.execute_batch(INDICES)?;
        connection.execute("UPDATE job SET state = 'QUEUED' WHERE state = 'RUNNING'", [])?;
        let kept = table::kept(&connection)?;
        let (tasks, waiting) = channel::<Task>();
        let work = move || waiting.into_iter().for_each(|task| task(&mut connection));
        thread::Builder::new().name("jobs".into()).spawn(work).map_err(|_| StoreError::Closed)?;
        Ok((Self(tasks), kept))
    }

    /// Has the thread do something and waits for what comes of it. It is done also where nobody waits any more.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let work = move |connection: &mut Connection| {
            let _ = tell.send(task(connection));
        };
        self.0.send(Box::new(work)).map_err(|_| StoreError::Closed)?;
        Ok(told.await.map_err(|_| StoreError::Closed)??)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;
    use uuid::Uuid;

    use super::super::job::{Order, Rows, State};
    use super::*;

    /// A table, where it lies, and an order for it.
    fn table_and_order() -> (TempDir, Store, Order) {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&folder.path().join("jobs.sqlite")).unwrap();
        let order = Order {
            owner: String::new(),
            operation: "target-sites/score",
            query: String::new(),
            content_type: String::new(),
            idempotency_key: None,
            callback: Some("https://lims.example".into()),
        };
        (folder, store, order)
    }

    #[tokio::test]
    async fn only_a_row_that_is_done_starts_the_count_of_attempts_anew() {
        let (_folder, store, order) = table_and_order();
        let id = Uuid::new_v4();
        let found = store.ask(move |table| {
            table::order(table, (id, &order), ("digest", Some(1)), 9)?;
            let mut found = Vec::new();
            for done in [0, 0, 1, 1] {
                found.extend(table::claim(table)?.map(|job| job.attempts));
                table::advance(table, id, Rows { read: 5, done, failed: 0 }, 0)?;
                table::release(table, id, true)?;
            }
            // Whose end found no place on the disk is begun again.
            found.extend(table::claim(table)?.map(|job| job.attempts));
            found.extend(table::claim(table)?.map(|job| job.attempts));
            Ok(found)
        });
        assert_eq!(found.await.unwrap(), [0, 1, 2, 0, 1, 2]);
    }

    #[tokio::test]
    async fn who_expired_is_told_no_more() {
        let (_folder, store, order) = table_and_order();
        let id = Uuid::new_v4();
        let due = store.ask(move |table| {
            table::order(table, (id, &order), ("digest", Some(1)), 9)?;
            table::claim(table)?;
            table::end(table, id, State::Complete, None)?;
            let before = table::due(table)?.len();
            table::expire(table, -1)?;
            // A try that was under way fails meanwhile.
            table::told(table, id, Some(0))?;
            Ok([before, table::due(table)?.len()])
        });
        assert_eq!(due.await.unwrap(), [1, 0]);
    }
}

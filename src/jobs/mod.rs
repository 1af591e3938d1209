//! Jobs: rows that are scored while nobody waits. A body is kept on the disk, its rows are answered by the same routes as
//! those of requests, a few at a time, and what is answered outlasts the process.
//!
//! ```text
//! receive ── body ──► uploads/ID ── submit ──► bodies/ID, and a row of the table
//!                                                  │ run: one job at a time, through the routes
//!                                              results/ID, and how much of it is whole, in the table
//! ```
//!
//! One process owns a folder of jobs. Names of files are ids, which are made here.

mod audit;
mod callback;
mod job;
mod results;
mod resume;
mod runner;
mod space;
mod store;
mod table;
mod upload;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use audit::Event;
pub use callback::{CallbackError, Callbacks, UrlError};
pub use job::{Job, Order, Rows, State};
pub use resume::{Answerers, Resume};
pub use runner::run;
pub use store::StoreError;
pub use upload::Upload;

use crate::config::JobsConfig;
use audit::Audit;
use space::Space;
use store::Store;
use table::{Found, Ordered, Removed};

/// All jobs of this process.
pub struct Jobs {
    dir: PathBuf,
    limits: JobsConfig,
    store: Store,
    space: Arc<Space>,
    /// Written on the thread of the table, so that its lines have the table's order.
    audit: Arc<Audit>,
    callbacks: Option<Callbacks>,
    /// Told that a job waits.
    arrived: Notify,
    /// The job whose rows are being scored, and what stops it.
    running: Mutex<Option<(Uuid, CancellationToken)>>,
    /// Held for as long as the folder is ours.
    _lock: File,
}

/// Jobs cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum JobsError {
    /// Somebody else does.
    #[error("--jobs-dir {}: another process keeps its jobs there", .0.display())]
    Taken(PathBuf),
    /// The folder, or a file in it, cannot be used.
    #[error("--jobs-dir {}: {cause}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The table cannot be used.
    #[error("--jobs-dir {}: {cause}", path.display())]
    Table {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        cause: StoreError,
    },
    /// The file of what was done cannot be written.
    #[error("--audit-log {}: {cause}", path.display())]
    Audit {
        /// Which.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Nobody could be told.
    #[error(transparent)]
    Callback(#[from] CallbackError),
}

/// Why a job is not taken, or not shown.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such job, or another's.
    #[error("there is no such job")]
    Unknown,
    /// It was there.
    #[error("the job has expired")]
    Expired,
    /// The body has more bytes than this.
    #[error("the body of a job of this operation and format may have up to {0} bytes")]
    TooLarge(u64),
    /// So many have not ended.
    #[error("{0} jobs have not ended; wait for one of them, or cancel one")]
    Waiting(u32),
    /// Bodies and results of the key's jobs would take more bytes than this.
    #[error(
        "the bodies and results of one key's jobs may have up to {0} bytes; delete some, then send the order again"
    )]
    Quota(u64),
    /// All together would, or the disk is full.
    #[error("there is no room for more jobs on this server's disk")]
    Full,
    /// Another body under the same name.
    #[error(
        "this Idempotency-Key was sent with another body, operation, query, callback or content type within 24 hours"
    )]
    Conflict,
    /// The job that the order repeats was taken away while its body came.
    #[error("the job of this Idempotency-Key was taken away meanwhile; send the order again")]
    Gone,
    /// The body came too slowly.
    #[error("the body came too slowly")]
    Slow,
    /// The body ended early, or is not what it says; perhaps with what is known of it.
    #[error("the body broke off")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// The table failed.
    #[error(transparent)]
    Store(StoreError),
    /// The disk failed.
    #[error(transparent)]
    Io(io::Error),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        if error.is_full() { Self::Full } else { Self::Store(error) }
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        if space::is_full(&error) { Self::Full } else { Self::Io(error) }
    }
}

/// Folders below that of the jobs.
#[derive(Clone, Copy)]
enum Kept {
    /// Bodies that are still coming.
    Uploads,
    /// Bodies of jobs that have not ended.
    Bodies,
    /// Results.
    Results,
}

impl Kept {
    fn name(self) -> &'static str {
        match self {
            Self::Uploads => "uploads",
            Self::Bodies => "bodies",
            Self::Results => "results",
        }
    }
}

/// Between two looks for what has expired; shorter where that is soon.
const LOOK: Duration = Duration::from_secs(60);

impl Jobs {
    /// Opens the folder, or makes it; `None` where none is named. What a process that was killed left half done is put
    /// in order.
    pub fn open(config: &JobsConfig) -> Result<Option<Self>, JobsError> {
        let Some(dir) = config.jobs_dir.clone() else { return Ok(None) };
        let broken = |path: PathBuf| move |cause| JobsError::Folder { path, cause };
        for folder in [Kept::Uploads, Kept::Bodies, Kept::Results] {
            let path = dir.join(folder.name());
            DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(broken(path))?;
        }
        let path = dir.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(broken(path.clone()))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => JobsError::Taken(dir.clone()),
            TryLockError::Error(cause) => JobsError::Folder { path, cause },
        })?;
        let path = dir.join("jobs.sqlite");
        let (store, kept) = Store::open(&path).map_err(|cause| JobsError::Table { path, cause })?;
        sweep(&dir, &kept).map_err(broken(dir.clone()))?;
        let path = config.audit_log.clone().unwrap_or_else(|| dir.join("audit.ndjson"));
        let audit = Arc::new(Audit::open(path.clone()).map_err(|cause| JobsError::Audit { path, cause })?);
        let space = Arc::new(Space::new(dir.clone(), store.clone(), config.clone()));
        Ok(Some(Self {
            dir,
            limits: config.clone(),
            store,
            space,
            audit,
            callbacks: Callbacks::open(config)?,
            arrived: Notify::new(),
            running: Mutex::default(),
            _lock: lock,
        }))
    }

    /// Takes an order with its body.
    pub async fn submit(&self, order: Order, upload: Upload) -> Result<Job, Refusal> {
        let digest = upload.digest_with(&order);
        let (id, bytes, most) = (upload.id, upload.bytes(), self.limits.jobs_max_waiting.get());
        let audit = self.audit.clone();
        let held = upload.keep(&self.path(Kept::Bodies, id)).await?;
        let ordered = self
            .store
            .ask(move |table| {
                let ordered = table::order(table, (id, &order), (&digest, bytes), most)?;
                if let Ordered::New(job) = &ordered {
                    audit.note(Event::Submitted, job);
                }
                Ok(ordered)
            })
            .await
            .map_err(Refusal::from);
        drop(held);
        if !matches!(ordered, Ok(Ordered::New(_))) {
            self.remove_files(id).await;
        }
        match ordered? {
            Ordered::New(job) => {
                self.arrived.notify_one();
                Ok(job)
            }
            Ordered::Same(job) => Ok(job),
            Ordered::Conflict => Err(Refusal::Conflict),
            Ordered::Gone => Err(Refusal::Gone),
            Ordered::TooMany => Err(Refusal::Waiting(most)),
        }
    }

    /// An owner's job.
    pub async fn get(&self, id: Uuid, owner: &str) -> Result<Job, Refusal> {
        let owner = owner.to_owned();
        match self.store.ask(move |table| table::find(table, id, &owner)).await? {
            Found::Job(job) => Ok(*job),
            Found::Expired => Err(Refusal::Expired),
            Found::Nothing => Err(Refusal::Unknown),
        }
    }

    /// Some of an owner's jobs, the newest first, those behind `after`.
    pub async fn list(
        &self,
        owner: &str,
        after: Option<(i64, Uuid)>,
        most: usize,
    ) -> Result<Vec<Job>, Refusal> {
        let owner = owner.to_owned();
        Ok(self.store.ask(move |table| table::list(table, &owner, after, most)).await?)
    }

    /// Gives up a job that has not ended, and tells how it stands then; or takes away one that has.
    pub async fn remove(&self, id: Uuid, owner: &str) -> Result<Option<Job>, Refusal> {
        let owner = owner.to_owned();
        let audit = self.audit.clone();
        let removed = self.store.ask(move |table| {
            let removed = table::remove(table, id, &owner)?;
            match &removed {
                Removed::Canceled(job) => audit.note(Event::Canceled, job),
                Removed::Deleted(job) => audit.note(Event::Deleted, job),
                Removed::Expired | Removed::Nothing => {}
            }
            Ok(removed)
        });
        match removed.await? {
            Removed::Canceled(job) => {
                // Whoever scores its rows takes its files away.
                if !self.stop(id) {
                    self.remove_files(id).await;
                }
                Ok(Some(*job))
            }
            Removed::Deleted(_) => {
                self.remove_files(id).await;
                Ok(None)
            }
            Removed::Expired => Err(Refusal::Expired),
            Removed::Nothing => Err(Refusal::Unknown),
        }
    }

    /// Where the results of a job lie that is complete.
    pub fn results(&self, job: &Job) -> PathBuf {
        self.path(Kept::Results, job.id)
    }

    /// Notes that they were sent.
    pub fn were_read(&self, job: &Job) {
        self.audit.note(Event::Read, job);
    }

    /// How many jobs there are in each state.
    pub async fn counts(&self) -> Result<Vec<(String, u64)>, Refusal> {
        Ok(self.store.ask(|table| table::counts(table)).await?)
    }

    /// Whom callbacks may go to.
    pub fn callbacks(&self) -> Option<&Callbacks> {
        self.callbacks.as_ref()
    }

    /// From now on writes what is done to the file that has the name now.
    pub fn reopen_audit(&self) {
        if let Err(error) = self.audit.reopen() {
            tracing::error!(%error, "the old audit log stays");
        }
    }

    /// Takes away what has expired, for as long as it is not dropped.
    pub async fn keep_house(&self) {
        let ttl = Duration::from_secs(self.limits.jobs_ttl_s.get().into());
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        loop {
            match self.store.ask(move |table| table::expire(table, ttl_ms)).await {
                Ok(jobs) => {
                    for job in jobs {
                        self.remove_files(job.id).await;
                        self.audit.note(Event::Expired, &job);
                    }
                }
                Err(error) => tracing::error!(%error, "old jobs cannot be taken away"),
            }
            sleep(LOOK.min(ttl)).await;
        }
    }

    /// Tells whoever is to be told of ends, for as long as it is not dropped.
    pub async fn tell_ends(&self) {
        if let Some(callbacks) = &self.callbacks {
            callbacks.deliver(&self.store).await;
        }
    }

    fn path(&self, folder: Kept, id: Uuid) -> PathBuf {
        self.dir.join(folder.name()).join(id.to_string())
    }

    async fn remove_files(&self, id: Uuid) {
        for folder in [Kept::Bodies, Kept::Results] {
            // It may have none.
            let _ = tokio::fs::remove_file(self.path(folder, id)).await;
        }
    }

    /// Stops the job if its rows are being scored.
    fn stop(&self, id: Uuid) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let token = running.as_ref().filter(|(running, _)| *running == id).map(|(_, token)| token);
        token.inspect(|token| token.cancel()).is_some()
    }
}

/// Takes away files that belong to no job: a process was killed between two steps.
fn sweep(dir: &Path, [bodies, results]: &[Vec<String>; 2]) -> io::Result<()> {
    for (folder, kept) in [(Kept::Uploads, &Vec::new()), (Kept::Bodies, bodies), (Kept::Results, results)] {
        for entry in fs::read_dir(dir.join(folder.name()))? {
            let entry = entry?;
            if !kept.iter().any(|id| entry.file_name() == id.as_str()) {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

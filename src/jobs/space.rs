//! How much the jobs may take of the disk: one key's, all together, and what is left free for others.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::statvfs;

use super::Refusal;
use super::store::Store;
use super::table;
use crate::config::JobsConfig;

/// Bytes that come before the table is asked once more.
const STEP: u64 = 1 << 20;

/// The disk, as far as jobs may have it.
pub(super) struct Space {
    dir: PathBuf,
    store: Store,
    limits: JobsConfig,
    /// Bytes of bodies that are still coming, by owner.
    coming: Mutex<HashMap<String, u64>>,
}

/// Bytes of a body that is coming; given back when it is dropped.
pub(super) struct Held {
    space: Arc<Space>,
    owner: String,
    bytes: u64,
    looked_at: Option<u64>,
}

impl Space {
    pub(super) fn new(dir: PathBuf, store: Store, limits: JobsConfig) -> Self {
        Self { dir, store, limits, coming: Mutex::default() }
    }

    /// Room for a body of which nothing has come yet.
    pub(super) fn hold(self: &Arc<Self>, owner: &str) -> Held {
        Held { space: self.clone(), owner: owner.to_owned(), bytes: 0, looked_at: None }
    }

    /// Whether there is room for so many bytes more.
    pub(super) async fn check(&self, owner: &str, more: u64) -> Result<(), Refusal> {
        let of = owner.to_owned();
        let [own, all] = self.store.ask(move |table| table::bytes(table, &of)).await?;
        let coming = self.coming.lock().unwrap_or_else(PoisonError::into_inner);
        let (own_coming, all_coming) =
            (coming.get(owner).copied().unwrap_or(0), coming.values().sum::<u64>());
        drop(coming);
        let quota = self.limits.jobs_max_bytes_of_key.get();
        if own + own_coming + more > quota {
            return Err(Refusal::Quota(quota));
        }
        if all + all_coming + more > self.limits.jobs_max_bytes.get() || self.free()? <= more {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Bytes of the disk that jobs may still take.
    fn free(&self) -> io::Result<u64> {
        let disk = statvfs(&self.dir)?;
        Ok((disk.f_bavail * disk.f_frsize).saturating_sub(self.limits.jobs_keep_free_bytes))
    }
}

impl Held {
    /// Takes room for so many bytes in all. Looks now and then; `last`: also now.
    pub(super) async fn grow(&mut self, bytes: u64, last: bool) -> Result<(), Refusal> {
        let more = bytes - self.bytes;
        *self
            .space
            .coming
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(self.owner.clone())
            .or_default() += more;
        self.bytes = bytes;
        if last || self.looked_at.is_none_or(|before| bytes - before >= STEP) {
            self.looked_at = Some(bytes);
            self.space.check(&self.owner, 0).await?;
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut coming = self.space.coming.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = coming.get_mut(&self.owner) {
            *bytes -= self.bytes;
            if *bytes == 0 {
                coming.remove(&self.owner);
            }
        }
    }
}

/// Whether the disk had no room.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
}

//! The results of a job while they are made: whole lines, and how many of them stand on the disk.

use std::io::{self, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::job::Rows;

/// Lines are put on the disk when so many bytes of them wait,
const WAITING: usize = 1 << 20;
/// or after so long a time: as much is done once more when the process is killed.
pub(super) const EVERY: Duration = Duration::from_millis(250);

/// The last line of a stream that ends before its upload.
#[derive(Debug, Deserialize)]
pub(super) struct Stopped {
    /// Why, in a word.
    pub error: String,
    /// What is known of it.
    pub detail: Option<String>,
}

/// A file of results.
pub(super) struct Results {
    file: File,
    /// Bytes that are known to be on the disk.
    pub bytes: u64,
    /// Rows of them.
    pub rows: Rows,
    /// Whole lines that are not.
    waiting: Vec<u8>,
    /// Rows of those.
    new: Rows,
    /// The beginning of a line.
    line: Vec<u8>,
    since: Instant,
}

impl Results {
    /// Opens a file, and forgets what stands behind the bytes that are known to be whole.
    pub(super) async fn open(path: &Path, bytes: u64, rows: Rows) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).await;
        let mut file = file?;
        if file.metadata().await?.len() < bytes {
            return Err(io::Error::other("the results are shorter than they were"));
        }
        file.set_len(bytes).await?;
        file.seek(SeekFrom::End(0)).await?;
        let (new, since) = (Rows::default(), Instant::now());
        Ok(Self { file, bytes, rows, waiting: Vec::new(), new, line: Vec::new(), since })
    }

    /// Takes some of the reply; what it ends with, where it ends too early.
    pub(super) fn take(&mut self, data: &[u8]) -> Option<Stopped> {
        for part in data.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if !part.ends_with(b"\n") {
                continue;
            }
            // Results begin with neither: theirs are an id, or what was scored.
            if self.line.starts_with(br#"{"error":"#) {
                return serde_json::from_slice(&self.line).ok();
            }
            self.new.done += 1;
            self.new.failed += u64::from(self.line.starts_with(br#"{"line":"#));
            self.waiting.append(&mut self.line);
        }
        None
    }

    /// Whether it is time to put lines on the disk.
    pub(super) fn is_due(&self) -> bool {
        !self.waiting.is_empty() && (self.waiting.len() >= WAITING || self.since.elapsed() >= EVERY)
    }

    /// Bytes that wait.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.len() as u64
    }

    /// Puts all whole lines on the disk.
    pub(super) async fn save(&mut self) -> io::Result<()> {
        self.file.write_all(&self.waiting).await?;
        self.file.flush().await?;
        self.file.sync_data().await?;
        self.bytes += self.waiting();
        self.waiting.clear();
        self.rows.done += self.new.done;
        self.rows.failed += self.new.failed;
        (self.new, self.since) = (Rows::default(), Instant::now());
        Ok(())
    }
}

//! The body of a job while it comes: counted, digested, and on the disk before it is promised to be done.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use ring::digest::{Context, SHA256};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use super::job::Order;
use super::space::Held;
use super::{Jobs, Kept, Refusal, table};

/// Bytes a second that a body has to bring, on average, once the patience is over. Bodies of requests have such a bound
/// too, lines excepted, which are answered while they come; here nobody answers them.
const SLOWEST: f64 = 16.0 * 1024.0;

/// A body that has come.
pub struct Upload {
    pub(super) id: Uuid,
    digest: Context,
    /// None where the order was known when it began: such a body is compared, and takes no room.
    kept: Option<Body>,
}

/// A body on the disk.
struct Body {
    bytes: u64,
    writer: File,
    file: Part,
    held: Held,
}

/// A file that is taken away unless it is kept.
struct Part(Option<PathBuf>);

impl Drop for Part {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // Of a folder that is ours; nobody waits for it.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Jobs {
    /// Takes the body of an order, of at most so many bytes, from an owner who may be slow for so long. Nothing of it stays
    /// when it is refused, or the future dropped.
    pub async fn receive<E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        order: &Order,
        body: impl Stream<Item = Result<Bytes, E>>,
        (most, patience): (u64, Duration),
    ) -> Result<Upload, Refusal> {
        let id = Uuid::new_v4();
        let (owner, key) = (order.owner.clone(), order.idempotency_key.clone());
        let waiting = self.limits.jobs_max_waiting.get();
        let begun = self.store.ask(move |table| {
            let is_known = key.map(|key| table::is_known(table, &owner, &key)).transpose()?;
            Ok((is_known == Some(true), table::unended(table, &owner)?))
        });
        // An order that is repeated is to find its job, however many there are.
        let (repeated, unended) = begun.await?;
        if !repeated && unended >= waiting {
            return Err(Refusal::Waiting(waiting));
        }
        let mut kept = match repeated {
            true => None,
            false => Some(Body::create(self.path(Kept::Uploads, id), self.space.hold(&order.owner)).await?),
        };
        let (mut bytes, mut digest, begun) = (0, Context::new(&SHA256), Instant::now());
        let mut body = std::pin::pin!(body);
        loop {
            let late = begun + patience + Duration::from_secs_f64(bytes as f64 / SLOWEST);
            let data = match timeout_at(late, body.next()).await {
                Err(_) => return Err(Refusal::Slow),
                Ok(None) => break,
                Ok(Some(data)) => data.map_err(|error| Refusal::Broken(error.into()))?,
            };
            bytes += data.len() as u64;
            if bytes > most {
                return Err(Refusal::TooLarge(most));
            }
            digest.update(&data);
            if let Some(body) = &mut kept {
                body.write(&data).await?;
            }
        }
        if let Some(body) = &mut kept {
            body.end().await?;
        }
        Ok(Upload { id, digest, kept })
    }
}

impl Body {
    async fn create(path: PathBuf, held: Held) -> Result<Self, Refusal> {
        let writer = File::create_new(&path).await?;
        Ok(Self { bytes: 0, writer, file: Part(Some(path)), held })
    }

    async fn write(&mut self, data: &[u8]) -> Result<(), Refusal> {
        self.bytes += data.len() as u64;
        self.held.grow(self.bytes, false).await?;
        Ok(self.writer.write_all(data).await?)
    }

    async fn end(&mut self) -> Result<(), Refusal> {
        self.held.grow(self.bytes, true).await?;
        self.writer.flush().await?;
        Ok(self.writer.sync_all().await?)
    }
}

impl Upload {
    /// Bytes of the body, where it is kept.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.kept.as_ref().map(|body| body.bytes)
    }

    /// What tells the order and its body from others.
    pub(super) fn digest_with(&self, order: &Order) -> String {
        let mut digest = self.digest.clone();
        let callback = order.callback.as_deref().unwrap_or_default();
        for part in [order.operation, &order.query, &order.content_type, callback] {
            digest.update(&[0]);
            digest.update(part.as_bytes());
        }
        digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Gives the body its place. The room that it holds is given back once the table counts it.
    pub(super) async fn keep(self, path: &Path) -> io::Result<Option<Held>> {
        let Some(mut body) = self.kept else { return Ok(None) };
        if let Some(part) = &body.file.0 {
            fs::rename(part, path).await?;
            body.file.0 = None;
        }
        if let Some(folder) = path.parent() {
            // The name outlasts a loss of power too.
            File::open(folder).await?.sync_all().await?;
        }
        Ok(Some(body.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whom_to_tell_is_a_part_of_the_order() {
        let upload = Upload { id: Uuid::new_v4(), digest: Context::new(&SHA256), kept: None };
        let order = Order {
            owner: "lims".into(),
            operation: "target-sites/score",
            query: String::new(),
            content_type: "text/csv".into(),
            idempotency_key: None,
            callback: None,
        };
        let told = Order { callback: Some("https://lims.example/".into()), ..order.clone() };
        assert_ne!(upload.digest_with(&order), upload.digest_with(&told));
        assert_eq!(upload.digest_with(&order), upload.digest_with(&order.clone()));
    }
}

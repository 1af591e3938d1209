//! Tells connections that the server shuts down.

use std::time::Instant;

use tokio::sync::watch;

/// Knows whether the server shuts down, and since when.
#[derive(Clone, Debug)]
pub(crate) struct Leaving(watch::Receiver<Option<Instant>>);

impl Leaving {
    /// Not yet; the sender tells when.
    pub(crate) fn new() -> (watch::Sender<Option<Instant>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    /// Waits until it does; since when.
    pub(crate) async fn begun(&self) -> Instant {
        match self.0.clone().wait_for(Option::is_some).await.map(|since| *since) {
            Ok(Some(since)) => since,
            // The sender went without a word: nobody is there to shut anything down.
            _ => std::future::pending().await,
        }
    }
}

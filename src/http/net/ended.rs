//! Connections and requests that the server ends: counted by cause, and said.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::counter;

/// Why the server ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Cause {
    /// The TLS handshake took too long.
    SlowHandshake,
    /// The head of a request took too long.
    SlowHead,
    /// No request came.
    Idle,
    /// A request's body came too slowly.
    SlowBody,
    /// The caller did not take the reply.
    SlowReader,
    /// A ping of HTTP/2 was not answered.
    NoPong,
    /// The place was needed for somebody else.
    Crowded,
    /// The server shuts down.
    Draining,
}

impl Cause {
    /// Counts the end of a connection on which no request ran; a flood of them is one line a second.
    pub fn end_connection(self) {
        static SAID: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];
        self.count();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if SAID[self as usize].swap(now, Ordering::Relaxed) != now {
            tracing::info!(cause = self.name(), "connections without a request are ended");
        }
    }

    /// Counts the end of a request that ran, and says which.
    pub fn end_request(self, id: Option<&str>, method: &str, path: &str) {
        self.count();
        tracing::warn!(cause = self.name(), id, method, path, "a request is ended");
    }

    fn count(self) {
        counter!("mirador_connections_ended_total", "cause" => self.name()).increment(1);
    }

    fn name(self) -> &'static str {
        self.into()
    }
}

//! Accepts connections, as many as there are places and files for.

use std::io;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::connection::Connections;
use super::places::Places;
use super::tls::Certificate;

/// Between two lines of the log about connections that cannot be accepted.
const COMPLAIN_EVERY: Duration = Duration::from_secs(5);
/// Between two tries while the system has nothing to accept with.
const BACK_OFF: Duration = Duration::from_millis(50);

/// An address that is listened on, and who answers there.
pub(crate) struct Listening {
    /// The address.
    pub listener: TcpListener,
    /// The listener's connections.
    pub connections: Connections,
    /// How many of them.
    pub places: Places,
    /// With it HTTPS is spoken.
    pub tls: Option<Certificate>,
    /// Answers.
    pub app: Router,
    /// Answers on the places that are kept back.
    pub health: Router,
}

impl Listening {
    /// Accepts until the connections are asked to leave.
    pub(crate) async fn accept(self) {
        let leaving = self.connections.leaving();
        tokio::select! {
            _ = leaving.begun() => {}
            () = self.accept_all() => {}
        }
    }

    async fn accept_all(&self) {
        let mut complained: Option<Instant> = None;
        loop {
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                // That caller left already.
                Err(error) if is_of_one_connection(&error) => continue,
                Err(error) => {
                    if complained.is_none_or(|said| said.elapsed() >= COMPLAIN_EVERY) {
                        complained = Some(Instant::now());
                        tracing::error!(%error, "connections cannot be accepted");
                    }
                    self.places.free_one(false);
                    sleep(BACK_OFF).await;
                    continue;
                }
            };
            let place = self.places.take().await;
            let app = if place.kept_back { &self.health } else { &self.app };
            self.connections.serve(stream, peer, place, self.tls.clone(), app.clone());
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// How the files that the system allows are shared out.
pub(crate) struct Files {
    /// Connections of the main address.
    pub connections: usize,
    /// On top of them, for health alone.
    pub kept_back: usize,
    /// Connections of the address for health and metrics.
    pub ops: usize,
}

/// Raises the number of files that may be open as far as the system allows, and shares them out.
pub(crate) fn share_files(wanted: usize) -> Files {
    // Where it cannot be known, none is known to be missing.
    let most = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let few = (most / 8).clamp(2, 32);
    // For weights, keys, the log, the collector of spans.
    let own = (most / 4).clamp(24, 128);
    let left = most.saturating_sub(own + few + few).max(1);
    if left < wanted {
        tracing::warn!("--max-connections {wanted} is more than {most} open files allow; it is {left} now");
    }
    Files { connections: wanted.min(left), kept_back: few, ops: few }
}

//! How often one caller may ask: so many requests a minute, by key where there are keys, else by address.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use super::problem::Problem;
use super::state::AppState;

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The key's name.
    Key(Arc<str>),
    /// Where the connection comes from.
    Address(IpAddr),
}

/// Counts requests by caller.
pub struct Limiter {
    limit: NonZeroU32,
    counts: RateLimiter<Caller, DashMapStateStore<Caller>, DefaultClock, StateInformationMiddleware>,
}

/// What `X-RateLimit-*` says.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    limit: u32,
    remaining: u32,
    /// Seconds until all requests are free again; of a refused caller, until the next is.
    reset: u64,
}

impl Limiter {
    /// So many requests a minute; a caller who was silent may send them all at once.
    pub fn new(limit: NonZeroU32) -> Self {
        let counts = RateLimiter::dashmap(Quota::per_minute(limit)).with_middleware();
        Self { limit, counts }
    }

    /// Counts a request.
    fn count(&self, caller: &Caller) -> Result<Standing, Standing> {
        let limit = self.limit.get();
        match self.counts.check_key(caller) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(limit - remaining.min(limit));
                Ok(Standing { limit, remaining, reset: (used * 60).div_ceil(u64::from(limit)) })
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                Err(Standing { limit, remaining: 0, reset: wait.as_secs_f64().ceil().max(1.0) as u64 })
            }
        }
    }

    /// Forgets callers who have all their requests free again.
    pub fn forget_idle(&self) {
        self.counts.retain_recent();
        self.counts.shrink_to_fit();
    }
}

impl Standing {
    /// Seconds after which to ask again.
    pub fn retry_after(&self) -> u64 {
        self.reset
    }

    /// Writes `X-RateLimit-Limit`, `-Remaining` and `-Reset`.
    pub fn write(&self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", self.limit.into());
        headers.insert("x-ratelimit-remaining", self.remaining.into());
        headers.insert("x-ratelimit-reset", self.reset.into());
    }
}

/// Refuses a caller who asks too often. Probes of health are not counted.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(limiter) = state.limiter().filter(|_| !request.uri().path().contains("/health/")) else {
        return Ok(next.run(request).await);
    };
    let caller = request.extensions().get().cloned();
    let caller = caller.unwrap_or_else(|| Caller::Address(address(&request, state.config().forwarded_for)));
    let standing = limiter.count(&caller).map_err(Problem::RateLimited)?;
    let mut response = next.run(request).await;
    standing.write(response.headers_mut());
    Ok(response)
}

/// Of the peer; behind a proxy, what the proxy says in the last `X-Forwarded-For`.
fn address(request: &Request, forwarded_for: bool) -> IpAddr {
    let peer = request.extensions().get().map(|ConnectInfo(peer): &ConnectInfo<SocketAddr>| peer.ip());
    let last = |value: &HeaderValue| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok();
    let forwarded = || request.headers().get_all("x-forwarded-for").iter().next_back().and_then(last);
    forwarded_for.then(forwarded).flatten().or(peer).unwrap_or(Ipv4Addr::UNSPECIFIED.into())
}

//! How often one caller may ask: so many requests a minute, by key where there are keys, else by address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

/// Whose requests are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// The key's name.
    Key(Arc<str>),
    /// Where the connection comes from; see [`Caller::at`].
    Address(IpAddr),
    /// Nobody who waits: the rows of a job, whose caller was counted when he left it.
    Jobs,
}

impl Caller {
    /// Who sent a request that was let in.
    pub fn of(request: &Request) -> Self {
        request.extensions().get().cloned().unwrap_or_else(|| Self::at(Ipv4Addr::UNSPECIFIED.into()))
    }

    /// Who asks from this address. Whoever has one IPv6 address has its /64, and could use a new one each time.
    pub fn at(address: IpAddr) -> Self {
        const NETWORK: u128 = !0 << 64;
        Self::Address(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & NETWORK).into(),
        })
    }
}

/// Counts requests by caller.
pub struct Limiter {
    limit: NonZeroU32,
    counts: RateLimiter<Caller, DashMapStateStore<Caller>, DefaultClock, StateInformationMiddleware>,
}

/// What `X-RateLimit-*` says.
#[derive(Clone, Copy, Debug)]
pub struct RateStatus {
    /// Requests a minute.
    pub limit: u32,
    /// Those that are still free.
    pub remaining: u32,
    /// Seconds until all requests are free again; of a refused caller, until the next is.
    pub reset: u64,
}

impl Limiter {
    /// So many requests a minute; a caller who was silent may send them all at once.
    pub fn new(limit: NonZeroU32) -> Self {
        let counts = RateLimiter::dashmap(Quota::per_minute(limit)).with_middleware();
        Self { limit, counts }
    }

    /// Counts a request.
    pub fn count(&self, caller: &Caller) -> Result<RateStatus, RateStatus> {
        let limit = self.limit.get();
        match self.counts.check_key(caller) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(limit - remaining.min(limit));
                Ok(RateStatus { limit, remaining, reset: (used * 60).div_ceil(u64::from(limit)) })
            }
            Err(refused) => {
                let wait = refused.wait_time_from(DefaultClock::default().now());
                Err(RateStatus { limit, remaining: 0, reset: wait.as_secs_f64().ceil().max(1.0) as u64 })
            }
        }
    }

    /// Forgets callers who have all their requests free again.
    pub fn forget_idle(&self) {
        self.counts.retain_recent();
        self.counts.shrink_to_fit();
    }
}

impl RateStatus {
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

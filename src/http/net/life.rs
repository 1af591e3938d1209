//! What is known of one connection: which requests run on it, since when it waits, and whether it is overdue.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::ended::Cause;
use crate::config::ServeConfig;

/// What every client of HTTP/2 sends first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Once the server leaves: until a connection without a request has said goodbye.
const GOODBYE: Duration = Duration::from_millis(250);
/// Once the server leaves: until callers who are slow to send or to take have done so.
pub(super) const HURRY: Duration = Duration::from_secs(5);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// A TLS handshake; the head of a request.
    pub head: Duration,
    /// A connection between two requests.
    pub idle: Duration,
    /// A body that waits for its caller's next byte.
    pub read: Duration,
    /// A reply that waits for its caller to take the next byte.
    pub write: Duration,
}

impl Limits {
    /// As they are set.
    pub(crate) fn of(config: &ServeConfig) -> Self {
        let seconds = |s: std::num::NonZeroU32| Duration::from_secs(s.get().into());
        Self {
            head: seconds(config.head_timeout_s),
            idle: seconds(config.idle_timeout_s),
            read: seconds(config.read_timeout_s),
            write: seconds(config.write_timeout_s),
        }
    }

    /// How often to look whether something took longer.
    pub(crate) fn tick(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.write);
        (shortest / 4).min(Duration::from_secs(1))
    }
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Life {
    state: Mutex<State>,
    /// Rung when its place is needed.
    pub given_up: Notify,
}

#[derive(Debug)]
struct State {
    /// When it began to wait for a request.
    waits_since: Instant,
    /// When the first byte came since then.
    head_since: Option<Instant>,
    /// The first bytes of all, as long as they are HTTP/2's preface.
    preface: usize,
    /// Bytes that came before the first request, up to a few.
    begun: usize,
    /// Whether there was a request.
    asked: bool,
    running: Vec<Arc<Exchange>>,
    write_blocked: Option<Instant>,
    /// A reply ended, and its last bytes may still have to be written.
    unwritten: bool,
    given_up: bool,
}

/// A request and its reply.
#[derive(Debug)]
pub(crate) struct Exchange {
    method: String,
    /// Cut to a sane length.
    path: String,
    /// Known once the reply's head is there.
    pub id: OnceLock<String>,
    /// Since when the reply waits for its caller; `None` while he waits for us, and on HTTP/1, where what cannot be
    /// written tells.
    untaken: Mutex<Option<Instant>>,
    /// Ends the stream of HTTP/2 that it runs on; on HTTP/1 the connection ends.
    stream: OnceLock<Arc<Notify>>,
    /// Since when only the rest of its body is read, for the caller's sake.
    unwanted: Mutex<Option<Instant>>,
}

impl Life {
    /// It begins.
    pub(crate) fn new() -> Self {
        let state = State {
            waits_since: Instant::now(),
            head_since: None,
            preface: 0,
            begun: 0,
            asked: false,
            running: Vec::new(),
            write_blocked: None,
            unwritten: false,
            given_up: false,
        };
        Self { state: Mutex::new(state), given_up: Notify::new() }
    }

    /// The handshake is done: from now on it owes a request.
    pub(crate) fn open(&self) {
        self.lock().waits_since = Instant::now();
    }

    /// These bytes came.
    pub(crate) fn read(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.running.is_empty() {
            state.head_since.get_or_insert_with(Instant::now);
        }
        if state.begun < PREFACE.len() {
            let rest = &PREFACE[state.begun..];
            let compared = bytes.len().min(rest.len());
            if state.preface == state.begun && bytes[..compared] == rest[..compared] {
                state.preface += compared;
            }
            state.begun += compared;
        }
    }

    /// Bytes were written, or could not be.
    pub(crate) fn wrote(&self, blocked: bool) {
        let mut state = self.lock();
        match blocked {
            true => drop(state.write_blocked.get_or_insert_with(Instant::now)),
            false => state.write_blocked = None,
        }
    }

    /// All that was to be written has been.
    pub(crate) fn flushed(&self) {
        let mut state = self.lock();
        if std::mem::take(&mut state.unwritten) {
            state.waits_since = Instant::now();
        }
    }

    /// Whether bytes of a reply may be lost with it.
    pub(crate) fn is_unwritten(&self) -> bool {
        self.lock().unwritten
    }

    /// A request runs.
    pub(crate) fn begin(&self, exchange: Arc<Exchange>) {
        let mut state = self.lock();
        state.asked = true;
        state.running.push(exchange);
    }

    /// It does no more.
    pub(crate) fn finish(&self, exchange: &Arc<Exchange>) {
        let mut state = self.lock();
        state.running.retain(|other| !Arc::ptr_eq(other, exchange));
        state.unwritten = true;
        if state.running.is_empty() {
            (state.waits_since, state.head_since) = (Instant::now(), None);
        }
    }

    /// How little is lost by ending it, and for how long it has waited; `None` while a request runs whose body is wanted or
    /// whose reply is on its way.
    pub(crate) fn waiting(&self) -> Option<(bool, Duration)> {
        let state = self.lock();
        let waits = state.is_spare() && !state.given_up;
        let unwanted = state.running.iter().filter_map(|exchange| exchange.unwanted_since()).min();
        let since = unwanted.unwrap_or(state.waits_since);
        waits.then(|| (!state.asked || unwanted.is_some(), since.elapsed()))
    }

    /// Asks it to end, for somebody else's sake.
    pub(crate) fn give_up(&self) {
        self.lock().given_up = true;
        self.given_up.notify_one();
    }

    /// Whether it may end, as it was asked to: a request may have come meanwhile.
    pub(crate) fn may_end(&self) -> bool {
        let mut state = self.lock();
        state.given_up &= state.is_spare();
        state.given_up
    }

    /// Whether it was asked to end and has not done so yet.
    pub(crate) fn is_ending(&self) -> bool {
        self.lock().given_up
    }

    /// Ends what takes too long: streams by themselves; the reason when the whole connection has to. `leaving` is since
    /// when the server shuts down.
    pub(crate) fn overdue(&self, limits: &Limits, leaving: Option<Instant>) -> Option<Cause> {
        let state = self.lock();
        let write = if leaving.is_some() { limits.write.min(HURRY) } else { limits.write };
        let untaken = state.running.iter().filter(|exchange| exchange.untaken_for() >= write);
        untaken.for_each(|exchange| exchange.end(Cause::SlowReader));
        if state.write_blocked.is_some_and(|since| since.elapsed() >= write) {
            return Some(Cause::SlowReader);
        }
        if !state.is_idle() {
            return None;
        }
        // What a stream of HTTP/2 still holds of its reply waits for the caller, unseen from here.
        let goodbye = if state.asked && state.speaks_http_2() { HURRY } else { GOODBYE };
        if leaving.is_some_and(|since| since.elapsed() >= GOODBYE && state.waits_since.elapsed() >= goodbye) {
            return Some(Cause::Draining);
        }
        state.overdue_head(limits)
    }

    /// Counts and says why all of it ends.
    pub(crate) fn end(&self, cause: Cause) {
        let state = self.lock();
        match state.running.as_slice() {
            [] => cause.end_connection(),
            running => running.iter().for_each(|exchange| exchange.end(cause)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Nobody is answered on it.
    fn is_idle(&self) -> bool {
        self.running.is_empty() && !self.unwritten
    }

    /// Nobody is kept from an answer by its end: of what runs only the rest of a refused body is waited for.
    fn is_spare(&self) -> bool {
        self.running.iter().all(|exchange| exchange.unwanted_since().is_some()) && !self.unwritten
    }

    fn speaks_http_2(&self) -> bool {
        self.preface == PREFACE.len()
    }

    fn overdue_head(&self, limits: &Limits) -> Option<Cause> {
        // On HTTP/2 bytes may be pings: it may be idle from the end of its preface on.
        let head = match (self.speaks_http_2(), self.asked) {
            (true, _) => None,
            // The first head is owed from the start.
            (false, false) => Some(self.waits_since),
            (false, true) => self.head_since,
        };
        match head {
            Some(since) => (since.elapsed() >= limits.head).then_some(Cause::SlowHead),
            None => (self.waits_since.elapsed() >= limits.idle).then_some(Cause::Idle),
        }
    }
}

impl Exchange {
    /// It begins.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.chars().take(100).collect(),
            id: OnceLock::new(),
            untaken: Mutex::new(None),
            stream: OnceLock::new(),
            unwanted: Mutex::new(None),
        }
    }

    /// From now on only the rest of its body is read, or no longer.
    pub(super) fn set_unwanted(&self, unwanted: bool) {
        *self.unwanted.lock().unwrap_or_else(PoisonError::into_inner) = unwanted.then(Instant::now);
    }

    fn unwanted_since(&self) -> Option<Instant> {
        *self.unwanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It runs on a stream of HTTP/2, which ends when this is rung.
    pub(crate) fn on_stream(&self, end: Arc<Notify>) {
        // It is told once.
        let _ = self.stream.set(end);
    }

    /// Whether it runs on a stream of HTTP/2.
    pub(crate) fn is_on_stream(&self) -> bool {
        self.stream.get().is_some()
    }

    /// From now on the caller has to take what we have, or waits for us.
    pub(crate) fn hand_over(&self, offered: bool) {
        let since = (offered && self.is_on_stream()).then(Instant::now);
        *self.untaken.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    fn untaken_for(&self) -> Duration {
        let since = *self.untaken.lock().unwrap_or_else(PoisonError::into_inner);
        since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// Counts and says why it ends.
    pub(crate) fn say(&self, cause: Cause) {
        // Before its reply has a head, the span of the request names it.
        cause.end_request(self.id.get().map(String::as_str), &self.method, &self.path);
    }

    fn end(&self, cause: Cause) {
        self.say(cause);
        self.hand_over(false);
        if let Some(stream) = self.stream.get() {
            stream.notify_one();
        }
    }
}

//! The pace of bodies: a caller who neither sends nor takes bytes does not hold a request for ever. Time in which the
//! server is the slow one does not count.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::{Buf, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep_until};

use super::ended::Cause;
use super::leaving::Leaving;
use super::life::{Exchange, HURRY};
use super::turn::Turn;

/// Fewest bytes a second of a body, on average, over each stretch in which it was waited for as long as a single byte
/// may take: what came fast in the beginning buys no time later.
const SLOWEST: f64 = 16.0 * 1024.0;
/// Most bytes of a reply that a stream of HTTP/2 is given at once: it holds them until its caller takes them.
const PIECE: usize = 16 * 1024;

/// What became of a request's body; goes with the request.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    slow: Arc<OnceLock<Slow>>,
    exchange: Arc<Exchange>,
}

/// Why a request's body was not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slow {
    /// The caller sent too little in too long a time.
    Caller,
    /// The server shuts down.
    Draining,
}

impl Pace {
    /// Why it was given up, if it was.
    pub(crate) fn slow(&self) -> Option<Slow> {
        self.slow.get().copied()
    }

    /// Nobody wants the rest of it while the guard is held: its connection is the first to end where places are short.
    pub(crate) fn unwanted(&self) -> Unwanted {
        self.exchange.set_unwanted(true);
        Unwanted(self.exchange.clone())
    }
}

/// See [`Pace::unwanted`]: a reply that is on its way is wanted again.
pub(crate) struct Unwanted(Arc<Exchange>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.set_unwanted(false);
    }
}

/// A request's body.
pub(super) struct Upload {
    body: Incoming,
    pace: Pace,
    exchange: Arc<Exchange>,
    limit: Duration,
    /// A body of lines, which are answered while they come: the caller may take time over each.
    lines: bool,
    leaving: Leaving,
    left: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    timer: Option<Pin<Box<Sleep>>>,
    waits_since: Option<Instant>,
    waited: Duration,
    bytes: u64,
}

impl Upload {
    /// Whose next byte may take as long as `limit`.
    pub(super) fn new(
        body: Incoming,
        headers: &HeaderMap,
        limit: Duration,
        exchange: Arc<Exchange>,
        leaving: Leaving,
    ) -> Self {
        Self {
            body,
            pace: Pace { slow: Arc::default(), exchange: exchange.clone() },
            exchange,
            limit,
            lines: are_lines(headers),
            leaving,
            left: None,
            timer: None,
            waits_since: None,
            waited: Duration::ZERO,
            bytes: 0,
        }
    }

    /// What becomes of it.
    pub(super) fn pace(&self) -> Pace {
        self.pace.clone()
    }

    fn is_too_slow(&mut self) -> bool {
        if self.lines || self.waited <= self.limit {
            return false;
        }
        let slow = (self.bytes as f64) < SLOWEST * self.waited.as_secs_f64();
        (self.bytes, self.waited) = (0, Duration::ZERO);
        slow
    }

    /// The caller sent nothing yet: whether that has lasted too long.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<Slow> {
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        let end = (since + self.limit).into();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        if timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Slow::Caller);
        }
        if self.lines {
            return Poll::Pending;
        }
        let left = self.left.get_or_insert_with(|| {
            let leaving = self.leaving.clone();
            Box::pin(async move { sleep_until((leaving.begun().await + HURRY).into()).await })
        });
        left.as_mut().poll(context).map(|()| Slow::Draining)
    }

    fn fail(&self, slow: Slow) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.pace.slow.set(slow).is_ok() {
            self.exchange.say(match slow {
                Slow::Caller => Cause::SlowBody,
                Slow::Draining => Cause::Draining,
            });
        }
        let error = io::Error::new(io::ErrorKind::TimedOut, "the body came too slowly");
        Poll::Ready(Some(Err(axum::Error::new(error))))
    }
}

fn are_lines(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let names = ["x-ndjson", "ndjson", "jsonl", "x-jsonlines"];
    essence.strip_prefix("application/").is_some_and(|name| names.contains(&name))
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(slow) = self.pace.slow() {
            return self.fail(slow);
        }
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some(since) = self.waits_since.take() {
                    self.waited += since.elapsed();
                }
                if let Some(Ok(frame)) = &frame {
                    self.bytes += frame.data_ref().map_or(0, Bytes::len) as u64;
                    if self.is_too_slow() {
                        return self.fail(Slow::Caller);
                    }
                }
                Poll::Ready(frame.map(|frame| frame.map_err(axum::Error::new)))
            }
            Poll::Pending => {
                let slow = ready!(self.poll_patience(context));
                self.fail(slow)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A reply's body: knows whether the caller takes it. Holds its request's place in the connection's life.
pub(super) struct Reply {
    body: Body,
    rest: Bytes,
    turn: Turn,
}

impl Reply {
    /// The reply of this turn.
    pub(super) fn new(body: Body, turn: Turn) -> Self {
        turn.exchange.hand_over(true);
        Self { body, rest: Bytes::new(), turn }
    }
}

impl HttpBody for Reply {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if !self.rest.has_remaining() {
            self.turn.exchange.hand_over(false);
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(frame) => return Poll::Ready(Some(Ok(frame))),
                },
                end => return Poll::Ready(end),
            }
        }
        // He is asked for the next piece once there is room for it, which is when he took the one before.
        self.turn.exchange.hand_over(true);
        let most = if self.turn.exchange.is_on_stream() { PIECE } else { usize::MAX };
        let piece = self.rest.len().min(most);
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        !self.rest.has_remaining() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

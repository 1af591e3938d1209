//! The bytes of a request: read up to the limit, or read on and dropped once nobody wants them.
//!
//! Many clients read no answer before they have sent all. Where a request is refused before its body was read, whatever
//! the reason, the rest is read and dropped within bounds, so that they get the answer instead of a broken connection,
//! and the next request on the connection begins where it should.

use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use std::{fmt, io};

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::{sleep, timeout};

use super::callers::BodyPermit;
use super::net::{Pace, Slow};
use super::panics::caught;
use super::problem::{ErrorCode, FieldError, Problem};
use super::rate::Caller;
use super::state::AppState;

/// A body that nobody wants is read up to so many times the limit,
const PATIENCE: u64 = 2;
/// and for as long as bytes come at least so often, but no longer than one byte of a body that is wanted may take:
/// whoever sends one now and then holds a connection's place.
const SILENCE: Duration = Duration::from_secs(3);

/// Why a body cannot be read, in words for its caller.
#[derive(Debug)]
pub(super) struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Broken {}

/// What a [`Broken`] says that stands anywhere behind an error.
pub(super) fn reason(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(Broken(detail)) = error.downcast_ref() {
            return Some(detail.clone());
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// All of them, and the room that they take. A compressed body counts as what it is decompressed to.
pub(super) async fn read(request: Request, state: &AppState) -> Result<(Bytes, BodyPermit), Problem> {
    let caller = Caller::of(&request);
    let limit = match caller {
        Caller::Jobs => state.config().most_of_job(),
        _ => state.config().max_body_bytes.get(),
    };
    let mut permit = state.callers().body(&caller);
    let mut body = request.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let broken = |error: axum::Error| {
            let detail = reason(&error).unwrap_or_else(|| "the body ended early".into());
            Problem::from(FieldError::whole(ErrorCode::Syntax, detail))
        };
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(Problem::BodyTooLarge(limit));
        }
        permit.grow(bytes.len() + data.len()).await?;
        bytes.extend_from_slice(&data);
    }
    Ok((bytes.into(), permit))
}

/// Reads on where the request's reader let go of its body. A body that came too slowly is answered as that, whatever
/// its reader made of it.
pub(super) async fn read_on<F: Future<Output = Response>>(
    state: &AppState,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    if request.body().is_end_stream() {
        return next(request).await;
    }
    let pace: Option<Pace> = request.extensions().get().cloned();
    let waits_for_us = request.headers().contains_key(header::EXPECT);
    let closable = request.version() < Version::HTTP_2;
    let bounds = Bounds {
        bytes: (state.config().max_body_bytes.get() as u64).saturating_mul(PATIENCE),
        time: Duration::from_secs(state.config().read_timeout_s.get().into()),
    };
    let (head, body) = request.into_parts();
    let kept = Arc::new(Mutex::new(Kept { body, read: 0, wanted: !waits_for_us }));
    let request = Request::from_parts(head, Body::new(Lent(kept.clone())));
    // What panics is refused too.
    let mut response = caught(|| next(request)).await;
    let is_whole = match pace.as_ref().and_then(Pace::slow) {
        Some(slow) => {
            let problem = if slow == Slow::Caller { Problem::SlowBody } else { Problem::Draining };
            let mut refused = problem.into_response();
            for (name, value) in response.headers().iter().filter(|(name, _)| is_for_all_replies(name)) {
                refused.headers_mut().append(name, value.clone());
            }
            response = refused;
            false
        }
        // He reads while he writes, or has given up: the answer is worth most at once.
        None if response.status() == StatusCode::GATEWAY_TIMEOUT => false,
        None => match Arc::try_unwrap(kept) {
            Ok(kept) => {
                let _unwanted = pace.as_ref().map(Pace::unwanted);
                into_inner(kept).drop_rest(bounds).await
            }
            // The reply is made from it while it comes.
            Err(kept) => {
                let (kept, state) = (Some(kept), state.clone());
                return response.map(|body| Body::new(ReadingOn { body, kept, bounds, state, rest: None }));
            }
        },
    };
    if !is_whole && closable {
        // What still comes is no request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// What was said of the caller and not of the answer: who may read it, and how many more he may ask.
fn is_for_all_replies(name: &HeaderName) -> bool {
    let name = name.as_str();
    name == "vary" || name.starts_with("access-control-") || name.starts_with("x-ratelimit-")
}

/// How far a body is read that nobody wants.
#[derive(Clone, Copy)]
struct Bounds {
    bytes: u64,
    time: Duration,
}

/// A body that stays in reach when its reader lets go of it.
struct Kept {
    body: Body,
    read: u64,
    /// Whether the caller sends it: one who expects 100 Continue waits for somebody to read.
    wanted: bool,
}

/// What the reader holds of it.
struct Lent(Arc<Mutex<Kept>>);

fn into_inner(kept: Mutex<Kept>) -> Kept {
    kept.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    /// Whether the body ended within bounds.
    async fn drop_rest(self, Bounds { bytes, time }: Bounds) -> bool {
        self.wanted && timeout(time, self.drop_frames(bytes)).await.unwrap_or(false)
    }

    async fn drop_frames(mut self, most: u64) -> bool {
        // Who announces more than that is told at once.
        while self.read.saturating_add(self.body.size_hint().lower()) <= most {
            match timeout(SILENCE, self.body.frame()).await {
                Ok(Some(Ok(frame))) => self.count(&frame),
                Ok(None) => return true,
                Ok(Some(Err(_))) | Err(_) => return false,
            }
        }
        false
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        self.read += frame.data_ref().map_or(0, Bytes::len) as u64;
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.wanted = true;
        let frame = ready!(Pin::new(&mut kept.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame {
            kept.count(frame);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).body.size_hint()
    }
}

/// A reply that is made while the request's body comes: where it ends sooner, the rest is dropped before its own end.
struct ReadingOn {
    body: Body,
    kept: Option<Arc<Mutex<Kept>>>,
    bounds: Bounds,
    state: AppState,
    rest: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl HttpBody for ReadingOn {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_none() {
            match ready!(Pin::new(&mut self.body).poll_frame(context)) {
                None => {}
                frame => return Poll::Ready(frame),
            }
            // Its reader goes with it.
            self.body = Body::empty();
            let Some(kept) = self.kept.take().and_then(Arc::into_inner) else { return Poll::Ready(None) };
            let (bounds, state) = (self.bounds, self.state.clone());
            self.rest = Some(Box::pin(async move {
                tokio::select! {
                    _ = into_inner(kept).drop_rest(bounds) => {}
                    // He was told why he should stop.
                    () = async { state.drained().await; sleep(SILENCE).await } => {}
                }
            }));
        }
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(context));
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::config::{Command, Program};

    #[tokio::test]
    async fn a_request_that_panics_is_read_to_its_end() {
        let Command::Serve(config) = Program::parse_from(["mirador", "serve"]).command else { return };
        let state = AppState::new(*config);
        let (tell, told) = std::sync::mpsc::channel();
        let parts = stream::iter(0..3).map(move |part| tell.send(part).map(|()| "part"));
        let request = Request::post("/").body(Body::from_stream(parts)).unwrap();
        let response = read_on(&state, request, async |_| -> Response { panic!("secret reason") }).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(told.iter().collect::<Vec<i32>>(), [0, 1, 2]);
    }
}

//! One connection, from its handshake to its end: HTTP/1.1 or HTTP/2 over TCP or TLS, under limits of time.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::ended::Cause;
use super::leaving::Leaving;
use super::life::{Exchange, Life, Limits};
use super::pace::{Reply, Upload};
use super::places::Place;
use super::tls::Certificate;
use super::turn::{Tally, Turn};
use super::watched::Watched;
use crate::http::envelope::X_REQUEST_ID;

/// Between two pings of HTTP/2, and until the answer to one; no longer than a connection may be idle.
const PING: Duration = Duration::from_secs(20);
/// Requests at once on one connection of HTTP/2.
const STREAMS: u32 = 64;
/// Bytes of a stream's reply that HTTP/2 holds beside the piece that waits for the caller.
const SEND_BUFFER: usize = 64 * 1024;

/// Bytes of replies that the system holds for a connection beside those that are under way.
const UNSENT: u32 = 64 * 1024;

/// How often to look once the server leaves.
const HURRIED_TICK: Duration = Duration::from_millis(50);

/// All connections of one address.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    limits: Limits,
    builder: Builder<Streams>,
    tasks: TaskTracker,
    tally: Arc<Tally>,
    leave: watch::Sender<Option<Instant>>,
    leaving: Leaving,
    /// The server does not wait for accepted work any longer.
    gave_up: AtomicBool,
}

impl Connections {
    /// None yet.
    pub(crate) fn new(limits: Limits) -> Self {
        let (leave, leaving) = Leaving::new();
        Self(Arc::new(Inner {
            builder: builder(PING.min(limits.idle)),
            limits,
            tasks: TaskTracker::new(),
            tally: Arc::default(),
            leave,
            leaving,
            gave_up: AtomicBool::new(false),
        }))
    }

    /// Serves a connection, on a task of its own.
    pub(crate) fn serve(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: Place,
        tls: Option<Certificate>,
        app: Router,
    ) {
        // An answer is one small packet: it must not wait for the next one.
        let _ = stream.set_nodelay(true);
        // Room appears in small steps, so that a caller who reads slowly is told from one who does not read.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
        let connections = self.clone();
        self.0.tasks.spawn(async move {
            match tls {
                None => connections.drive(stream, peer, &place, app).await,
                Some(certificate) => {
                    let acceptor = certificate.acceptor();
                    let (limit, life) = (connections.0.limits.head, &place.life);
                    tokio::select! {
                        shaken = timeout(limit, acceptor.accept(stream)) => match shaken {
                            Ok(Ok(stream)) => connections.drive(stream, peer, &place, app).await,
                            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                            Err(_) => Cause::SlowHandshake.end_connection(),
                        },
                        () = life.given_up.notified() => Cause::Crowded.end_connection(),
                        _ = connections.0.leaving.begun() => {}
                    }
                }
            }
        });
    }

    /// Connections that wait for a request end at once, others once their requests are answered.
    pub(crate) fn leave(&self) {
        self.0.leave.send_replace(Some(Instant::now()));
        self.0.tasks.close();
    }

    /// Knows when they were asked to leave.
    pub(crate) fn leaving(&self) -> Leaving {
        self.0.leaving.clone()
    }

    /// Waits until all have left.
    pub(crate) async fn gone(&self) {
        self.0.tasks.wait().await;
    }

    /// From now on a request that is refused counts as lost.
    pub(crate) fn give_up(&self) {
        self.0.gave_up.store(true, Ordering::Relaxed);
    }

    /// Requests that run.
    pub(crate) fn running(&self) -> usize {
        self.0.tally.running()
    }

    /// Requests that were accepted and then refused.
    pub(crate) fn lost(&self) -> usize {
        self.0.tally.lost()
    }

    async fn drive<S>(&self, stream: S, peer: SocketAddr, place: &Place, app: Router)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Inner { limits, builder, leaving, .. } = &*self.0;
        let (life, kept_back) = (&place.life, place.kept_back);
        life.open();
        let service = {
            let (connections, life) = (self.clone(), life.clone());
            service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(ConnectInfo(peer));
                connections.answer(request, life.clone(), kept_back, app.clone())
            })
        };
        let stream = TokioIo::new(Watched::new(stream, life.clone()));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let (mut left, mut tick) = (None, limits.tick());
        let cause = loop {
            tokio::select! {
                ended = connection.as_mut() => match ended {
                    Err(error) if is_timeout(&*error) => break Cause::NoPong,
                    // Any other is the caller's own: he left, or does not speak HTTP.
                    _ => return,
                },
                since = leaving.begun(), if left.is_none() => {
                    (left, tick) = (Some(since), tick.min(HURRIED_TICK));
                    connection.as_mut().graceful_shutdown();
                }
                () = life.given_up.notified() => if life.may_end() { break Cause::Crowded },
                () = sleep(tick) => if let Some(cause) = life.overdue(limits, left) { break cause },
            }
        };
        if life.is_unwritten() {
            self.0.tally.lose();
        }
        life.end(cause);
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        life: Arc<Life>,
        last: bool,
        app: Router,
    ) -> impl Future<Output = Result<Response<Reply>, Infallible>> + use<> {
        let exchange = Exchange::new(request.method().as_str(), request.uri().path());
        let turn = Turn::begin(exchange, life, self.0.tally.clone());
        let (mut head, body) = request.into_parts();
        let close = last && head.version < Version::HTTP_2;
        let body = match body.is_end_stream() {
            true => Body::empty(),
            false => {
                let (read, leaving) = (self.0.limits.read, self.leaving());
                let upload = Upload::new(body, &head.headers, read, turn.exchange.clone(), leaving);
                head.extensions.insert(upload.pace());
                Body::new(upload)
            }
        };
        let connections = self.clone();
        async move {
            if let Ok(end) = STREAM.try_with(Arc::clone) {
                turn.exchange.on_stream(end);
            }
            let response = app.oneshot(Request::from_parts(head, body)).await;
            let mut response = response.unwrap_or_else(|never| match never {});
            let gave_up = connections.0.gave_up.load(Ordering::Relaxed);
            if gave_up && response.status() == StatusCode::SERVICE_UNAVAILABLE {
                connections.0.tally.lose();
            }
            if let Some(id) = response.headers().get(X_REQUEST_ID) {
                // Set once: there is one reply.
                let _ = turn.exchange.id.set(id.to_str().unwrap_or_default().to_owned());
            }
            if close {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok(response.map(|body| Reply::new(body, turn)))
        }
    }
}

/// Whether a ping was not answered.
fn is_timeout(error: &(dyn Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref().is_some_and(hyper::Error::is_timeout)
}

fn builder(ping: Duration) -> Builder<Streams> {
    let mut builder = Builder::new(Streams);
    // Its limit for heads would count the time between two requests too: `life` tells them apart.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(ping)
        .keep_alive_timeout(ping)
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(SEND_BUFFER);
    builder
}

tokio::task_local! {
    /// Ends the stream of HTTP/2 that the task serves.
    static STREAM: Arc<Notify>;
}

/// Runs streams of HTTP/2 so that each can be ended without its connection.
#[derive(Clone)]
struct Streams;

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let end = Arc::new(Notify::new());
        tokio::spawn(STREAM.scope(end.clone(), async move {
            tokio::select! {
                // Dropping it resets the stream.
                () = end.notified() => {}
                _ = stream => {}
            }
        }));
    }
}

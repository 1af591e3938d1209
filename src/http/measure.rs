//! How long requests take, to the last byte of their replies, and how many of them were never finished.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use http_body::{Frame, SizeHint};
use metrics::{counter, histogram};

use super::envelope::X_REQUEST_ID;

/// Seconds by route and status.
pub(super) const SECONDS: &str = "mirador_request_seconds";
/// Count by route and cause.
pub(super) const UNFINISHED: &str = "mirador_requests_unfinished_total";

/// Outermost of all: measures every request of a known route.
pub(super) async fn measure<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let Some(route) = request.extensions().get::<MatchedPath>().cloned() else {
        return next(request).await;
    };
    let mut watch = Watch { started: Instant::now(), route, status: None, id: None, end: End::Left };
    let headless = request.method() == Method::HEAD;
    let response = next(request).await;
    watch.status = Some(response.status());
    watch.id = response.headers().get(X_REQUEST_ID).cloned();
    if headless {
        // The body that is made is not the one that is sent.
        watch.end = End::Whole;
    }
    let length = response.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    response.map(|body| {
        let left = body.size_hint().exact().or(length);
        Body::new(Measured { body, left, watch: Some(watch) })
    })
}

/// A reply's body, whose end is the request's.
struct Measured {
    body: Body,
    /// Bytes that still come, where their number is known: whoever has them all asks no further.
    left: Option<u64>,
    watch: Option<Watch>,
}

/// Writes down what it saw when it goes, with the reply or, where there is none, with the caller.
struct Watch {
    started: Instant,
    route: MatchedPath,
    status: Option<StatusCode>,
    id: Option<HeaderValue>,
    end: End,
}

enum End {
    /// All of the reply was taken.
    Whole,
    /// The reply could not be written to its end.
    Failed,
    /// The caller did not wait for it.
    Left,
}

impl Measured {
    fn ends(&mut self, end: End) {
        if let Some(mut watch) = self.watch.take() {
            watch.end = end;
        }
    }
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let (Some(left), Some(Ok(frame))) = (&mut self.left, &frame) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        match &frame {
            Some(Err(error)) => {
                let id = self.watch.as_ref().and_then(|watch| watch.id.as_ref());
                tracing::warn!(?id, %error, "a reply broke off");
                self.ends(End::Failed);
            }
            Some(Ok(_)) if !self.body.is_end_stream() && self.left != Some(0) => {}
            _ => self.ends(End::Whole),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        if self.body.is_end_stream() {
            self.ends(End::Whole);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let route = || self.route.as_str().to_owned();
        if let Some(status) = self.status {
            let seconds = histogram!(SECONDS, "route" => route(), "status" => status.as_u16().to_string());
            seconds.record(self.started.elapsed());
        }
        let cause = match self.end {
            End::Whole => return,
            End::Failed => "failed",
            End::Left => "left",
        };
        counter!(UNFINISHED, "route" => route(), "cause" => cause).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::middleware::{Next, from_fn};
    use axum::routing::get;
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::telemetry::prometheus;

    const PAUSE: Duration = Duration::from_millis(60);

    /// One part at once, the other after a pause.
    fn slow(last: Result<&'static str, std::io::Error>) -> Body {
        let last = stream::once(async {
            tokio::time::sleep(PAUSE).await;
            last
        });
        Body::from_stream(stream::iter([Ok("first")]).chain(last))
    }

    async fn ask(path: &str, method: Method) -> Body {
        let app = Router::new()
            .route("/measure/whole", get(async || slow(Ok("last"))))
            .route("/measure/known", get(async || "all at once"))
            .route("/measure/taken", get(async || ([(header::CONTENT_LENGTH, "9")], slow(Ok("last")))))
            .route("/measure/head", get(async || slow(Ok("last"))))
            .route("/measure/failed", get(async || slow(Err(std::io::Error::other("broken")))))
            .route("/measure/left", get(async || slow(Ok("last"))))
            .route("/measure/headless", get(std::future::pending::<()>))
            .layer(from_fn(|request, next: Next| measure(request, |request| next.run(request))));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        app.oneshot(request).await.unwrap().into_body()
    }

    fn value(name: &str, route: &str, label: &str) -> f64 {
        let text = prometheus().render();
        let start = format!("{name}{{route=\"/measure/{route}\"");
        let line = text.lines().find(|line| line.starts_with(&start) && line.contains(label));
        line.map_or(0.0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    fn unfinished(route: &str) -> [f64; 2] {
        ["left", "failed"].map(|cause| value(UNFINISHED, route, cause))
    }

    #[tokio::test]
    async fn a_request_ends_with_its_reply() {
        prometheus();
        ask("/measure/whole", Method::GET).await.collect().await.unwrap();
        ask("/measure/known", Method::GET).await.collect().await.unwrap();
        drop(ask("/measure/head", Method::HEAD).await);
        // Who has as much as was announced asks no further.
        let mut taken = ask("/measure/taken", Method::GET).await;
        for _ in ["first", "last"] {
            taken.frame().await.unwrap().unwrap();
        }
        drop(taken);
        assert!(ask("/measure/failed", Method::GET).await.collect().await.is_err());
        let mut left = ask("/measure/left", Method::GET).await;
        left.frame().await.unwrap().unwrap();
        drop(left);
        let never = tokio::time::timeout(Duration::from_millis(5), ask("/measure/headless", Method::GET));
        assert!(never.await.is_err());

        for route in ["whole", "failed"] {
            assert!(value("mirador_request_seconds_sum", route, "200") >= PAUSE.as_secs_f64(), "{route}");
        }
        assert!(value("mirador_request_seconds_sum", "left", "200") < PAUSE.as_secs_f64());
        for (route, expected) in [
            ("whole", [0.0, 0.0]),
            ("known", [0.0, 0.0]),
            ("head", [0.0, 0.0]),
            ("taken", [0.0, 0.0]),
            ("failed", [0.0, 1.0]),
            ("left", [1.0, 0.0]),
            ("headless", [1.0, 0.0]),
        ] {
            assert_eq!(unfinished(route), expected, "{route}");
            let seconds = value("mirador_request_seconds_count", route, "200");
            assert_eq!(seconds, if route == "headless" { 0.0 } else { 1.0 }, "{route}");
        }
    }
}

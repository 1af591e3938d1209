//! What is the same for every reply: its request id, its trace, its problem body, its log line.

use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use opentelemetry::global;
use opentelemetry_http::HeaderExtractor;
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use uuid::Uuid;

use super::panics::caught;
use super::problem::Problem;

/// The caller's name for the request, or ours.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_REQUEST_ID: usize = 128;

/// It sees every request before all others do but `measure`, and every reply after them, panics and unknown routes
/// included: a panic anywhere within is a reply too, not a connection that breaks.
pub(super) async fn envelope<F: Future<Output = Response>>(
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let text = id.to_str().unwrap_or_default().to_owned();
    let span = tracing::info_span!(
        "request",
        id = text,
        method = %request.method(),
        path = request.uri().path(),
        trace_id = field::Empty,
    );
    record_trace(request.headers(), &span);
    let caller =
        global::get_text_map_propagator(|propagator| propagator.extract(&HeaderExtractor(request.headers())));
    // Refused where no spans are sent.
    let _ = span.set_parent(caller);
    let uri = request.uri().clone();
    let mut response = caught(|| next(request)).instrument(span.clone()).await;
    let problem = response.extensions_mut().remove().or_else(|| Problem::from_status(response.status()));
    if let Some(problem) = problem {
        problem.render(&mut response, &text, uri.path());
    }
    let (status, ms) = (response.status().as_u16(), started.elapsed().as_secs_f64() * 1e3);
    tracing::debug!(parent: &span, status, ms, "answered");
    response.headers_mut().insert(X_REQUEST_ID, id);
    response
}

/// The caller's id where it is sane: up to 128 visible ASCII characters.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
    };
    headers.get(X_REQUEST_ID).filter(sane).cloned().unwrap_or_else(|| {
        HeaderValue::from_str(&Uuid::new_v4().to_string()).expect("a UUID is visible ASCII")
    })
}

/// W3C trace context: `00-<trace id>-<parent id>-<flags>`; the trace id joins our log lines to the caller's.
fn record_trace(headers: &HeaderMap, span: &Span) {
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    if let [version, trace, parent, flags, ..] = traceparent.split('-').collect::<Vec<_>>()[..]
        && hex(version, 2)
        && hex(trace, 32)
        && hex(parent, 16)
        && hex(flags, 2)
    {
        span.record("trace_id", trace);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Ready;

    use axum::body::Body;
    use axum::http::StatusCode;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_panic_anywhere_within_is_a_reply() {
        let request = || Request::get("/").header(X_REQUEST_ID, "test").body(Body::empty()).unwrap();
        let at_once = envelope(request(), |_| -> Ready<Response> { panic!("secret reason") }).await;
        let later = envelope(request(), async |_| -> Response { panic!("secret reason") }).await;
        for response in [at_once, later] {
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.headers()[X_REQUEST_ID], "test");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            let body = std::str::from_utf8(&body).unwrap();
            assert!(body.contains("urn:mirador:problem:internal") && !body.contains("secret"), "{body}");
        }
    }
}

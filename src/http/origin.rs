//! Which web pages may ask, and by which name: the rules that browsers hold to (CORS), and those that they do not.
//!
//! A browser sends a page's POST to any server that it can reach, the reader's own machine too, and only then asks
//! whether the page may see the answer. So a page of another origin is refused before its body is read, and a name that
//! somebody made point here is not answered where `--allowed-host` says what we are called.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::arrival;
use super::problem::Problem;
use super::state::AppState;
use crate::config::{AllowedOrigin, Origin};

/// What a page may read of a reply beside its body.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "X-Model, X-Warnings, X-Request-Id, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, \
     Server-Timing, Inference-Header-Content-Length",
);
/// Seconds for which a browser may remember what a preflight was told.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Refuses other hosts and other origins' pages, answers preflights, and tells browsers who may read the reply, whatever
/// the reply is.
pub(super) async fn guard<F: Future<Output = Response>>(
    state: &AppState,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let config = state.config();
    let (headers, method) = (request.headers(), request.method());
    let host = arrival::host(headers, request.uri(), config);
    let named = |host| config.allowed_host.iter().any(|allowed| allowed.admits(host));
    let ours = config.allowed_host.is_empty() || host.as_ref().is_some_and(named);

    let sent = headers.get(header::ORIGIN).cloned();
    let origin = sent.as_ref().and_then(|origin| origin.to_str().ok()?.parse::<Origin>().ok());
    let any = config.cors_origin.contains(&AllowedOrigin::Any);
    let named = |origin| config.cors_origin.iter().any(|allowed| allowed.admits(origin));
    let listed = any || origin.as_ref().is_some_and(named);
    let own = origin.is_some_and(|origin| host.is_some_and(|host| origin.is_of(&host)));
    let admitted = sent.is_none() || listed || own;

    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD);
    let asked = asked.filter(|_| sent.is_some() && method == Method::OPTIONS);
    let mut response = match asked {
        _ if !ours => Problem::Misdirected.into_response(),
        Some(asked) if admitted => preflight(asked.clone(), headers),
        None if admitted || is_safe(method) => next(request).await,
        _ => Problem::ForeignOrigin.into_response(),
    };
    if !config.cors_origin.is_empty() {
        response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(origin) = sent.filter(|_| listed) {
        let allowed = if any { HeaderValue::from_static("*") } else { origin };
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        response.headers_mut().insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    response
}

/// Changes nothing, by the meaning of the method.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What a page wants to send, it may: the request itself is looked at when it comes.
fn preflight(method: HeaderValue, headers: &HeaderMap) -> Response {
    const VARY: HeaderValue =
        HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers");
    let mut response = StatusCode::NO_CONTENT.into_response();
    let mut tell = |name: HeaderName, value| response.headers_mut().insert(name, value);
    tell(header::VARY, VARY);
    tell(header::ACCESS_CONTROL_ALLOW_METHODS, method);
    tell(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Some(wanted) = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        tell(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}

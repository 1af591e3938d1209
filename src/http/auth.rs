//! Who gets in: whoever has a key with the scope that the request needs, and does not ask too often.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};

use super::arrival;
use super::keys::Scope;
use super::problem::Problem;
use super::rate::Caller;
use super::state::AppState;

/// Once there are keys, lets nobody pass who has none with the scope that the request needs; and nobody who asks too
/// often. Who it is goes with the request.
///
/// A request with no key that is known counts for its address, so that keys cannot be tried out faster than anybody may
/// ask. It takes nothing from those who have a key and share the address, behind a proxy say.
pub(super) async fn admit<F: Future<Output = Response>>(
    state: &AppState,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let path = request.uri().path();
    if is_probe(path) {
        return next(request).await;
    }
    let open = state.config().public_docs && is_document(path);
    let needed = (!open).then(|| needed(path, request.method()));
    let (caller, refusal) = match who(state, request.headers(), needed) {
        Ok(Some(caller)) => (caller, None),
        Ok(None) => (at_address(state, &request), None),
        Err((caller, problem)) => (caller.unwrap_or_else(|| at_address(state, &request)), Some(problem)),
    };
    let rate = match state.limiter().map(|limiter| limiter.count(&caller)).transpose() {
        Ok(rate) => rate,
        Err(rate) => return Problem::RateLimited(rate).into_response(),
    };
    let mut response = match refusal {
        Some(problem) => problem.into_response(),
        None => {
            request.extensions_mut().insert(caller);
            next(request).await
        }
    };
    if let Some(rate) = rate {
        rate.write(response.headers_mut());
    }
    response
}

/// The holder of the request's key, where keys are asked for; or why it may not pass, and whose key it was.
fn who(
    state: &AppState,
    headers: &HeaderMap,
    needed: Option<Scope>,
) -> Result<Option<Caller>, (Option<Caller>, Problem)> {
    let (Some(keys), Some(needed)) = (state.keys(), needed) else { return Ok(None) };
    let key = secret(headers).and_then(|secret| keys.find(secret)).ok_or((None, Problem::Unauthorized))?;
    let caller = Caller::Key(key.name.clone());
    match key.scopes.contains(&needed) {
        true => Ok(Some(caller)),
        false => Err((Some(caller), Problem::Forbidden(needed))),
    }
}

fn at_address(state: &AppState, request: &Request) -> Caller {
    Caller::at(arrival::address(request.headers(), request.extensions(), state.config()))
}

/// Denied by default: whatever is not named here or open needs a key.
pub(super) fn needed(path: &str, method: &Method) -> Scope {
    match path {
        "/metrics" => Scope::Metrics,
        _ if path == "/v1/jobs" || path.starts_with("/v1/jobs/") => Scope::Jobs,
        _ if method == Method::POST => Scope::Score,
        _ => Scope::Read,
    }
}

/// What a balancer asks, which has no key and asks often.
pub(super) fn is_probe(path: &str) -> bool {
    matches!(path, "/health/live" | "/health/ready" | "/v2/health/live" | "/v2/health/ready")
}

/// What a person reads in a browser, which sends no key of its own.
fn is_document(path: &str) -> bool {
    matches!(path, "/" | "/docs" | "/openapi.json")
        || path.starts_with("/docs/")
        || path.starts_with("/page/")
}

/// `Authorization: Bearer KEY`, or `X-API-Key: KEY`.
fn secret(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    let bearer =
        bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    bearer.or_else(|| text("x-api-key"))
}

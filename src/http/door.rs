//! Who gets in: whoever has a key with the scope that the request needs, and does not ask too often.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::keys::Scope;
use super::problem::Problem;
use super::rate::Caller;
use super::state::AppState;

/// Lets nobody pass who has no key with the scope that the request needs, once there are keys. Who it is goes with the
/// request.
pub async fn authenticate(
    State(state): State<AppState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let (Some(keys), Some(scope)) = (state.keys(), needed(&request)) {
        let secret = secret(request.headers()).ok_or(Problem::Unauthorized)?;
        let key = keys.find(secret).ok_or(Problem::Unauthorized)?;
        if !key.scopes.contains(&scope) {
            return Err(Problem::Forbidden(scope));
        }
        let caller = Caller::Key(key.name.clone());
        request.extensions_mut().insert(caller);
    }
    Ok(next.run(request).await)
}

/// Denied by default: whatever is not named here needs a key.
fn needed(request: &Request) -> Option<Scope> {
    match request.uri().path() {
        path if is_probe(path) => None,
        "/metrics" => Some(Scope::Metrics),
        _ if request.method() == Method::POST => Some(Scope::Score),
        _ => Some(Scope::Read),
    }
}

/// What a balancer asks, which has no key and asks often.
fn is_probe(path: &str) -> bool {
    matches!(path, "/health/live" | "/health/ready" | "/v2/health/live" | "/v2/health/ready")
}

/// `Authorization: Bearer KEY`, or `X-API-Key: KEY`.
fn secret(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let bearer = text(header::AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    let bearer =
        bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
    bearer.or_else(|| text("x-api-key"))
}

/// Refuses a caller who asks too often.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Result<Response, Problem> {
    let Some(limiter) = state.limiter().filter(|_| !is_probe(request.uri().path())) else {
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

//! What stands behind the `?` of a URL. A name that is not known is refused, since it was meant to change the answer.

use std::collections::HashSet;

use axum::extract::{MatchedPath, Request};
use axum::http::Uri;

use super::problem::{Problem, shown};

/// Routes that read the query themselves, and the pages of the documentation.
const OWN: [&str; 6] =
    ["/v1/target-sites/", "/v1/pre-mirnas/", "/v1/expression/", "/v1/duplexes/", "/v1/hairpins/", "/docs"];

/// Refuses every query of a route that has none.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    let route = request.extensions().get::<MatchedPath>().map_or("", |path| path.as_str());
    if route == "/v1/jobs" || OWN.iter().any(|own| route.starts_with(own)) {
        return Ok(());
    }
    match pairs(request.uri())?.first() {
        Some((name, _)) => Err(unknown(name, &[])),
        None => Ok(()),
    }
}

/// Names and values.
///
/// # Errors
/// 400 where a name stands there twice.
pub(super) fn pairs(uri: &Uri) -> Result<Vec<(String, String)>, Problem> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let mut seen = HashSet::new();
    match pairs.iter().find(|(name, _)| !seen.insert(name.as_str())) {
        Some((name, _)) => Err(Problem::BadHeader(format!("the query has {} twice", shown(name)))),
        None => Ok(pairs),
    }
}

/// That no parameter has this name.
pub(super) fn unknown(name: &str, known: &[&str]) -> Problem {
    let name = shown(name);
    Problem::BadHeader(match known {
        [] => format!("no query parameter {name}; this route has none"),
        known => format!("no query parameter {name}; there is: {}", known.join(", ")),
    })
}

//! `GET /`: the page for people who open the address in a browser, and its files below `/page/`. It asks the public API and
//! nothing else, and every address in it is relative, so that it also works below a proxy's path.

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::openapi::BareProblems;
use super::problem::Problem;
use super::state::AppState;

/// A file's name below `/page/`, its type and its bytes.
type File = (&'static str, &'static str, &'static str);

/// A file of the folder beside this one.
macro_rules! file {
    ($name:literal, $media_type:literal) => {
        ($name, $media_type, include_str!(concat!("page/", $name)))
    };
}

const INDEX: File = file!("index.html", "text/html; charset=utf-8");
const FILES: [File; 20] = [
    file!("icon.svg", "image/svg+xml"),
    file!("page.css", "text/css; charset=utf-8"),
    file!("api.js", "text/javascript; charset=utf-8"),
    file!("dom.js", "text/javascript; charset=utf-8"),
    file!("draw.js", "text/javascript; charset=utf-8"),
    file!("expression.js", "text/javascript; charset=utf-8"),
    file!("fold.js", "text/javascript; charset=utf-8"),
    file!("hairpin.js", "text/javascript; charset=utf-8"),
    file!("input.js", "text/javascript; charset=utf-8"),
    file!("lines.js", "text/javascript; charset=utf-8"),
    file!("matrix.js", "text/javascript; charset=utf-8"),
    file!("page.js", "text/javascript; charset=utf-8"),
    file!("pair.js", "text/javascript; charset=utf-8"),
    file!("problem.js", "text/javascript; charset=utf-8"),
    file!("scan.js", "text/javascript; charset=utf-8"),
    file!("sites.js", "text/javascript; charset=utf-8"),
    file!("table.js", "text/javascript; charset=utf-8"),
    file!("tool.js", "text/javascript; charset=utf-8"),
    file!("track.js", "text/javascript; charset=utf-8"),
    file!("worth.js", "text/javascript; charset=utf-8"),
];

/// Nothing from elsewhere, no script within the page, and no page around it. A picture of the API is shown from memory.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Use the service by hand
#[utoipa::path(
    get, path = "/", tag = "service", operation_id = "home",
    responses((status = 200, body = String, content_type = "text/html", description = "A page for people"),
        BareProblems),
)]
pub(super) async fn home(headers: HeaderMap) -> Response {
    reply(INDEX, &headers)
}

/// The page's files.
pub(super) fn files() -> Router<AppState> {
    let file = async |Path(name): Path<String>, headers: HeaderMap| -> Result<Response, Problem> {
        let found = FILES.into_iter().find(|file| file.0 == name);
        Ok(reply(found.ok_or(Problem::NotFound)?, &headers))
    };
    Router::new().route("/page/{file}", get(file))
}

/// The file, or that the browser has it: the files belong together, so that a browser asks for each anew.
fn reply((_, media_type, text): File, headers: &HeaderMap) -> Response {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    // Weak, since it is the same however the file is compressed.
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let sent = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|sent| sent.to_str().ok());
    let strong = tag.trim_start_matches("W/");
    let known = sent
        .flat_map(|sent| sent.split(',').map(str::trim))
        .any(|sent| sent == "*" || sent.trim_start_matches("W/") == strong);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => text.into_response(),
    };
    for (name, value) in [
        (header::CONTENT_TYPE, media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().extend(HeaderValue::try_from(tag).ok().map(|tag| (header::ETAG, tag)));
    response
}

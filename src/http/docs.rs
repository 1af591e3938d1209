//! `GET /docs`: Swagger UI, served from within the program. Every address in it is relative, so that it also works behind
//! a proxy that puts the service below a path.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use utoipa_swagger_ui::{Config, serve};

use super::problem::Problem;
use super::state::AppState;

/// People type keys here: nothing from elsewhere, and no page around it. Swagger UI writes styles into its elements.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; \
                      object-src 'none'; frame-ancestors 'none'";

/// The page and its files.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/docs", get(async || (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "docs/")])))
        .route("/docs/", get(async || file("index.html")))
        .route("/docs/{*file}", get(async |Path(path): Path<String>| file(&path)))
}

/// A file of Swagger UI, which replies share: as many as there are streams may wait for who does not read.
fn file(path: &str) -> Result<Response, Problem> {
    static CONFIG: LazyLock<Arc<Config<'static>>> =
        LazyLock::new(|| Arc::new(Config::from("../openapi.json")));
    let file = serve(path, CONFIG.clone()).map_err(|error| {
        tracing::error!(%error, path, "Swagger UI cannot be written");
        Problem::Internal
    })?;
    let file = file.ok_or(Problem::NotFound)?;
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let mut response = ([(header::CONTENT_TYPE, file.content_type)], bytes).into_response();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if file.gzpipped {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

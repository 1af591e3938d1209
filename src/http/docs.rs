//! `GET /docs`: Swagger UI, served from within the program. Every address in it is relative, so that it also works behind
//! a proxy that puts the service below a path.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_swagger_ui::{Config, serve};

use super::problem::Problem;
use super::state::AppState;

/// The page and its files.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/docs", get(async || (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "docs/")])))
        .route("/docs/", get(async || file("index.html")))
        .route("/docs/{*file}", get(async |Path(path): Path<String>| file(&path)))
}

fn file(path: &str) -> Result<Response, Problem> {
    let file = serve(path, Arc::new(Config::from("../openapi.json"))).map_err(|error| {
        tracing::error!(%error, path, "Swagger UI cannot be written");
        Problem::Internal
    })?;
    let file = file.ok_or(Problem::NotFound)?;
    Ok(([(header::CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response())
}

//! `GET /`: a page for people who open the address in a browser.

use axum::response::Html;

use super::openapi::BareProblems;

/// Read about the service
#[utoipa::path(
    get, path = "/", tag = "service", operation_id = "home",
    responses((status = 200, body = String, content_type = "text/html", description = "A page for people"),
        BareProblems),
)]
pub(super) async fn home() -> Html<&'static str> {
    Html(include_str!("home.html"))
}

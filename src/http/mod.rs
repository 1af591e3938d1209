//! The only place that knows HTTP, JSON and OpenAPI: one endpoint, one file.
//!
//! A request passes `measure`, `envelope` (its id, and whatever goes wrong further in as a problem body), `origin` (pages
//! of other origins), `auth` (`keys`, `rate`), for work also its `deadline`, then its handler; one that scores hands it to
//! `formats`. `envelope` and `body` have a net for panics, so that whatever panics further in is answered.

mod arrival;
mod auth;
mod body;
mod callers;
mod compress;
mod deadline;
mod decompress;
mod docs;
mod duplexes;
mod envelope;
mod explain;
mod expression;
mod formats;
mod hairpins;
mod health;
mod inference;
mod jobs;
mod keys;
mod measure;
mod metrics;
mod model_ref;
mod models;
mod net;
mod offload;
mod openapi;
mod origin;
mod page;
mod panel;
mod panics;
mod picture;
mod pre_mirnas;
mod probe;
mod problem;
mod process_metrics;
mod query;
mod rate;
mod reload;
mod row_reader;
mod rows;
mod scan;
mod scoring;
mod serve_error;
mod server;
mod service_info;
mod state;
mod target_sites;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use formats::Records as FastaRecords;
pub use jobs::start_jobs;
pub use keys::{Keys, Scope, new_key};
pub use probe::probe;
pub(crate) use problem::Errors;
pub(crate) use rows::Answerer;
pub(crate) use scan::names as scan_names;
pub use serve_error::ServeError;
pub use server::{Outcome, bind, serve};
pub use state::AppState;

/// The application: all routes and what surrounds them.
pub fn app(state: AppState) -> Router {
    let (routes, _) = routes().split_for_parts();
    let surroundings = ServiceBuilder::new()
        .layer(from_fn_with_state(state.clone(), surround))
        .layer(CompressionLayer::new());
    routes.merge(docs::routes()).merge(page::files()).layer(surroundings).with_state(state)
}

/// What every request passes, outermost first. One future for all: layers box each its own, and clone all within.
async fn surround(State(state): State<AppState>, request: Request, routes: Next) -> Response {
    let state = &state;
    let admitted = move |request| compress::bounded(state, request, |request| routes.run(request));
    let guarded = move |request| {
        auth::admit(state, request, move |request| async move {
            match query::check(&request).and_then(|()| decompress::decompress(request, state.callers())) {
                Ok(request) => admitted(request).await,
                Err(problem) => problem.into_response(),
            }
        })
    };
    let enveloped =
        move |request| body::read_on(state, request, move |request| origin::guard(state, request, guarded));
    measure::measure(request, move |request| envelope::envelope(request, enveloped)).await
}

/// What `--ops-bind` serves: health and metrics, with no key.
fn ops(state: AppState) -> Router {
    let (routes, _) = probes().routes(routes!(metrics::metrics)).split_for_parts();
    routes.layer(from_fn_with_state(state.clone(), surround_ops)).with_state(state)
}

async fn surround_ops(State(state): State<AppState>, request: Request, routes: Next) -> Response {
    let checked = async |request| match query::check(&request) {
        Ok(()) => routes.run(request).await,
        Err(problem) => problem.into_response(),
    };
    envelope::envelope(request, |request| body::read_on(&state, request, checked)).await
}

/// What answers the rows of jobs: nobody asks for a key, and nobody is counted.
fn answering(state: AppState) -> Router {
    let (routes, _) = work().split_for_parts();
    let surround = |mut request: Request, routes: Next| {
        request.extensions_mut().insert(rate::Caller::Jobs);
        envelope::envelope(request, |request| routes.run(request))
    };
    routes.layer(from_fn(surround)).with_state(state)
}

/// What a caller is answered who found all places taken: health, and that there is no place for more.
fn health(state: AppState) -> Router {
    let (routes, _) =
        probes().routes(routes!(inference::live)).routes(routes!(inference::ready)).split_for_parts();
    let crowded = async || problem::Problem::Crowded;
    let envelope = |request, routes: Next| envelope::envelope(request, |request| routes.run(request));
    routes.fallback(crowded).layer(from_fn(envelope)).with_state(state)
}

/// The OpenAPI document of the routes.
pub fn openapi() -> OpenApi {
    let mut api = routes().into_openapi();
    openapi::complete(&mut api);
    api
}

/// What scores.
fn work() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(target_sites::score))
        .routes(routes!(scan::scan))
        .routes(routes!(pre_mirnas::classify))
        .routes(routes!(expression::predict))
        .routes(routes!(duplexes::fold))
        .routes(routes!(hairpins::fold))
        .routes(routes!(explain::target_sites::explain))
        .routes(routes!(explain::pre_mirnas::explain))
        .routes(routes!(explain::expression::explain))
        .routes(routes!(inference::infer))
        .routes(routes!(inference::infer_version))
        .route_layer(from_fn(deadline::deadline))
}

fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::frame())
        .merge(work())
        .routes(routes!(jobs::submit, jobs::list))
        .routes(routes!(jobs::read, jobs::remove))
        .routes(routes!(jobs::results))
        .routes(routes!(models::list))
        .routes(routes!(models::card))
        .merge(probes())
        .routes(routes!(inference::server))
        .routes(routes!(inference::live))
        .routes(routes!(inference::ready))
        .routes(routes!(inference::model))
        .routes(routes!(inference::version))
        .routes(routes!(inference::model_ready))
        .routes(routes!(inference::version_ready))
        .routes(routes!(metrics::metrics))
        .routes(routes!(service_info::service_info))
        .routes(routes!(openapi::openapi))
        .routes(routes!(page::home))
}

fn probes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(health::live)).routes(routes!(health::ready))
}

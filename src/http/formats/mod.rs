//! The formats of a scoring request and of its reply.
//!
//! JSON and tables are taken whole or refused whole; lines are answered one by one while they come.

mod codec;
mod columns;
mod json;
mod lines;
mod table;
mod whole;

pub use columns::{by_column, row};
pub use json::{parse, to_json};
pub use table::cell;
pub use whole::score;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use serde::Deserialize;
use utoipa::IntoParams;

use super::body;
use super::offload::Bounds;
use super::problem::Problem;
use super::rate::Caller;
use super::rows::Question;
use super::state::AppState;
use crate::serving::{Registry, ServedModel};

/// Who answered, as `name@version`: lines and tables have no other place for it.
const X_MODEL: HeaderName = HeaderName::from_static("x-model");

/// What stands in the URL.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Asked {
    /// `name` or `name@version`; left out, the default model answers. A JSON request may name it in its body instead.
    #[param(required = false)]
    model: Option<String>,
}

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    /// One JSON object a line.
    Lines,
    /// Values between commas or tabs.
    Table(u8),
}

impl Format {
    const ALL: [(&str, Self); 4] = [
        ("application/json", Self::Json),
        ("application/x-ndjson", Self::Lines),
        ("text/csv", Self::Table(b',')),
        ("text/tab-separated-values", Self::Table(b'\t')),
    ];

    /// By a media type; parameters do not count.
    fn of(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        Self::ALL.iter().find(|(name, _)| essence.eq_ignore_ascii_case(name)).map(|&(_, format)| format)
    }

    fn media_type(self) -> &'static str {
        Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    /// Of the request; and of its reply: the first in `Accept` that suits, else the request's own.
    fn of_request(headers: &HeaderMap) -> Option<(Self, Self)> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let sent = Self::of(text(header::CONTENT_TYPE))?;
        // Whole requests are not answered by lines, nor lines by anything else.
        let suits = |wanted: &Self| (*wanted == Self::Lines) == (sent == Self::Lines);
        let wanted = text(header::ACCEPT).split(',').filter_map(Self::of).find(suits);
        Some((sent, wanted.unwrap_or(sent)))
    }
}

/// Answers a scoring request.
pub async fn answer<Q: Question>(
    state: &AppState,
    registry: &Registry,
    asked: Asked,
    request: Request,
) -> Result<Response, Problem> {
    let (sent, wanted) = Format::of_request(request.headers()).ok_or(Problem::MediaType)?;
    let resolve =
        |named: Option<String>| registry.resolve(Q::TASK, named.or(asked.model).as_deref()).cloned();
    let reply = (wanted, request.extensions().get().copied());
    let limit = state.config().max_body_bytes.get();
    let bounds = || Bounds::new(state.config().max_rows.get());
    let (served, mut response) = match sent {
        Format::Lines => {
            let served = resolve(None)?;
            let deadline = request.extensions().get().copied();
            let caller = Caller::of(&request);
            let asking = lines::Asking { caller, deadline };
            let response = lines::answer::<Q>(served.clone(), request.into_body(), state, asking).await?;
            (served, response)
        }
        Format::Json => {
            let mut found = json::read::<Q>(body::read(request, limit).await?, bounds()).await?;
            let served = resolve(found.model.take())?;
            let response = whole::answer(found, &served, state, reply).await?;
            (served, response)
        }
        Format::Table(delimiter) => {
            let served = resolve(None)?;
            let found = table::read::<Q>(body::read(request, limit).await?, delimiter, bounds()).await?;
            let response = whole::answer(found, &served, state, reply).await?;
            (served, response)
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted.media_type()));
    headers.insert(X_MODEL, model(&served));
    Ok(response)
}

fn model(served: &Arc<ServedModel>) -> HeaderValue {
    HeaderValue::from_str(&served.full_name()).expect("the names of folders that were loaded are plain words")
}

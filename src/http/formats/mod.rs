//! The formats of a scoring request and of its reply.
//!
//! JSON, tables and FASTA files are taken whole or refused whole; lines are answered one by one while they come, and so
//! are the rows of a table or a FASTA file whose reply is to be lines.

mod asked;
mod cells;
mod codec;
mod column_errors;
mod columns;
mod draft;
mod ending;
mod fasta;
mod hints;
mod json;
mod line;
mod lines;
mod media;
mod object;
mod others;
mod quotes;
mod relay;
mod reply;
mod row_names;
mod rows_of_table;
mod table;
mod text;
mod values;
mod whole;

pub(super) use asked::{Asked, flag};
pub(super) use draft::{Draft, unknown, whole_number};
pub(super) use ending::Ending;
pub(crate) use fasta::{Record, Records};
pub(super) use json::without_bom;
pub(super) use lines::driven;
pub(super) use media::negotiate;
pub(super) use object::{Fields, Fill, Limits, List, Object, object, pointer_to};
pub(super) use others::to_json;
pub(super) use reply::{by_column, cell, field};
pub(super) use values::{levels, optional_whole, whole};
pub(super) use whole::score;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

use super::body;
use super::offload::{Bounds, offload};
use super::problem::Problem;
use super::rate::Caller;
use super::rows::{Answerer, Found, ScoringEndpoint};
use super::state::AppState;
use crate::serving::{Registry, ServedModel};
use line::Reading;
use media::{Format, Sent};

/// Who answered, as `name@version`: lines and tables have no other place for it.
pub(super) const X_MODEL: HeaderName = HeaderName::from_static("x-model");
/// From here on a file is read away from the connections' threads.
const HEAVY_BYTES: usize = 16 * 1024;

/// Answers a scoring request.
pub(super) async fn answer<S: ScoringEndpoint>(
    state: &AppState,
    registry: &Registry,
    request: Request,
) -> Result<Response, Problem> {
    let asked = Asked::read::<S>(request.uri())?;
    let (sent, wanted, media_type) = media::of_request(request.headers(), S::DRAWS)?;
    asked.suits(sent.format)?;
    if sent.format == Format::Fasta {
        fasta::check::<S>(&asked)?;
    }
    // Who is named in the URL, or else the default; nobody where no model is needed.
    let resolve = |model: Option<&str>| S::TASK.map(|task| registry.resolve(task, model)).transpose();
    let named = asked.model.as_deref().map(|model| resolve(Some(model))).transpose()?.flatten();
    let served = match named {
        Some(served) => Ok(Some(served)),
        None => resolve(None),
    };
    let answerer =
        |served: &Option<Arc<ServedModel>>| Answerer { served: served.clone(), mirbase: state.mirbase() };
    let reply = (wanted, request.extensions().get().copied());
    let asking =
        lines::Asking { caller: Caller::of(&request), deadline: request.extensions().get().copied() };
    let (served, mut response) = match (sent.format, wanted) {
        (Format::Lines, _) => {
            let served = served?.cloned();
            let response = lines::answer::<S>(
                answerer(&served),
                state,
                asking,
                Reading { asked, columns: None },
                request.into_body(),
            )
            .await?;
            (served, response)
        }
        (_, Format::Lines) => {
            let served = served?.cloned();
            let (bytes, permit) = body::read(request, state).await?;
            let (heavy, unbounded, url) =
                (bytes.len() >= HEAVY_BYTES, Bounds::new(usize::MAX), asked.clone());
            let (body, columns) =
                offload(heavy, unbounded, move |_| relay::lines::<S>(bytes, &sent, &url)).await?;
            let reading = Reading { asked, columns };
            let response = lines::answer::<S>(answerer(&served), state, asking, reading, body).await?;
            (served, permit.hold(response))
        }
        _ => {
            let (bytes, mut permit) = body::read(request, state).await?;
            let (length, settings) = (bytes.len(), asked.settings.clone());
            let mut found =
                parse_body::<S>(bytes, sent, asked, Bounds::new(S::most_rows(state.config()))).await?;
            found.settings.extend(settings);
            let served = match found.model.take() {
                None => served?.cloned(),
                Some(model) => {
                    let of_body = resolve(Some(&model))?;
                    if named.zip(of_body).is_some_and(|(named, of_body)| !Arc::ptr_eq(named, of_body)) {
                        let detail =
                            "the URL and the body name different models; leave one of them out".into();
                        return Err(Problem::BadHeader(detail));
                    }
                    of_body.cloned()
                }
            };
            permit.grow_by_rows(length, found.rows.len(), found.passed.bytes()).await?;
            let response = whole::write_reply(found, &answerer(&served), state, reply).await?;
            (served, permit.hold(response))
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(served) = served {
        headers.insert(X_MODEL, model(&served));
    }
    Ok(response)
}

/// The rows of a body that is taken whole.
async fn parse_body<S: ScoringEndpoint>(
    bytes: bytes::Bytes,
    sent: Sent,
    asked: Asked,
    bounds: Bounds,
) -> Result<Found<S>, Problem> {
    let Sent { format, charset } = sent;
    let heavy = bytes.len() >= HEAVY_BYTES;
    match format {
        Format::Table(delimiter) => {
            let read = move |bounds: &Bounds| {
                rows_of_table::read(bytes, (delimiter, charset.as_deref()), &asked, bounds)
            };
            offload(heavy, bounds, read).await
        }
        Format::Fasta => {
            let read = move |bounds: &Bounds| fasta::read(bytes, charset.as_deref(), &asked, bounds);
            offload(heavy, bounds, read).await
        }
        Format::Json | Format::Lines | Format::Svg => json::read(bytes, &asked, bounds).await,
    }
}

/// Who answered, for [`X_MODEL`].
pub(super) fn model(served: &ServedModel) -> HeaderValue {
    HeaderValue::from_str(&served.full_name()).expect("the names of folders that were loaded are plain words")
}

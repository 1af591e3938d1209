//! The formats of a scoring request and of its reply.
//!
//! JSON, tables and FASTA files are taken whole or refused whole; lines are answered one by one while they come, and so
//! are the rows of any other body whose reply is to be lines.

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
mod upload;
mod values;
mod whole;

pub(super) use asked::{Asked, flag};
pub(super) use draft::{Draft, meant, pointer, what, whole_number};
pub(super) use ending::Ending;
pub(crate) use fasta::{Record, Records};
pub(super) use hints::{broken_json, in_place_of_a_value};
pub(super) use json::without_bom;
pub(super) use lines::driven;
pub(super) use media::{negotiate, weight};
pub(super) use object::{Entries, Fields, Fill, Limits, List, Object, object, pointer_to};
pub(super) use others::{MOST as MOST_PASSED, passed_cell, to_json};
pub(super) use reply::{by_column, cell, field, flat};
pub(super) use values::{levels, optional_whole, whole};
pub(super) use whole::score;

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::body;
use super::offload::{Bounds, offload};
use super::problem::Problem;
use super::rate::Caller;
use super::rows::{Answerer, Found, ScoringEndpoint};
use super::state::AppState;
use crate::jobs::{Answerers, Resume};
use crate::serving::{Registry, ServedModel};
use line::Reading;
use media::{Format, Sent};

/// Who answered, as `name@version`: lines and tables have no other place for it.
pub(super) const X_MODEL: HeaderName = HeaderName::from_static("x-model");
/// From here on a file is read away from the connections' threads.
const HEAVY_BYTES: usize = 16 * 1024;

/// What the URL and the headers of a scoring request ask for.
struct Call {
    asked: Asked,
    sent: Sent,
    wanted: Format,
    media_type: &'static str,
}

impl Call {
    fn read<S: ScoringEndpoint>(uri: &Uri, headers: &HeaderMap) -> Result<Self, Problem> {
        let asked = Asked::read::<S>(uri)?;
        let (sent, wanted, media_type) = media::of_request(headers, S::DRAWS)?;
        asked.suits(sent.format)?;
        if sent.format == Format::Fasta {
            fasta::check::<S>(&asked)?;
        }
        Ok(Self { asked, sent, wanted, media_type })
    }
}

/// Whether a request of this URL and these headers would be answered, as far as can be told without its body; and whether
/// that may come as lines, which need not be in memory.
pub(super) fn check<S: ScoringEndpoint>(
    registry: &Registry,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<bool, Problem> {
    let call = Call::read::<S>(uri, headers)?;
    if let (Some(task), Some(model)) = (S::TASK, &call.asked.model) {
        registry.resolve(task, Some(model))?;
    }
    Ok(call.sent.format == Format::Lines)
}

/// Answers a scoring request.
pub(super) async fn answer<S: ScoringEndpoint>(
    state: &AppState,
    registry: &Registry,
    request: Request,
) -> Result<Response, Problem> {
    let Call { mut asked, sent, wanted, media_type } = Call::read::<S>(request.uri(), request.headers())?;
    // Who is named in the URL, or else the default; nobody where no model is needed.
    let resolve = |model: Option<&str>| S::TASK.map(|task| registry.resolve(task, model)).transpose();
    let named = asked.model.as_deref().map(|model| resolve(Some(model))).transpose()?.flatten();
    let of_url = match named {
        Some(served) => Ok(Some(served)),
        None => resolve(None),
    };
    // The body may name a model in place of the URL, but no other; that of a job that goes on was heard before.
    let is_settled = request.extensions().get().is_some_and(Resume::is_settled);
    let settle = |of_body: Option<String>| match of_body.filter(|_| !is_settled) {
        None => of_url.clone().map(|served| served.cloned()).map_err(Problem::from),
        Some(model) => {
            let of_body = resolve(Some(&model))?;
            if named.zip(of_body).is_some_and(|(named, of_body)| !Arc::ptr_eq(named, of_body)) {
                let detail = "the URL and the body name different models; leave one of them out".into();
                return Err(Problem::BadHeader(detail));
            }
            Ok(of_body.cloned())
        }
    };
    if sent.format != Format::Json {
        settle(None)?;
    }
    let answerer =
        |served: &Option<Arc<ServedModel>>| Answerer { served: served.clone(), mirbase: state.mirbase() };
    let reply = (wanted, request.extensions().get().copied());
    let asking = lines::Asking {
        caller: Caller::of(&request),
        deadline: request.extensions().get().copied(),
        resume: request.extensions().get().cloned(),
    };
    let (served, mut response) = match (sent.format, wanted) {
        (Format::Lines, _) => {
            let served = settle(None)?;
            let reading = Reading { asked, columns: None };
            let body = request.into_body();
            let response = lines::answer::<S>(answerer(&served), state, asking, reading, body).await?;
            (served, response)
        }
        (_, Format::Lines) => {
            let (bytes, permit) = body::read(request, state).await?;
            let (heavy, unbounded, url) =
                (bytes.len() >= HEAVY_BYTES, Bounds::new(usize::MAX), asked.clone());
            let relay = move |bounds: &Bounds| relay::lines::<S>(bytes, &sent, &url, bounds);
            let file = offload(heavy, unbounded, relay).await?;
            asked.settings.extend(file.settings);
            let served = settle(file.model)?;
            let reading = Reading { asked, columns: file.columns };
            let response = lines::answer::<S>(answerer(&served), state, asking, reading, file.body).await?;
            (served, permit.hold(response))
        }
        _ => {
            let (bytes, mut permit) = body::read(request, state).await?;
            let (length, settings) = (bytes.len(), asked.settings.clone());
            let mut found =
                parse_body::<S>(bytes, sent, asked, Bounds::new(S::most_rows(state.config()))).await?;
            found.settings.extend(settings);
            let served = settle(found.model.take())?;
            permit.grow_by_rows(length, found.rows.len(), found.passed.bytes()).await?;
            let response = whole::write_reply(found, &answerer(&served), state, reply, &permit.share).await?;
            (served, permit.hold(response))
        }
    };
    response.extensions_mut().insert(answerers(served.iter().map(|served| ("model", &**served))));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    if let Some(served) = served {
        headers.insert(X_MODEL, model(&served));
    }
    Ok(response)
}

/// Who answered, for a job, by the names of the parameters that ask for them.
pub(super) fn answerers<'a>(served: impl Iterator<Item = (&'a str, &'a ServedModel)>) -> Answerers {
    let each = served.map(|(name, ServedModel { config, .. })| {
        let who = json!({"name": config.model, "version": config.version, "weights_sha256": config.sha256});
        (name.to_owned(), who)
    });
    Answerers(Value::Object(each.collect()))
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

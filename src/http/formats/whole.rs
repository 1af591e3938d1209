//! Requests that are taken whole or refused whole.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::media::Format;
use super::reply;
use crate::http::deadline::Deadline;
use crate::http::model_ref::ModelRef;
use crate::http::offload::{Bounds, Pool, offload_to};
use crate::http::problem::{ErrorCode, Errors, FieldError, Problem};
use crate::http::rows::{Answerer, Found, FoundRow, HEAVY_ROWS, ScoringEndpoint, settings};
use crate::http::scoring::{self, Row, Timing};
use crate::http::state::AppState;

/// A request's rows may cost so much together, see [`ScoringEndpoint::work`]: it is answered within a drain.
const MOST_WORK: u64 = 10_000_000_000;
/// Two milliseconds: no longer is a connection's thread kept.
const LIGHT_WORK: u64 = 2_000_000;
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Scores rows and writes the reply.
pub(super) async fn write_reply<S: ScoringEndpoint>(
    mut found: Found<S>,
    answerer: &Answerer,
    state: &AppState,
    (wanted, deadline): (Format, Option<Deadline>),
) -> Result<Response, Problem> {
    let passed = std::mem::take(&mut found.passed);
    if wanted == Format::Svg && found.rows.len() > 1 {
        let detail = "a picture is of one row; send one, or ask for another format".into();
        return Err(FieldError::new(format!("/{}", S::LIST), ErrorCode::InvalidLength, detail).into());
    }
    let (results, timing) = score(found, answerer, state, deadline).await?;
    let body = match wanted {
        Format::Svg => results.first().map(S::picture).unwrap_or_default().into(),
        Format::Table(delimiter) => reply::table(delimiter, S::columns(&results), results, passed),
        _ => reply::json(answerer.served.as_deref().map(ModelRef::of), results, passed),
    };
    Ok(([(SERVER_TIMING, timing)], body).into_response())
}

/// Reads all rows and asks the model; also tells, for callers and for `make bench`, where the time went.
pub(crate) async fn score<S: ScoringEndpoint>(
    found: Found<S>,
    answerer: &Answerer,
    state: &AppState,
    deadline: Option<Deadline>,
) -> Result<(Vec<S::Result>, HeaderValue), Problem> {
    let settings = settings(&found.settings, answerer)?;
    let rows = found.rows;
    if rows.is_empty() {
        let (pointer, detail) = (format!("/{}", S::LIST), "at least one row is needed".into());
        return Err(FieldError::new(pointer, ErrorCode::EmptyList, detail).into());
    }
    let work = rows.iter().filter_map(|row| row.row.as_ref().ok()).map(S::work).sum();
    let (pool, reader) = (pool(work, rows.len()), answerer.clone());
    let bounds = Bounds::new(S::most_rows(state.config()));
    let parse = move |bounds: &Bounds| parse_rows(rows, &settings, &reader, bounds);
    let rows = offload_to(pool, bounds, parse).await?;
    let (answers, timing) =
        scoring::predict_all(rows, answerer.served.as_ref(), deadline.map(|deadline| deadline.0)).await?;
    let threshold = answerer.threshold();
    let results: Option<Vec<S::Result>> =
        answers.into_iter().map(|answer| Some(S::decode_row(answer?, threshold))).collect();
    Ok((results.ok_or(Problem::Internal)?, server_timing(timing)))
}

/// Where so much work, see [`ScoringEndpoint::work`], or so many rows are dealt with.
pub(super) fn pool(work: u64, rows: usize) -> Option<Pool> {
    match work > LIGHT_WORK {
        true => Some(Pool::Folds),
        false => (rows >= HEAVY_ROWS).then_some(Pool::Rows),
    }
}

/// All rows, or every error in them.
fn parse_rows<S: ScoringEndpoint>(
    rows: Vec<FoundRow<S>>,
    settings: &S::Settings,
    answerer: &Answerer,
    bounds: &Bounds,
) -> Result<Vec<Row<S::Echo>>, Problem> {
    let (mut read, mut errors, mut work) = (Vec::with_capacity(rows.len()), Errors::default(), 0);
    for (index, FoundRow { line, row }) in rows.into_iter().enumerate() {
        bounds.admit(index)?;
        let cost = row.as_ref().map_or(0, S::work);
        if cost > 0 {
            bounds.look()?;
        }
        work += cost;
        if work > MOST_WORK {
            return Err(Problem::TooMuchWork { model: "folding".to_owned(), rows: index });
        }
        match row.and_then(|row| Row::parse(row, settings, format!("/{}/{index}", S::LIST), answerer)) {
            Ok(row) => read.push(row),
            Err(of_row) => errors.extend(of_row.into_iter().map(|error| error.at_line(line))),
        }
    }
    errors.into_result().map(|()| read)
}

fn server_timing(timing: Timing) -> HeaderValue {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let text = format!("queue;dur={:.3}, forward;dur={:.3}", ms(timing.queued), ms(timing.forward));
    HeaderValue::from_str(&text).expect("digits and ASCII words")
}

//! Requests that are taken whole or refused whole.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::media::Format;
use super::reply;
use crate::http::callers::CallerShare;
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

/// Folding of so much is a stretch, a tenth of a second: then others have their turn.
const STRETCH: u64 = 100_000_000;

/// Scores rows and writes the reply.
pub(super) async fn write_reply<S: ScoringEndpoint>(
    mut found: Found<S>,
    answerer: &Answerer,
    state: &AppState,
    (wanted, deadline): (Format, Option<Deadline>),
    share: &Arc<CallerShare>,
) -> Result<Response, Problem> {
    let passed = std::mem::take(&mut found.passed);
    if wanted == Format::Svg && found.rows.len() > 1 {
        let detail = "a picture is of one row; send one, or ask for another format".into();
        return Err(FieldError::new(format!("/{}", S::LIST), ErrorCode::InvalidLength, detail).into());
    }
    let (results, timing) = score(found, answerer, state, (deadline, share)).await?;
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
    (deadline, share): (Option<Deadline>, &Arc<CallerShare>),
) -> Result<(Vec<S::Result>, HeaderValue), Problem> {
    let settings: S::Settings = settings(&found.settings, answerer)?;
    let rows = found.rows;
    if rows.is_empty() {
        let (pointer, detail) = (format!("/{}", S::LIST), "at least one row is needed".into());
        return Err(FieldError::new(pointer, ErrorCode::EmptyList, detail).into());
    }
    let pool = pool(work_of(&rows)?, rows.len(), share);
    let (mut read, mut errors, mut first) = (Vec::with_capacity(rows.len()), Errors::default(), 0);
    for rows in stretches(rows) {
        let (next, settings, reader) = (first + rows.len(), settings.clone(), answerer.clone());
        let bounds = Bounds::new(S::most_rows(state.config()));
        let parse = move |bounds: &Bounds| parse_rows(rows, first, &settings, &reader, bounds);
        let (of_stretch, wrong) = offload_to(pool.clone(), bounds, parse).await?;
        read.extend(of_stretch);
        errors.merge(wrong);
        first = next;
    }
    errors.into_result()?;
    let deadline = deadline.map(|deadline| deadline.0);
    let (answers, timing) = scoring::predict_all(read, answerer.served.as_ref(), (deadline, share)).await?;
    let threshold = answerer.threshold();
    let results: Option<Vec<S::Result>> =
        answers.into_iter().map(|answer| Some(S::decode_row(answer?, threshold))).collect();
    Ok((results.ok_or(Problem::Internal)?, server_timing(timing)))
}

/// Where so much work, see [`ScoringEndpoint::work`], or so many rows are dealt with.
pub(super) fn pool(work: u64, rows: usize, share: &Arc<CallerShare>) -> Option<Pool> {
    match work > LIGHT_WORK {
        true => Some(Pool::Folds(share.clone())),
        false => (rows >= HEAVY_ROWS).then_some(Pool::Rows),
    }
}

fn work_of_row<S: ScoringEndpoint>(FoundRow { row, .. }: &FoundRow<S>) -> u64 {
    row.as_ref().map_or(0, S::work)
}

/// The work of all rows.
///
/// # Errors
/// [`Problem::TooMuchWork`], before any of it is done: how many of these rows may be sent.
fn work_of<S: ScoringEndpoint>(rows: &[FoundRow<S>]) -> Result<u64, Problem> {
    let mut work = 0;
    for (index, row) in rows.iter().enumerate() {
        work += work_of_row(row);
        if work > MOST_WORK {
            return Err(Problem::TooMuchWork { model: "folding".to_owned(), rows: index });
        }
    }
    Ok(work)
}

/// Consecutive rows of so much work together, or one row.
fn stretches<S: ScoringEndpoint>(rows: Vec<FoundRow<S>>) -> Vec<Vec<FoundRow<S>>> {
    let (mut stretches, mut work) = (vec![Vec::new()], 0);
    for row in rows {
        let own = work_of_row(&row);
        if work > 0 && work + own > STRETCH {
            stretches.push(Vec::new());
            work = 0;
        }
        work += own;
        stretches.last_mut().expect("there is one").push(row);
    }
    stretches
}

/// Rows that were read, and every error in the others.
type Read<S> = (Vec<Row<<S as ScoringEndpoint>::Echo>>, Errors);

/// Consecutive rows, the first of which is row `first` of the request.
fn parse_rows<S: ScoringEndpoint>(
    rows: Vec<FoundRow<S>>,
    first: usize,
    settings: &S::Settings,
    answerer: &Answerer,
    bounds: &Bounds,
) -> Result<Read<S>, Problem> {
    let (mut read, mut errors) = (Vec::with_capacity(rows.len()), Errors::default());
    for (index, row) in (first..).zip(rows) {
        bounds.admit(index)?;
        if work_of_row(&row) > 0 {
            bounds.look()?;
        }
        let FoundRow { line, row } = row;
        match row.and_then(|row| Row::parse(row, settings, format!("/{}/{index}", S::LIST), answerer)) {
            Ok(row) => read.push(row),
            Err(of_row) => errors.merge(of_row.at_line(line)),
        }
    }
    Ok((read, errors))
}

fn server_timing(timing: Timing) -> HeaderValue {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let text = format!("queue;dur={:.3}, forward;dur={:.3}", ms(timing.queued), ms(timing.forward));
    HeaderValue::from_str(&text).expect("digits and ASCII words")
}

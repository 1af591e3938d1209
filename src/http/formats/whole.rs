//! Requests that are taken whole or refused whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::{Format, json, table};
use crate::http::deadline::Deadline;
use crate::http::models::ModelRef;
use crate::http::offload::{Bounds, offload};
use crate::http::problem::{ErrorCode, Errors, FieldError, Problem};
use crate::http::rows::{Found, FoundRow, HEAVY_ROWS, Question, Read, read};
use crate::http::state::AppState;
use crate::models::WeightsConfig;
use crate::serving::{Prediction, ServedModel};

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Scores rows and writes the reply.
pub async fn answer<Q: Question>(
    found: Found<Q>,
    served: &Arc<ServedModel>,
    state: &AppState,
    (wanted, deadline): (Format, Option<Deadline>),
) -> Result<Response, Problem> {
    let (results, timing) = score(found, served, state, deadline).await?;
    let body = match wanted {
        Format::Table(delimiter) => table::write(delimiter, Q::COLUMNS, &results),
        Format::Json | Format::Lines => json::write(&ModelRef::of(served), results),
    };
    Ok(([(SERVER_TIMING, timing)], body).into_response())
}

/// Reads all rows and asks the model; also tells, for callers and for `make bench`, where the time went.
pub async fn score<Q: Question>(
    found: Found<Q>,
    served: &Arc<ServedModel>,
    state: &AppState,
    deadline: Option<Deadline>,
) -> Result<(Vec<Q::Result>, HeaderValue), Problem> {
    let Found { rows, .. } = found;
    if rows.is_empty() {
        let (pointer, detail) = (format!("/{}", Q::LIST), "at least one row is needed".into());
        return Err(FieldError::new(pointer, ErrorCode::EmptyList, detail).into());
    }
    let (heavy, reader) = (rows.len() >= HEAVY_ROWS, served.clone());
    let bounds = Bounds::new(state.config().max_rows.get());
    let (rows, inputs) = offload(heavy, bounds, move |bounds| read_all(rows, &reader, bounds)).await?;
    let WeightsConfig { model, version, .. } = &served.config;
    let span = tracing::info_span!("predict", model = %format_args!("{model}@{version}"));
    let predicting = served.predictor.predict(inputs, deadline.map(|deadline| deadline.0));
    let prediction = predicting.instrument(span).await?;
    let mut outputs = prediction.outputs.as_slice();
    let threshold = served.config.threshold();
    let results: Option<Vec<Q::Result>> = rows
        .into_iter()
        .map(|row| row.answer(&mut outputs).map(|answer| Q::result(answer, threshold)))
        .collect();
    Ok((results.ok_or(Problem::Internal)?, server_timing(&prediction)))
}

/// Rows, and their inputs one after the other.
type Rows<K> = (Vec<Read<K>>, Vec<f32>);

/// All rows, or every error in them.
fn read_all<Q: Question>(
    rows: Vec<FoundRow<Q>>,
    served: &ServedModel,
    bounds: &Bounds,
) -> Result<Rows<Q::Kept>, Problem> {
    let started = Instant::now();
    let (mut found, mut inputs, mut errors) = (Vec::with_capacity(rows.len()), Vec::new(), Errors::default());
    for (index, FoundRow { line, row }) in rows.into_iter().enumerate() {
        bounds.admit(index)?;
        match row.and_then(|row| read(row, format!("/{}/{index}", Q::LIST), served, &mut inputs)) {
            Ok(row) => found.push(row),
            Err(of_row) => errors.extend(of_row.into_iter().map(|error| error.at_line(line))),
        }
    }
    served.predictor.meters().encode.record(started.elapsed());
    errors.into_result().map(|()| (found, inputs))
}

fn server_timing(prediction: &Prediction) -> HeaderValue {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let text = format!("queue;dur={:.3}, forward;dur={:.3}", ms(prediction.queued), ms(prediction.forward));
    HeaderValue::from_str(&text).expect("digits and ASCII words")
}

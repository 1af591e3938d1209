//! From rows that were read to answers: places for their inputs, then, a part at a time, bytes, encoding and the model.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use mirador_models::encoding::best_window;
use mirador_models::tasks::Input;
use mirna::Base;
use tracing::Instrument;

use super::offload::{Bounds, offload};
use super::problem::{ErrorCode, FieldError, Problem};
use super::rows::{Answer, HEAVY_ROWS, ScoringEndpoint, parse_row};
use crate::serving::{PredictError, Prediction, Room, ServedModel, Share};

/// Parts of one request that are encoded or scored at once: enough to keep the workers busy, few enough for its memory
/// to stay flat.
pub const PARTS_AT_ONCE: usize = 4;

/// A row that was read.
pub struct Row<K> {
    input: Input,
    /// How many inputs of the model it takes.
    pub inputs: usize,
    echo: K,
    /// The part of a site that each input shows, once it is encoded.
    windows: Vec<Range<usize>>,
    warnings: Vec<String>,
}

/// A row's answer; `None` where the network failed on it.
pub type Answered<K> = Option<Answer<K>>;

impl<K> Row<K> {
    /// Reads a row, or finds every error in it. `pointer` is the row's place in the request.
    pub fn parse<S: ScoringEndpoint<Echo = K>>(
        row: S,
        pointer: String,
        served: &ServedModel,
    ) -> Result<Self, Vec<FieldError>> {
        let (input, echo, warnings) = parse_row(row, pointer.clone(), served)?;
        if let Some(letters) = served.encoder.letters_read(&input) {
            let known = letters.iter().filter(|letter| **letter != Base::N).count();
            if 2 * known < letters.len() {
                let detail = format!(
                    "{} reads {} letters round the start of transcription, of which {known} are known; at least half \
                     have to be, so send what is known there",
                    served.full_name(),
                    letters.len()
                );
                let pointer = format!("{pointer}/promoter");
                return Err(vec![FieldError::new(pointer, ErrorCode::TooLittleKnown, detail)]);
            }
        }
        let inputs = served.encoder.inputs(&input);
        Ok(Self { input, inputs, echo, windows: Vec::new(), warnings })
    }

    /// Appends its inputs.
    fn encode(&mut self, served: &ServedModel, inputs: &mut Vec<f32>) {
        let encoded = served.encoder.encode(&self.input);
        let positions = encoded.inputs() * served.encoder.positions;
        let letters = self.input.letters().min(positions) as f64;
        served.predictor.metrics().padding.record(1.0 - letters / positions as f64);
        inputs.extend(encoded.values);
        self.windows = encoded.windows;
        self.warnings.extend(encoded.warnings);
        self.warnings.extend(served.model.caution.map(str::to_owned));
    }

    /// Takes the outputs of its inputs off the front of `outputs`.
    fn decode(mut self, outputs: &mut &[Option<f32>]) -> Answered<K> {
        let (own, rest) = outputs.split_at(self.inputs);
        *outputs = rest;
        let own: Vec<f32> = own.iter().copied().collect::<Option<_>>()?;
        let (output, window) = best_window(&self.windows, &own);
        self.warnings.extend(window);
        Some(Answer { echo: self.echo, output, warnings: self.warnings })
    }
}

/// Where the time of a request went.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// From admission until a worker took the first input.
    pub queued: Duration,
    /// Time that workers spent on batches with inputs of the request.
    pub forward: Duration,
}

/// All rows of a request, or none: there is room for all of them before the first is encoded.
pub async fn predict_all<K: Send + 'static>(
    rows: Vec<Row<K>>,
    served: &Arc<ServedModel>,
    deadline: Option<Instant>,
) -> Result<(Vec<Answered<K>>, Timing), Problem> {
    let inputs = rows.iter().map(|row| row.inputs).sum();
    let share = if rows.len() <= crate::serving::FEW { Share::Small } else { Share::Large };
    let refused = |error| match error {
        PredictError::TooMuch { inputs: most } => {
            // As many as would fit of rows like these.
            Problem::TooMuchWork { model: served.full_name(), rows: rows.len() * most / inputs }
        }
        other => refusal(other, served),
    };
    let mut room = served.predictor.reserve(share, inputs, deadline).await.map_err(refused)?;
    let mut answers = Vec::with_capacity(rows.len());
    let mut timing = Timing { queued: Duration::MAX, forward: Duration::ZERO };
    let ask = |part: Vec<Row<K>>| {
        let room = room.split(part.iter().map(|row| row.inputs).sum());
        predict_part(part, room, served.clone(), deadline)
    };
    let parts = parts(rows, served.predictor.most_inputs_at_once());
    let mut done = stream::iter(parts).map(ask).buffered(PARTS_AT_ONCE);
    while let Some((part, of_part)) = done.try_next().await.map_err(|error| refusal(error, served))? {
        answers.extend(part);
        timing.queued = timing.queued.min(of_part.queued);
        timing.forward += of_part.forward;
    }
    Ok((answers, timing))
}

/// A few rows, which have places: their bytes, their inputs, their outputs.
pub async fn predict_part<K: Send + 'static>(
    mut rows: Vec<Row<K>>,
    room: Room,
    served: Arc<ServedModel>,
    deadline: Option<Instant>,
) -> Result<(Vec<Answered<K>>, Timing), PredictError> {
    let place = served.predictor.place(room).await?;
    let (heavy, encoder) = (rows.len() >= HEAVY_ROWS, served.clone());
    let encode = move |_: &Bounds| {
        let started = Instant::now();
        let mut inputs = Vec::with_capacity(place.inputs() * encoder.encoder.width);
        rows.iter_mut().for_each(|row| row.encode(&encoder, &mut inputs));
        encoder.predictor.metrics().encode.record(started.elapsed());
        (rows, inputs, place)
    };
    let (rows, inputs, place) = offload(heavy, Bounds::new(usize::MAX), encode).await;
    let span = tracing::info_span!("predict", model = %served.full_name());
    let predicting = served.predictor.predict(inputs, place, deadline);
    let Prediction { outputs, queued, forward } = predicting.instrument(span).await?;
    let mut outputs = outputs.as_slice();
    Ok((rows.into_iter().map(|row| row.decode(&mut outputs)).collect(), Timing { queued, forward }))
}

/// Consecutive rows of at most so many inputs, or one row.
fn parts<K>(rows: Vec<Row<K>>, most: usize) -> Vec<Vec<Row<K>>> {
    let mut parts: Vec<Vec<Row<K>>> = Vec::new();
    let mut left = 0;
    for row in rows {
        match parts.last_mut() {
            Some(part) if row.inputs <= left => {
                left -= row.inputs;
                part.push(row);
            }
            _ => {
                left = most.saturating_sub(row.inputs);
                parts.push(vec![row]);
            }
        }
    }
    parts
}

/// Why rows have no answers, to the caller.
pub fn refusal(error: PredictError, served: &ServedModel) -> Problem {
    match error {
        // Asked again when the work that is there is done.
        PredictError::Full => Problem::QueueFull(served.predictor.work_ahead().as_secs_f64().ceil() as u64),
        PredictError::TooMuch { inputs } => Problem::TooMuchWork { model: served.full_name(), rows: inputs },
        PredictError::Broken => Problem::ModelFault(served.full_name()),
        PredictError::Failed => Problem::Internal,
        PredictError::Closed => Problem::Draining,
    }
}

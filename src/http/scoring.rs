//! From rows that were read to answers: places for their inputs, then, a part at a time, bytes, encoding and the model.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use mirador_models::Competition;
use mirador_models::encoding::best_window;
use mirador_models::interpret::Change;
use mirador_models::tasks::Input;
use mirna::Base;
use tracing::Instrument;

use super::callers::CallerShare;
use super::offload::{Bounds, Pool, offload_to};
use super::problem::{ErrorCode, Errors, FieldError, Problem};
use super::rows::{Answer, Answerer, HEAVY_ROWS, Parsed, ScoringEndpoint, Settings, parse_row};
use crate::serving::{FEW, PredictError, Room, ServedModel, Share};

/// Parts of one request that are encoded or scored at once: enough to keep the workers busy, few enough for its memory
/// to stay flat.
pub(super) const PARTS_AT_ONCE: usize = 4;

/// A row that was parsed.
pub(super) struct Row<K> {
    /// The row as the model reads it; `None` where no model is asked.
    input: Option<Input>,
    changes: Vec<Change>,
    /// How many inputs of the model the row takes, with all its changes.
    pub inputs: usize,
    echo: K,
    /// What the row's pair is compared with, in place of what the model has.
    competition: Option<Arc<Competition>>,
    /// The part of a site that each input shows, once it is encoded.
    windows: Vec<Range<usize>>,
    warnings: Vec<String>,
}

/// A row's answer; `None` where the network failed on it.
pub(super) type Answered<K> = Option<Answer<K>>;

impl<K> Row<K> {
    /// Parses a row, or finds every error in it. `pointer` is the row's place in the request.
    pub(super) fn parse<S: ScoringEndpoint<Echo = K>>(
        row: S,
        settings: &S::Settings,
        pointer: String,
        answerer: &Answerer,
    ) -> Result<Self, Errors> {
        let (Parsed { input, changes, echo }, warnings) =
            parse_row(row, settings, pointer.clone(), answerer)?;
        let mut inputs = 0;
        if let (Some(input), Some(served)) = (&input, &answerer.served) {
            check_letters(input, served, &pointer)?;
            inputs = served.encoder.inputs(input) * (1 + changes.len());
        }
        let competition = settings.competition().cloned();
        Ok(Self { input, changes, inputs, echo, competition, windows: Vec::new(), warnings })
    }

    /// Inputs of the row as it is, and of it with each change.
    fn inputs_of_variant(&self) -> usize {
        self.inputs / (1 + self.changes.len())
    }

    /// Appends the inputs of a variant: the row as it is, then with each change.
    fn encode(&mut self, variant: usize, served: &ServedModel, inputs: &mut Vec<f32>) {
        let Some(input) = &self.input else { return };
        if let Some(change) = variant.checked_sub(1) {
            return inputs.extend(served.encoder.encode(&self.changes[change].apply(input)).values);
        }
        let mut encoded = served.encoder.encode(input);
        if let (Some(compare), Input::Pair(pair)) = (&self.competition, input) {
            compare(pair, &mut encoded.values);
        }
        let positions = encoded.inputs() * served.encoder.positions;
        let letters = input.letters().min(positions) as f64;
        served.predictor.metrics().padding.record(1.0 - letters / positions as f64);
        inputs.extend(encoded.values);
        self.windows = encoded.windows;
        self.warnings.extend(encoded.warnings);
        self.warnings.extend(served.model.caution.map(str::to_owned));
    }

    /// The answer to a row that no model was asked for.
    pub(super) fn unasked(self) -> Answered<K> {
        Some(Answer { echo: self.echo, outputs: Vec::new(), warnings: self.warnings })
    }

    /// Takes the outputs of its inputs off the front of `outputs`.
    fn decode(mut self, outputs: &mut &[Option<f32>]) -> Answered<K> {
        let (own, rest) = outputs.split_at(self.inputs);
        *outputs = rest;
        let own: Vec<f32> = own.iter().copied().collect::<Option<_>>()?;
        let mut variants =
            own.chunks(self.inputs_of_variant()).map(|outputs| best_window(&self.windows, outputs));
        let mut outputs = Vec::with_capacity(1 + self.changes.len());
        let window = variants.next().and_then(|(output, window)| {
            outputs.push(output);
            window
        });
        outputs.extend(variants.map(|(output, _)| output));
        self.warnings.extend(window);
        Some(Answer { echo: self.echo, outputs, warnings: self.warnings })
    }
}

impl Row<()> {
    /// A row of our own, which needs no check.
    pub(super) fn of(input: impl Into<Input>, served: &ServedModel) -> Self {
        let input = input.into();
        let inputs = served.encoder.inputs(&input);
        Self {
            input: Some(input),
            changes: Vec::new(),
            inputs,
            echo: (),
            competition: None,
            windows: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// At least half of the letters of a promoter that the network reads have to be known.
fn check_letters(input: &Input, served: &ServedModel, pointer: &str) -> Result<(), FieldError> {
    let Some(letters) = served.encoder.letters_read(input) else { return Ok(()) };
    let known = letters.iter().filter(|letter| **letter != Base::N).count();
    if 2 * known >= letters.len() {
        return Ok(());
    }
    let detail = format!(
        "{} reads {} letters round the start of transcription, of which {known} are known; at least half have to be, so \
         send what is known there",
        served.full_name(),
        letters.len()
    );
    Err(FieldError::new(format!("{pointer}/promoter"), ErrorCode::TooLittleKnown, detail))
}

/// Where the time of a request went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    /// From admission until a worker took the first input.
    pub queued: Duration,
    /// Time that workers spent on batches with inputs of the request.
    pub forward: Duration,
}

/// All rows of a request, or none: there is room for all of them before the first is encoded.
pub(super) async fn predict_all<K: Send + 'static>(
    rows: Vec<Row<K>>,
    served: Option<&Arc<ServedModel>>,
    (deadline, share): (Option<Instant>, &Arc<CallerShare>),
) -> Result<(Vec<Answered<K>>, Timing), Problem> {
    let mut timing = Timing { queued: Duration::MAX, forward: Duration::ZERO };
    let inputs = rows.iter().map(|row| row.inputs).sum();
    let Some(served) = served.filter(|_| inputs > 0) else {
        timing.queued = Duration::ZERO;
        return Ok((rows.into_iter().map(Row::unasked).collect(), timing));
    };
    let few = rows.len() <= FEW && inputs <= FEW * served.encoder.most_inputs;
    let size = if few { Share::Small } else { Share::Large };
    let refused = |error| match error {
        PredictError::TooMuch { inputs: most } => {
            // As many as would fit of rows like these.
            Problem::TooMuchWork { model: served.full_name(), rows: rows.len() * most / inputs }
        }
        other => refusal(other, served),
    };
    let mut room = served.predictor.reserve(size, inputs, deadline).await.map_err(refused)?;
    let mut answers = Vec::with_capacity(rows.len());
    let ask = |part: Vec<Row<K>>| {
        let room = room.split(part.iter().map(|row| row.inputs).sum());
        predict_part(part, room, (served.clone(), share.clone()), deadline)
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

/// A few rows, which have places: their bytes, their inputs, their outputs. A row of many changes goes in steps.
pub(super) async fn predict_part<K: Send + 'static>(
    rows: Vec<Row<K>>,
    mut room: Room,
    (served, share): (Arc<ServedModel>, Arc<CallerShare>),
    deadline: Option<Instant>,
) -> Result<(Vec<Answered<K>>, Timing), PredictError> {
    let most = served.predictor.most_inputs_at_once();
    let mut outputs = Vec::with_capacity(room.inputs());
    let mut timing = Timing { queued: Duration::MAX, forward: Duration::ZERO };
    let mut part = Part { rows, row: 0, variant: 0 };
    while let Some(count) = part.next_inputs(most) {
        let place = served.predictor.place(room.split(count)).await?;
        // A comparison takes as long as dozens of rows.
        let compares = part.rows.iter().any(|row| row.competition.is_some());
        let (pool, encoder) = (pool(count, compares, &served, &share), served.clone());
        let encode = move |_: &Bounds| {
            let started = Instant::now();
            let inputs = part.encode(count, &encoder);
            encoder.predictor.metrics().encode.record(started.elapsed());
            (part, inputs)
        };
        let (encoded, inputs) = offload_to(pool, Bounds::new(usize::MAX), encode).await;
        part = encoded;
        let span = tracing::info_span!("predict", model = %served.full_name());
        let predicting = served.predictor.predict(inputs, place, deadline);
        let predicted = predicting.instrument(span).await?;
        outputs.extend(predicted.outputs);
        timing.queued = timing.queued.min(predicted.queued);
        timing.forward += predicted.forward;
    }
    let mut outputs = outputs.as_slice();
    Ok((part.rows.into_iter().map(|row| row.decode(&mut outputs)).collect(), timing))
}

/// Where so many inputs are encoded: what is folded is never on a connection's thread, and many of them wait for each other,
/// not a few for the many.
fn pool(inputs: usize, compares: bool, served: &ServedModel, share: &Arc<CallerShare>) -> Option<Pool> {
    let few = inputs <= FEW * served.encoder.most_inputs;
    match served.encoder.folds {
        true if few => Some(Pool::Rows),
        true => Some(Pool::Folds(share.clone())),
        false => (compares || inputs >= HEAVY_ROWS).then_some(Pool::Rows),
    }
}

/// Rows whose variants are encoded one after the other, and the next of them.
struct Part<K> {
    rows: Vec<Row<K>>,
    row: usize,
    variant: usize,
}

impl<K> Part<K> {
    /// How many inputs the next variants have, of at most `most`, or those of one; `None` at the end.
    fn next_inputs(&self, most: usize) -> Option<usize> {
        let mut inputs = 0;
        let mut first = self.variant;
        for row in &self.rows[self.row..] {
            let each = row.inputs_of_variant();
            let left = row.inputs / each - first;
            let fit = (most.saturating_sub(inputs) / each).max(usize::from(inputs == 0)).min(left);
            inputs += fit * each;
            if fit < left {
                break;
            }
            first = 0;
        }
        (inputs > 0).then_some(inputs)
    }

    /// The next inputs, as many as [`Self::next_inputs`] said.
    fn encode(&mut self, count: usize, served: &ServedModel) -> Vec<f32> {
        let length = count * served.encoder.width;
        let mut inputs = Vec::with_capacity(length);
        while inputs.len() < length {
            let row = &mut self.rows[self.row];
            if self.variant > row.changes.len() {
                (self.row, self.variant) = (self.row + 1, 0);
                continue;
            }
            row.encode(self.variant, served, &mut inputs);
            self.variant += 1;
        }
        inputs
    }
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
pub(super) fn refusal(error: PredictError, served: &ServedModel) -> Problem {
    match error {
        // Asked again when the work that is there is done.
        PredictError::Full => Problem::QueueFull(served.predictor.work_ahead().as_secs_f64().ceil() as u64),
        PredictError::TooMuch { inputs } => Problem::TooMuchWork { model: served.full_name(), rows: inputs },
        PredictError::Broken => Problem::ModelFault(served.full_name()),
        PredictError::Failed => Problem::Internal,
        PredictError::Closed => Problem::Draining,
    }
}

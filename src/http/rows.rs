//! What the scoring endpoints share: rows are read and encoded, all or none; the model is asked; each row's inputs
//! become one output again.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;

use super::offload::offload;
use super::problem::{ErrorCode, FieldError, Problem};
use super::state::AppState;
use crate::encoding::best_window;
use crate::models::Encoder;
use crate::rna::Rna;
use crate::serving::{Prediction, ServedModel};
use crate::tasks::Input;

/// From here on rows are read away from the connections' threads.
const HEAVY_ROWS: usize = 256;
const MAX_ID_CHARS: usize = 128;

/// One row of a request's list.
pub trait RequestRow: Send + 'static {
    /// The list's name in the request, which pointers start with.
    const LIST: &'static str;
    /// What the result takes from its row.
    type Kept: Send + 'static;
    /// The row as letters and numbers, or, through the reader, every error in it.
    fn read(self, reader: &mut RowReader<'_>) -> Option<(Input, Self::Kept)>;
}

/// Collects what is wrong with one row, and what its reader should know.
pub struct RowReader<'a> {
    pointer: String,
    warnings: Vec<String>,
    errors: &'a mut Vec<FieldError>,
}

/// The model's answer to a row.
pub struct Answer<K> {
    /// From its row.
    pub kept: K,
    /// A logit, or a level of expression.
    pub output: f32,
    /// What was assumed or left out in reading it.
    pub warnings: Vec<String>,
}

/// Answers in the order of the rows, and where the time went.
pub struct Answers<K> {
    pub rows: Vec<Answer<K>>,
    /// For the `Server-Timing` header.
    pub timing: HeaderValue,
}

/// Reads all rows and asks the model.
pub async fn answer<R: RequestRow>(
    rows: Vec<R>,
    served: &ServedModel,
    state: &AppState,
) -> Result<Answers<R::Kept>, Problem> {
    let limit = state.config().max_rows.get();
    if rows.len() > limit {
        return Err(Problem::TooManyRows(rows.len(), limit));
    }
    if rows.is_empty() {
        let (pointer, detail) = (format!("/{}", R::LIST), "at least one row is needed".into());
        return Err(Problem::InvalidInput(vec![FieldError { pointer, code: ErrorCode::EmptyList, detail }]));
    }
    let encoder: Arc<Encoder> = served.encoder.clone();
    let (read, inputs) = offload(rows.len() >= HEAVY_ROWS, move || read_rows(rows, &encoder)).await?;
    let prediction = served.predictor.predict(inputs).await?;
    let mut rest = prediction.outputs.as_slice();
    let mut answers = Vec::with_capacity(read.len());
    for Read { kept, windows, mut warnings } in read {
        let (of_row, others) = rest.split_at(windows.len().max(1));
        rest = others;
        let (output, window) = best_window(&windows, of_row);
        warnings.extend(window);
        answers.push(Answer { kept, output, warnings });
    }
    Ok(Answers { rows: answers, timing: server_timing(&prediction) })
}

/// A row whose inputs are on their way.
struct Read<K> {
    kept: K,
    windows: Vec<Range<usize>>,
    warnings: Vec<String>,
}

/// All rows, and their inputs one after the other.
type Encoded<K> = (Vec<Read<K>>, Vec<f32>);

/// Encodes all rows, or finds every error in them.
fn read_rows<R: RequestRow>(rows: Vec<R>, encoder: &Encoder) -> Result<Encoded<R::Kept>, Problem> {
    let (mut read, mut inputs, mut errors) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
    for (index, row) in rows.into_iter().enumerate() {
        let pointer = format!("/{}/{index}", R::LIST);
        let mut reader = RowReader { pointer, warnings: Vec::new(), errors: &mut errors };
        let Some((input, kept)) = row.read(&mut reader) else { continue };
        let mut warnings = reader.warnings;
        if errors.is_empty() {
            let encoded = encoder.encode(&input);
            inputs.extend(encoded.values);
            warnings.extend(encoded.warnings);
            read.push(Read { kept, windows: encoded.windows, warnings });
        }
    }
    if errors.is_empty() { Ok((read, inputs)) } else { Err(Problem::InvalidInput(errors)) }
}

impl RowReader<'_> {
    /// Notes an error of a field.
    pub fn error(&mut self, field: &str, code: ErrorCode, detail: String) {
        self.errors.push(FieldError { pointer: format!("{}/{field}", self.pointer), code, detail });
    }

    /// Checks the length of the caller's name for the row.
    pub fn id(&mut self, id: Option<&str>) {
        let length = id.map_or(0, |id| id.chars().count());
        if length > MAX_ID_CHARS {
            let detail = format!("the id has {length} characters; up to {MAX_ID_CHARS} are accepted");
            self.error("id", ErrorCode::IdTooLong, detail);
        }
    }

    /// Reads a sequence; ambiguity codes become a warning.
    pub fn sequence(&mut self, field: &str, text: &str, lengths: RangeInclusive<usize>) -> Option<Rna> {
        match Rna::parse(text, lengths) {
            Ok((rna, ambiguity)) => {
                self.warnings.extend(ambiguity.map(|ambiguity| format!("{field}: {ambiguity}")));
                Some(rna)
            }
            Err(error) => {
                self.errors.push(FieldError::sequence(format!("{}/{field}", self.pointer), &error));
                None
            }
        }
    }
}

/// Where the time went, for callers and for `make bench`.
fn server_timing(prediction: &Prediction) -> HeaderValue {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let text = format!("queue;dur={:.3}, forward;dur={:.3}", ms(prediction.queued), ms(prediction.forward));
    HeaderValue::from_str(&text).expect("digits and ASCII words")
}

//! What the scoring endpoints share, whatever the format: what an endpoint is, and how a row of it is parsed.
//!
//! The stages of a request: `parse_body` (bytes to rows), `parse_row` (a row to the model's input), `predict_all` (places,
//! encoding, the network), `decode_row` (an output to a result), `write_reply`.

use std::ops::RangeInclusive;
use std::sync::Arc;

use mirador_models::Competition;
use mirador_models::interpret::Change;
use mirador_models::tasks::{Input, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::problem::{ErrorCode, Errors, FieldError, MOST_ERRORS, Problem};
pub(crate) use super::row_reader::{Answerer, RowReader};
use crate::config::ServeConfig;

/// From here on rows are read away from the connections' threads.
pub(super) const HEAVY_ROWS: usize = 256;

/// A scoring endpoint, by its row: how the row is parsed, and what its result says.
pub(super) trait ScoringEndpoint: DeserializeOwned + Send + 'static {
    /// Whose models answer; `None` where no network is needed.
    const TASK: Option<Task>;
    /// The list's name in a JSON request, which pointers start with.
    const LIST: &'static str;
    /// The fields that a row needs.
    const FIELDS: &'static [Column];
    /// The fields that a row may have beside them: a dot for a field inside a field, `*` for any name there.
    const OPTIONAL: &'static [Column];
    /// The field that the letters of a FASTA record fill, where this endpoint takes such a file.
    const FASTA: Option<&'static str> = None;
    /// The fields of a result.
    const COLUMNS: &'static [Column];
    /// What a request says of all its rows.
    type Settings: Settings;
    /// Whether a result can be had as a picture.
    const DRAWS: bool = false;
    /// Most rows of a request, whatever `--max-rows` allows.
    const MOST_ROWS: usize = usize::MAX;
    /// Most lines that are answered together: few, where each is much work.
    const MOST_LINES: usize = usize::MAX;
    /// What the result takes from its row.
    type Echo: Send + 'static;
    /// What is said of a row.
    type Result: Serialize + Send + Sync + 'static;

    /// What a model is to be asked of the row, or, through the reader, every error in it.
    fn parse_row(self, settings: &Self::Settings, reader: &mut RowReader<'_>) -> Option<Parsed<Self::Echo>>;
    /// What is said of a row; `threshold` makes a probability a yes.
    fn decode_row(answer: Answer<Self::Echo>, threshold: f32) -> Self::Result;

    /// The columns of a table of results.
    fn columns(_: &[Self::Result]) -> Vec<Column> {
        Self::COLUMNS.to_vec()
    }

    /// A picture of a result, where [`Self::DRAWS`].
    fn picture(_: &Self::Result) -> String {
        String::new()
    }

    /// What parsing the row costs beyond its letters, about a nanosecond each: folding.
    fn work(&self) -> u64 {
        0
    }

    /// Told that the row's miRNA was written 3'→5'.
    fn turn(&mut self) {}

    /// What a field holds, if there is such a field.
    fn kind(field: &str) -> Option<Kind> {
        let named = |column: &&Column| match column.name.strip_suffix('*') {
            Some(outer) => field.len() > outer.len() && field.starts_with(outer),
            None => column.name == field,
        };
        Self::FIELDS.iter().chain(Self::OPTIONAL).find(named).map(|column| column.kind)
    }

    /// Accepted lengths of each sequence: the field's name with its unit, as `/v1/models` names them.
    fn lengths() -> Vec<(&'static str, RangeInclusive<usize>)> {
        Self::TASK.map(Task::input_lengths).unwrap_or_default()
    }

    /// Most rows of a request.
    fn most_rows(config: &ServeConfig) -> usize {
        config.max_rows.get().min(Self::MOST_ROWS)
    }

    /// The names of all fields, for people.
    fn names() -> String {
        let names: Vec<&str> = Self::FIELDS.iter().chain(Self::OPTIONAL).map(|column| column.name).collect();
        names.join(", ")
    }
}

/// What a request says of all its rows: fields beside the list in JSON, or names in the URL.
pub(super) trait Settings: Clone + Default + Send + Sync + 'static {
    /// What there is to say.
    const NAMES: &'static [&'static str];

    /// Takes one; from a URL it comes as text.
    ///
    /// # Errors
    /// What it has to be.
    fn take(&mut self, name: &str, value: &Value) -> Result<(), String>;

    /// Makes ready what was said, once it is known who answers.
    ///
    /// # Errors
    /// What cannot be, or what this model cannot do.
    fn settle(&mut self, _: &Answerer) -> Result<(), Problem> {
        Ok(())
    }

    /// What each pair is compared with, in place of what the model has.
    fn competition(&self) -> Option<&Arc<Competition>> {
        None
    }
}

/// Nothing to say.
impl Settings for () {
    const NAMES: &'static [&'static str] = &[];

    fn take(&mut self, _: &str, _: &Value) -> Result<(), String> {
        Ok(())
    }
}

/// What was said, each thing once.
///
/// # Errors
/// 422 for what cannot be, 400 for what was said twice.
pub(super) fn settings<S: Settings>(
    said: &[(&'static str, Value)],
    answerer: &Answerer,
) -> Result<S, Problem> {
    let mut settings = S::default();
    for (place, (name, value)) in said.iter().enumerate() {
        if said[..place].iter().any(|(before, _)| before == name) {
            return Err(Problem::BadHeader(format!(
                "{name} is in the URL and in the body; leave one of them out"
            )));
        }
        settings
            .take(name, value)
            .map_err(|detail| FieldError::new(format!("/{name}"), ErrorCode::OutOfRange, detail))?;
    }
    settings.settle(answerer)?;
    Ok(settings)
}

/// What a model is asked of a row.
pub(super) struct Parsed<E> {
    /// The model's input; `None` where the row is answered without one.
    pub input: Option<Input>,
    /// What is asked of besides: the input with each of these changes.
    pub changes: Vec<Change>,
    /// What the result takes from the row.
    pub echo: E,
}

impl<E> Parsed<E> {
    /// One input.
    pub(super) fn one(input: impl Into<Input>, echo: E) -> Self {
        Self { input: Some(input.into()), changes: Vec::new(), echo }
    }
}

/// A body that is taken whole, as its reader found it.
pub(super) struct Found<S> {
    /// The model that the body itself names.
    pub model: Option<String>,
    /// What it says of all rows.
    pub settings: Vec<(&'static str, Value)>,
    /// In order; each is a row, or what is wrong with its shape.
    pub rows: Vec<FoundRow<S>>,
    /// Columns of the caller's own, which come back beside ours.
    pub passed: Passed,
}

/// A row, or what is wrong with its shape.
pub(super) struct FoundRow<S> {
    /// The row's line in the caller's file, from 1, where it has one.
    pub line: Option<u64>,
    /// The row.
    pub row: Result<S, Errors>,
}

/// Rows as a reader finds them, one after the other. What is wrong with them is kept as far as a refusal names it.
pub(super) struct FoundRows<S> {
    rows: Vec<FoundRow<S>>,
    room: usize,
}

impl<S> Default for FoundRows<S> {
    fn default() -> Self {
        Self { rows: Vec::new(), room: MOST_ERRORS }
    }
}

impl<S: ScoringEndpoint> FoundRows<S> {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many errors of the next row are kept.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// The next row, or what is wrong with its shape; pointers start at the row.
    pub(super) fn push(&mut self, line: Option<u64>, row: Result<S, Errors>) {
        let place = format!("/{}/{}", S::LIST, self.rows.len());
        let row = row.map_err(|mut errors| {
            errors.first.truncate(self.room);
            self.room -= errors.first.len();
            errors.below(&place)
        });
        self.rows.push(FoundRow { line, row });
    }

    /// All of them.
    pub(super) fn into_rows(self) -> Vec<FoundRow<S>> {
        self.rows
    }
}

/// Columns that are not read, only handed back.
#[derive(Clone, Debug, Default)]
pub(super) struct Passed {
    /// Their names.
    pub names: Vec<String>,
    /// A cell for each name, row by row, as JSON; nothing where the row has no such cell.
    pub cells: Vec<Vec<String>>,
}

impl Passed {
    /// Bytes of all cells.
    pub(super) fn bytes(&self) -> usize {
        self.cells.iter().flatten().map(String::len).sum()
    }
}

impl<S> FromIterator<S> for Found<S> {
    /// Rows of right shape, without lines of their own.
    fn from_iter<I: IntoIterator<Item = S>>(rows: I) -> Self {
        let rows = rows.into_iter().map(|row| FoundRow { line: None, row: Ok(row) }).collect();
        Self { model: None, settings: Vec::new(), rows, passed: Passed::default() }
    }
}

/// A field where rows stand below each other: a table's column, a tensor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// The field.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Yes or no.
    Flag,
}

impl Kind {
    /// A column that holds it.
    pub(super) const fn column(self, name: &'static str) -> Column {
        Column { name, kind: self }
    }
}

/// The model's answer to a row.
pub(super) struct Answer<K> {
    /// From its row.
    pub echo: K,
    /// A logit, or a level of expression: of the row, then of each change; nothing where no model was asked.
    pub outputs: Vec<f32>,
    /// What was assumed or left out in reading it.
    pub warnings: Vec<String>,
}

impl<K> Answer<K> {
    /// The output of the row as it is.
    ///
    /// # Panics
    /// Where no model was asked.
    pub(super) fn output(&self) -> f32 {
        self.outputs[0]
    }
}

/// A row that was parsed, and what its reader should know.
pub(super) type Read<E> = (Parsed<E>, Vec<String>);

/// Parses a row, or finds every error in it. `pointer` is the row's place in the request.
pub(super) fn parse_row<S: ScoringEndpoint>(
    row: S,
    settings: &S::Settings,
    pointer: String,
    answerer: &Answerer,
) -> Result<Read<S::Echo>, Errors> {
    let mut reader = RowReader::at(pointer, answerer);
    let parsed = row.parse_row(settings, &mut reader);
    let warnings = reader.finish()?;
    // Whoever gives nothing has noted why.
    parsed.map(|parsed| (parsed, warnings)).ok_or_else(Errors::default)
}

//! One line of NDJSON: from text to a row, and from a result to text.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::asked::Asked;
use super::columns::Columns;
use super::draft::{Draft, Other};
use super::hints;
use super::json::without_bom;
use super::object::{Entries, Object};
use super::others::{append, to_json};
use super::relay;
use crate::http::problem::{ErrorCode, Errors, FieldError, MOST_ERRORS};
use crate::http::rows::ScoringEndpoint;

/// What is wrong with a line, in place of a result.
#[derive(Debug, Serialize)]
pub(super) struct BadLine {
    /// From 1.
    line: usize,
    /// As in the line, where it has one that can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The first hundred.
    errors: Vec<FieldError>,
    /// How many more there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_errors: Option<usize>,
}

impl BadLine {
    /// `line` is its number from 1, `text` what stands there.
    pub(super) fn new(line: usize, text: &[u8], errors: Errors) -> Self {
        let more_errors = Some(errors.more()).filter(|more| *more > 0);
        Self { line, id: id(text), errors: errors.first, more_errors }
    }
}

/// How lines are to be read.
pub(super) struct Reading {
    /// What the URL says.
    pub asked: Asked,
    /// The columns of a table whose rows come as lines.
    pub columns: Option<Arc<Columns>>,
}

/// A row, and the fields beside it that go back with the result.
pub(super) fn read<S: ScoringEndpoint>(text: &[u8], reading: &Reading) -> Result<(S, Vec<Other>), Errors> {
    let Reading { asked, columns } = reading;
    if let Some(columns) = columns {
        return relay::row(text, columns, asked);
    }
    // Files that were joined have their marks in the middle.
    let text = without_bom(text);
    let plain = asked.is_plain().then(|| serde_json::from_slice::<Object<S>>(text));
    let (mut row, others) = match plain {
        Some(Ok(Object(row))) => (row, Vec::new()),
        _ => each::<S>(text, asked)?,
    };
    if asked.three_to_five {
        row.turn();
    }
    Ok((row, others))
}

fn each<S: ScoringEndpoint>(text: &[u8], asked: &Asked) -> Result<(S, Vec<Other>), Errors> {
    if let Some(hint) = hints::in_place_of_line::<S>(text) {
        return Err(hint.into());
    }
    let row: &RawValue = serde_json::from_slice(text).map_err(|error| {
        let (column, ends) =
            (error.column(), if error.is_eof() { "ends too early, at" } else { "breaks at" });
        let end = if text.trim_ascii().contains(&b'\r') {
            "; it has CR in it: lines have to end with LF"
        } else {
            hints::in_place_of_a_value(text, &error)
        };
        let detail = format!("not JSON: the line {ends} column {column}{end}");
        FieldError::whole(ErrorCode::Syntax, detail)
    })?;
    Draft::of_json(row, asked, MOST_ERRORS)
}

/// Appends a result, with what goes back beside it.
pub(super) fn write(text: &mut Vec<u8>, result: &impl Serialize, others: &[Other]) {
    to_json(text, result);
    append(others.iter().map(|(name, value)| (name.as_str(), value.as_str())), text);
    text.push(b'\n');
}

/// The id of a row that cannot be used otherwise.
fn id(text: &[u8]) -> Option<String> {
    let Entries(entries) = serde_json::from_slice(without_bom(text)).ok()?;
    let (_, id) = entries.into_iter().find(|(name, _)| name == "id")?;
    serde_json::from_str::<String>(id.get()).ok().filter(|id| id.chars().count() <= MOST_ID_CHARS)
}

/// Longer ones are not repeated.
const MOST_ID_CHARS: usize = 256;

//! A table, a FASTA file or a JSON request that is to be answered line by line: its rows as lines, each in the line of the
//! file in which it stood, so that an error names that one; of JSON the rows are counted. A table's row goes as its cells and is read as in a table that is taken whole,
//! so that both say the same of it.

use std::borrow::Cow;
use std::io;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use csv::StringRecord;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::asked::Asked;
use super::columns::Columns;
use super::draft::Other;
use super::fasta::Records;
use super::json;
use super::media::{Format, Sent};
use super::others::to_json;
use super::table::Table;
use crate::http::body::Broken;
use crate::http::offload::Bounds;
use crate::http::problem::{ErrorCode, Errors, FieldError, MOST_ERRORS, Problem};
use crate::http::rows::ScoringEndpoint;

/// Bytes of lines that are handed on at once.
const PART: usize = 64 * 1024;

/// A row of a table on its way: its cells, as they were read.
#[derive(Default, Deserialize, Serialize)]
struct Cells<'a> {
    /// For a line that says what is wrong with the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    cells: Vec<Cow<'a, str>>,
}

/// A row as text, and the line of the file that it stood in.
type Row = (u64, Vec<u8>);
type Rows = Box<dyn Iterator<Item = Result<Row, FieldError>> + Send>;

/// A file on its way.
pub(super) struct Relayed {
    /// Rows as lines.
    pub body: Body,
    /// The columns of a table, by which [`row`] reads them.
    pub columns: Option<Arc<Columns>>,
    /// The model that the file itself names.
    pub model: Option<String>,
    /// What it says of all rows.
    pub settings: Vec<(&'static str, Value)>,
}

/// The file's rows as a body of lines, read no faster than they are answered. What is wrong with the file as a whole is
/// refused here.
pub(super) fn lines<S: ScoringEndpoint>(
    bytes: Bytes,
    sent: &Sent,
    asked: &Asked,
    bounds: &Bounds,
) -> Result<Relayed, Problem> {
    let relayed = |rows, columns| Relayed { body: body(rows), columns, model: None, settings: Vec::new() };
    if let Format::Table(delimiter) = sent.format {
        let mut table = Table::open::<S>(bytes, (delimiter, sent.charset.as_deref()), asked)?;
        let columns = Arc::new(Columns::of::<S>(&table, asked));
        let mut errors = Errors::default();
        errors.extend(columns.errors.iter().cloned());
        errors.into_result()?;
        let named = columns.clone();
        let rows = std::iter::from_fn(move || table.row().transpose());
        let rows = rows.map(move |row| row.map(|(line, record)| (line, cells(&record, &named))));
        return Ok(relayed(Box::new(rows), Some(columns)));
    }
    if sent.format == Format::Json {
        let texts = json::texts::<S>(&bytes, bounds)?;
        let rows = (1..).zip(texts.rows).map(|(number, text)| {
            // Between values only: inside text they are written otherwise.
            let line = text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte });
            Ok((number, line.collect()))
        });
        return Ok(Relayed { model: texts.model, settings: texts.settings, ..relayed(Box::new(rows), None) });
    }
    let asked = asked.clone();
    let records = Records::of(bytes, sent.charset.as_deref())?;
    let rows = records.map(move |record| {
        let mut text = Vec::new();
        let line = record.line;
        to_json(&mut text, &record.object::<S>(&asked));
        Ok((line, text))
    });
    Ok(relayed(Box::new(rows), None))
}

/// A row of a table that came as a line, and the cells that go back with its result.
pub(super) fn row<S: ScoringEndpoint>(
    text: &[u8],
    columns: &Columns,
    asked: &Asked,
) -> Result<(S, Vec<Other>), Errors> {
    let Cells { cells, .. } = serde_json::from_slice(text)
        .map_err(|_| FieldError::whole(ErrorCode::BrokenTable, "the row cannot be read".into()))?;
    let record: StringRecord = cells.iter().map(AsRef::as_ref).collect::<Vec<&str>>().into();
    let (mut row, others) = columns.row::<S>(&record, MOST_ERRORS)?;
    if asked.three_to_five {
        row.turn();
    }
    Ok((row, others))
}

fn cells(record: &StringRecord, columns: &Columns) -> Vec<u8> {
    let mut text = Vec::new();
    let id = columns.id(record).map(Cow::from);
    to_json(&mut text, &Cells { id, cells: record.iter().map(Cow::from).collect() });
    text
}

fn body(rows: Rows) -> Body {
    let parts = stream::try_unfold((rows.peekable(), 1), |(mut rows, mut next)| async move {
        let mut text = Vec::new();
        while text.len() < PART
            && let Some(row) = rows.next()
        {
            let (line, row) = row.map_err(|error| io::Error::other(Broken(error.detail)))?;
            // A blank line has no answer. Those of a row come with it: who stops behind it goes on with the next.
            let mut blank = |up_to: u64, text: &mut Vec<u8>| {
                text.resize(text.len() + up_to.saturating_sub(next) as usize, b'\n');
                next = up_to;
            };
            blank(line, &mut text);
            text.extend(row);
            text.push(b'\n');
            let following = rows.peek().and_then(|row| Some(row.as_ref().ok()?.0));
            blank(following.unwrap_or_default().saturating_sub(1), &mut text);
            next = following.unwrap_or(line + 1);
        }
        Ok::<_, io::Error>((!text.is_empty()).then(|| (Bytes::from(text), (rows, next))))
    });
    Body::from_stream(parts)
}

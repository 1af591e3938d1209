//! A table or a FASTA file that is to be answered line by line: its rows as lines of JSON, each in the line of the file in
//! which it stood, so that an error names that one.

use std::io;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::columns::Columns;
use super::fasta::Records;
use super::media::{Format, Sent};
use super::others::to_json;
use super::table::Table;
use crate::http::problem::{Errors, FieldError, Problem};
use crate::http::rows::Question;

/// Bytes of lines that are handed on at once.
const PART: usize = 64 * 1024;

/// A row, and the line of the file that it stood in.
type Row = (u64, Map<String, Value>);
type Rows = Box<dyn Iterator<Item = Result<Row, FieldError>> + Send>;

/// The file's rows as a body of lines, read no faster than they are answered. What is wrong with the file as a whole is
/// refused here.
pub fn lines<Q: Question>(bytes: Bytes, sent: &Sent, asked: &Asked) -> Result<Body, Problem> {
    let rows: Rows = match sent.format {
        Format::Table(delimiter) => {
            let written = (delimiter, sent.charset.as_deref());
            let mut table = Table::open::<Q>(bytes, written, asked.header.as_deref())?;
            let columns = Columns::of::<Q>(&table, asked);
            let mut errors = Errors::default();
            errors.extend(columns.errors.iter().cloned());
            errors.into_result()?;
            let row = move || table.row().transpose();
            Box::new(
                std::iter::from_fn(row)
                    .map(move |row| row.map(|(line, record)| (line, columns.object(&record)))),
            )
        }
        _ => {
            let asked = asked.clone();
            let records = Records::of(bytes, sent.charset.as_deref())?;
            Box::new(records.map(move |record| Ok((record.line, record.object::<Q>(&asked)))))
        }
    };
    let parts = stream::try_unfold((rows, 1), |(mut rows, mut next)| async move {
        let mut text = Vec::new();
        while text.len() < PART
            && let Some(row) = rows.next()
        {
            let (line, row) = row.map_err(|error| io::Error::other(error.detail))?;
            // A blank line has no answer.
            text.resize(text.len() + line.saturating_sub(next) as usize, b'\n');
            to_json(&mut text, &row);
            text.push(b'\n');
            next = line + 1;
        }
        Ok::<_, io::Error>((!text.is_empty()).then(|| (Bytes::from(text), (rows, next))))
    });
    Ok(Body::from_stream(parts))
}

//! CSV and TSV: the first line names the columns, each other line is a row.

use axum::body::Body;
use bytes::Bytes;
use csv::{ReaderBuilder, WriterBuilder};
use serde::Serialize;
use serde_json::Value;

use super::columns::{by_column, row};
use crate::http::offload::{Bounds, offload};
use crate::http::problem::{ErrorCode, FieldError, Problem};
use crate::http::rows::{Column, Found, Question};

/// From here on a table is read away from the connections' threads.
const HEAVY_BYTES: usize = 16 * 1024;

/// The rows.
pub async fn read<Q: Question>(bytes: Bytes, delimiter: u8, bounds: Bounds) -> Result<Found<Q>, Problem> {
    let heavy = bytes.len() >= HEAVY_BYTES;
    offload(heavy, bounds, move |bounds| read_rows(&bytes, delimiter, bounds)).await
}

fn read_rows<Q: Question>(bytes: &[u8], delimiter: u8, bounds: &Bounds) -> Result<Found<Q>, Problem> {
    // Spreadsheets put a byte order mark first.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let broken =
        |pointer: String, error: csv::Error| FieldError::new(pointer, ErrorCode::Syntax, error.to_string());
    let columns = reader.headers().map_err(|error| broken(String::new(), error))?.clone();
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        bounds.admit(index)?;
        let place = format!("/{}/{index}", Q::LIST);
        let record = record.map_err(|error| broken(place.clone(), error))?;
        let cells = columns.iter().zip(&record).map(|(column, cell)| {
            let column = column.trim();
            (column, value::<Q>(column, cell))
        });
        rows.push(row(index, cells)?);
    }
    Ok(rows.into_iter().collect())
}

/// What a cell says; a field that is not known is told so, not that it holds no number.
fn value<Q: Question>(column: &str, cell: &str) -> Value {
    let number = || cell.trim().parse().map(Value::Number).ok();
    match cell.trim() {
        "" => Value::Null,
        _ if Q::is_text(column) => cell.into(),
        "true" => true.into(),
        "false" => false.into(),
        _ => number().unwrap_or_else(|| cell.into()),
    }
}

/// A reply: the results' fields as columns.
pub fn write<R: Serialize>(delimiter: u8, columns: &[Column], results: &[R]) -> Body {
    let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let mut line = |cells: Vec<String>| writer.write_record(cells).expect("a vector takes every record");
    line(columns.iter().map(|column| column.name.to_owned()).collect());
    for result in results {
        let result = by_column(result);
        line(columns.iter().map(|column| cell(&result[column.name])).collect());
    }
    writer.into_inner().expect("a vector takes every record").into()
}

/// As text; warnings are joined by "; ".
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("; "),
        // It was an f32: its own shortest digits, not those of the f64 in between.
        Value::Number(number) => number.as_f64().map_or(String::new(), |number| (number as f32).to_string()),
        other => other.to_string(),
    }
}

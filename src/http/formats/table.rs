//! CSV and TSV: the first line names the columns, each other line is a row. A column is a field of the JSON row; a field
//! inside a field is written with a dot (`half_life_features.measured`), and an empty cell is a field left out.

use axum::body::Body;
use bytes::Bytes;
use csv::{ReaderBuilder, WriterBuilder};
use serde::Serialize;
use serde_json::{Map, Value};

use super::json::field_error;
use crate::http::offload::offload;
use crate::http::problem::{ErrorCode, FieldError, Problem};
use crate::http::rows::Question;

/// From here on a table is read away from the connections' threads.
const HEAVY_BYTES: usize = 16 * 1024;

/// The rows.
pub async fn read<Q: Question>(bytes: Bytes, delimiter: u8) -> Result<Vec<Q>, Problem> {
    let heavy = bytes.len() >= HEAVY_BYTES;
    offload(heavy, move || read_rows(&bytes, delimiter)).await.map_err(Problem::Malformed)
}

fn read_rows<Q: Question>(bytes: &[u8], delimiter: u8) -> Result<Vec<Q>, FieldError> {
    // Spreadsheets put a byte order mark first.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().delimiter(delimiter).from_reader(bytes);
    let broken = |pointer: String, error: csv::Error| FieldError {
        pointer,
        code: ErrorCode::Syntax,
        detail: error.to_string(),
    };
    let columns = reader.headers().map_err(|error| broken(String::new(), error))?.clone();
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let place = format!("/{}/{index}", Q::LIST);
        let record = record.map_err(|error| broken(place.clone(), error))?;
        let mut row = Map::new();
        for (column, cell) in columns.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty()) {
            put::<Q>(&mut row, column.trim(), cell)
                .map_err(|error| FieldError { pointer: format!("{place}{}", error.pointer), ..error })?;
        }
        let row = serde_path_to_error::deserialize(Value::Object(row)).map_err(|error| {
            let error = field_error(error);
            FieldError { pointer: format!("{place}{}", error.pointer), ..error }
        })?;
        rows.push(row);
    }
    Ok(rows)
}

/// Puts a cell where its column's name says.
fn put<Q: Question>(row: &mut Map<String, Value>, column: &str, cell: &str) -> Result<(), FieldError> {
    let pointer = || format!("/{}", column.replacen('.', "/", 1));
    let value = match Q::TEXT.contains(&column) {
        true => Value::from(cell),
        false => match cell.trim().parse::<serde_json::Number>() {
            Ok(number) => Value::from(number),
            // An unknown column is told so, not that it holds no number.
            Err(_) => Value::from(cell),
        },
    };
    let (inner, field) = match column.split_once('.') {
        None => (row, column),
        Some((outer, field)) => match row.entry(outer).or_insert_with(|| Map::new().into()) {
            Value::Object(inner) => (inner, field),
            _ => {
                let detail = format!("column {outer:?} stands beside {column:?}");
                return Err(FieldError { pointer: pointer(), code: ErrorCode::WrongType, detail });
            }
        },
    };
    match inner.insert(field.to_owned(), value) {
        None => Ok(()),
        Some(_) => {
            let detail = format!("there are two columns {column:?}");
            Err(FieldError { pointer: pointer(), code: ErrorCode::DuplicateField, detail })
        }
    }
}

/// A reply: the results' fields as columns; warnings are joined by "; ".
pub fn write<R: Serialize>(delimiter: u8, columns: &[&str], results: &[R]) -> Body {
    let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let mut line = |cells: Vec<String>| writer.write_record(cells).expect("a vector takes every record");
    line(columns.iter().map(|&column| column.to_owned()).collect());
    for result in results {
        let result = serde_json::to_value(result).expect("strings and finite numbers always serialise");
        line(columns.iter().map(|&column| cell(&result[column])).collect());
    }
    writer.into_inner().expect("a vector takes every record").into()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("; "),
        // It was an f32: its own shortest digits, not those of the f64 in between.
        Value::Number(number) => number.as_f64().map_or(String::new(), |number| (number as f32).to_string()),
        other => other.to_string(),
    }
}

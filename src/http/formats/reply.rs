//! Replies of many rows: written in parts, away from the connections' threads, no faster than they are taken.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use csv::WriterBuilder;
use futures_util::stream;
use serde::Serialize;
use serde_json::{Map, Value};

use super::others::{PREFIX, to_json};
use crate::http::model_ref::ModelRef;
use crate::http::offload::{Bounds, offload};
use crate::http::rows::{Column, Passed};

/// Results that are written at once.
const CHUNK: usize = 512;

/// What is written before, between and behind parts of the results.
trait Writer: Send + Sync + 'static {
    /// The results from `first` on, `results`, of `all`.
    fn write<R: Serialize>(&self, first: usize, results: &[R], all: usize) -> Vec<u8>;
}

/// `{"model": …, "results": […]}`. There is at least one result.
pub(super) fn json<R: Serialize + Send + Sync + 'static>(
    model: Option<ModelRef>,
    results: Vec<R>,
    passed: Passed,
) -> Body {
    in_parts(Json { model, passed }, results)
}

/// The results' fields as columns, and the caller's own behind them.
pub(super) fn table<R: Serialize + Send + Sync + 'static>(
    delimiter: u8,
    columns: Vec<Column>,
    results: Vec<R>,
    passed: Passed,
) -> Body {
    in_parts(Table { delimiter, columns, passed }, results)
}

fn in_parts<R: Serialize + Send + Sync + 'static>(writer: impl Writer, results: Vec<R>) -> Body {
    let all = results.len();
    if all <= CHUNK {
        return writer.write(0, &results, all).into();
    }
    let shared = Arc::new((writer, results));
    let parts = stream::unfold(0, move |first| {
        let shared = shared.clone();
        async move {
            let last = all.min(first + CHUNK);
            let write = move |_: &Bounds| shared.0.write(first, &shared.1[first..last], all);
            let part = match first < all {
                true => offload(true, Bounds::new(usize::MAX), write).await,
                false => return None,
            };
            Some((Ok::<_, Infallible>(Bytes::from(part)), last))
        }
    });
    Body::from_stream(parts)
}

struct Json {
    /// Who answered, where it was a model.
    model: Option<ModelRef>,
    passed: Passed,
}

impl Writer for Json {
    fn write<R: Serialize>(&self, first: usize, results: &[R], all: usize) -> Vec<u8> {
        let mut text = Vec::new();
        if first == 0 {
            text.push(b'{');
            if let Some(model) = &self.model {
                text.extend(br#""model":"#);
                to_json(&mut text, model);
                text.push(b',');
            }
            text.extend(br#""results":["#);
        }
        for (place, result) in results.iter().enumerate() {
            if first + place > 0 {
                text.push(b',');
            }
            to_json(&mut text, result);
            self.passed.append(first + place, &mut text);
        }
        if first + results.len() == all {
            text.extend(b"]}");
        }
        text
    }
}

struct Table {
    delimiter: u8,
    columns: Vec<Column>,
    passed: Passed,
}

impl Writer for Table {
    fn write<R: Serialize>(&self, first: usize, results: &[R], _: usize) -> Vec<u8> {
        let mut writer = WriterBuilder::new().delimiter(self.delimiter).from_writer(Vec::new());
        let mut line = |cells: Vec<String>| writer.write_record(cells).expect("a vector takes every record");
        if first == 0 {
            let ours = self.columns.iter().map(|column| column.name.to_owned());
            let theirs = self.passed.names.iter().map(|name| format!("{PREFIX}{name}"));
            line(ours.chain(theirs).collect());
        }
        for (place, result) in results.iter().enumerate() {
            let result = by_column(result);
            let ours = self.columns.iter().map(|column| cell(field(&result, column.name)));
            line(ours.chain(self.passed.cells(first + place)).collect());
        }
        writer.into_inner().expect("a vector takes every record")
    }
}

/// What is said of a row, to be read by column.
pub(crate) fn by_column(result: &impl Serialize) -> Value {
    serde_json::to_value(result).expect("strings and finite numbers always serialise")
}

/// The field of a column; a dot leads into an object.
pub(crate) fn field<'a>(result: &'a Value, column: &str) -> &'a Value {
    column.split('.').fold(result, |value, name| &value[name])
}

/// As text; warnings are joined by "; ".
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // Lists of lists and of objects stay JSON.
        Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => {
            value.to_string()
        }
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("; "),
        // It was an f32: its own shortest digits, not those of the f64 in between.
        Value::Number(number) => number.as_f64().map_or(String::new(), |number| (number as f32).to_string()),
        other => other.to_string(),
    }
}

/// The fields of a result, those inside others with a dot in their names.
pub(crate) fn flat(before: &str, row: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, value) in row.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => found.extend(flat(&format!("{before}{name}."), value)),
            _ => drop(found.insert(format!("{before}{name}"), value.clone())),
        }
    }
    found
}

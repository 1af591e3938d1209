//! One example for each format: a route shows a request and its reply as JSON, and what they look like as lines and
//! tables is made from that.

use std::collections::BTreeMap;

use csv::WriterBuilder;
use serde_json::{Map, Value};
use utoipa::openapi::{Content, OpenApi, RefOr, Schema};

use super::operations;
use crate::http::formats::{cell, flat, to_json};

/// Adds them.
pub(super) fn complete(api: &mut OpenApi) {
    let schemas = api.components.get_or_insert_default().schemas.clone();
    for (_, _, operation) in operations(api) {
        if let Some(RefOr::T(request)) = &mut operation.request_body {
            fill(request.content.iter_mut(), &schemas);
        }
        if let Some(RefOr::T(reply)) = operation.responses.responses.get_mut("200") {
            fill(reply.content.iter_mut(), &schemas);
        }
    }
}

/// The example of a JSON request or reply, which stands with its schema.
pub(super) fn of_schema<'a>(
    content: &Content,
    schemas: &'a BTreeMap<String, RefOr<Schema>>,
) -> Option<&'a Value> {
    let Some(RefOr::Ref(schema)) = &content.schema else { return None };
    match schemas.get(schema.ref_location.rsplit('/').next()?)? {
        RefOr::T(Schema::Object(object)) => object.example.as_ref(),
        _ => None,
    }
}

fn fill<'a>(
    contents: impl Iterator<Item = (&'a String, &'a mut RefOr<Content>)>,
    schemas: &BTreeMap<String, RefOr<Schema>>,
) {
    let mut contents: BTreeMap<&str, &mut Content> = contents
        .filter_map(|(media_type, content)| match content {
            RefOr::T(content) => Some((media_type.as_str(), content)),
            RefOr::Ref(_) => None,
        })
        .collect();
    let Some(json) = contents.get_mut("application/json") else { return };
    if json.example.is_none() {
        json.example = of_schema(json, schemas).cloned();
    }
    let Some(rows) = json.example.as_ref().and_then(rows).map(<[Value]>::to_vec) else { return };
    for (media_type, content) in contents {
        let text = match media_type {
            "application/x-ndjson" => lines(&rows),
            "text/csv" => table(b',', &rows),
            "text/tab-separated-values" => table(b'\t', &rows),
            "text/x-fasta" => fasta(&rows),
            _ => continue,
        };
        if content.example.is_none() {
            content.example = Some(text.into());
        }
    }
}

/// The list of a request or of a reply.
pub(super) fn rows(json: &Value) -> Option<&[Value]> {
    let mut lists = json.as_object()?.values().filter_map(Value::as_array);
    lists.find(|list| list.first().is_some_and(Value::is_object)).map(Vec::as_slice)
}

fn lines(rows: &[Value]) -> String {
    let mut text = Vec::new();
    for row in rows {
        to_json(&mut text, row);
        text.push(b'\n');
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// A record of a row's id and its only other text, the sequence.
fn fasta(rows: &[Value]) -> String {
    let text = |row: &Value, id: bool| {
        let fields = row.as_object().into_iter().flatten();
        let mut texts =
            fields.filter(|(name, _)| (*name == "id") == id).filter_map(|(_, value)| value.as_str());
        texts.next().unwrap_or_default().to_owned()
    };
    rows.iter().map(|row| format!(">{}\n{}\n", text(row, true), text(row, false))).collect()
}

fn table(delimiter: u8, rows: &[Value]) -> String {
    let rows: Vec<Map<String, Value>> = rows.iter().map(|row| flat("", row)).collect();
    let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let mut line = |cells: Vec<String>| writer.write_record(cells).expect("a vector takes every record");
    line(rows.iter().take(1).flat_map(|row| row.keys().cloned()).collect());
    rows.iter().for_each(|row| line(row.values().map(cell).collect()));
    let text = writer.into_inner().expect("a vector takes every record");
    String::from_utf8_lossy(&text).into_owned()
}

//! The results of a job: lines as they are kept, or other formats made of them while they are sent.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use csv::WriterBuilder;
use serde_json::{Map, Value};
use tokio::sync::mpsc::{self, Sender};
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::document;
use super::operations::Operation;
use crate::http::formats::{cell, flat, negotiate};
use crate::http::problem::Problem;
use crate::http::rows::Column;
use crate::jobs::Job;

const LINES: &str = "application/x-ndjson";
const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const TSV: &str = "text/tab-separated-values";
/// Bytes that are sent at once.
const PART: usize = 64 * 1024;
/// What stands in place of a result.
const ERRORS: &str = "errors";
/// Columns of the caller's own begin so.
const OWN: &str = "input.";

/// Sends the results of a job that is complete.
pub(super) async fn send(job: &Job, path: PathBuf, request: Request) -> Result<Response, Problem> {
    let operation = Operation::named(&job.operation);
    let columns = operation.and_then(|operation| operation.columns);
    let have: &[&'static str] = if columns.is_some() { &[LINES, JSON, CSV, TSV] } else { &[LINES] };
    let wanted = negotiate(request.headers(), have).ok_or(Problem::NotAcceptable)?;
    let columns = columns.unwrap_or_default();
    let mut response = match wanted {
        LINES => stored(path, request).await,
        JSON => made(path, json(document::head(job))),
        CSV => made(path, table(b',', columns)),
        _ => made(path, table(b'\t', columns)),
    };
    vary(response.headers_mut());
    if response.status().is_success() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted));
    }
    Ok(response)
}

fn vary(headers: &mut HeaderMap) {
    headers.append(header::VARY, HeaderValue::from_static("Accept"));
}

/// The bytes as they are kept, or a range of them.
async fn stored(path: PathBuf, mut request: Request) -> Response {
    // Several ranges at once are not sent, nor a unit that is not known: then all of it is, as RFC 9110 (14.2) has it.
    let not_one =
        |range: &HeaderValue| !range.as_bytes().starts_with(b"bytes=") || range.as_bytes().contains(&b',');
    if request.headers().get(header::RANGE).is_some_and(not_one) {
        request.headers_mut().remove(header::RANGE);
    }
    // Nobody changes results.
    request.headers_mut().remove(header::IF_UNMODIFIED_SINCE);
    let Ok(response) = ServeFile::new(path).oneshot(request).await;
    response.map(Body::new).into_response()
}

/// What a format makes of a file of lines.
type Make = Box<dyn FnOnce(&Path, &mut Out) -> io::Result<()> + Send>;

/// Another format, made on a thread that may wait, no faster than it is taken.
fn made(path: PathBuf, make: Make) -> Response {
    let (parts, taken) = mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        let mut out = Out { text: Vec::new(), parts };
        // An error ends the reply where it should not end, which its reader notices.
        if let Err(error) = make(&path, &mut out).and_then(|()| out.flush()) {
            tracing::warn!(%error, "the results of a job cannot be sent");
            let _ = out.parts.blocking_send(Err(error));
        }
    });
    let parts = futures_util::stream::unfold(taken, async |mut taken| Some((taken.recv().await?, taken)));
    Response::new(Body::from_stream(parts))
}

/// Where the text goes.
struct Out {
    text: Vec<u8>,
    parts: Sender<io::Result<Bytes>>,
}

impl Out {
    fn flush(&mut self) -> io::Result<()> {
        let text = std::mem::take(&mut self.text);
        self.parts.blocking_send(Ok(text.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush_when_full(&mut self) -> io::Result<()> {
        if self.text.len() >= PART { self.flush() } else { Ok(()) }
    }
}

fn lines(path: &Path) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
    Ok(BufReader::with_capacity(PART, File::open(path)?).split(b'\n'))
}

/// One object, with all results in a list.
fn json(head: Vec<u8>) -> Make {
    Box::new(move |path, out| {
        out.text.extend(head);
        for (place, line) in lines(path)?.enumerate() {
            if place > 0 {
                out.text.push(b',');
            }
            out.text.extend(line?);
            out.flush_when_full()?;
        }
        out.text.extend(b"]}");
        Ok(())
    })
}

/// A table: the operation's columns, what else the results have, the caller's own, and what is wrong with a row.
fn table(delimiter: u8, columns: &'static [Column]) -> Make {
    Box::new(move |path, out| {
        let names = names(path, columns)?;
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        writer.write_record(&names)?;
        for line in lines(path)? {
            let row = row(&line?)?;
            writer.write_record(names.iter().map(|name| match (name.as_str(), row.get(name)) {
                (_, None) => String::new(),
                (ERRORS, Some(errors)) => words(errors),
                (_, Some(value)) => cell(value),
            }))?;
            if writer.get_ref().len() >= PART {
                writer.flush()?;
                out.text = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
                out.flush()?;
                writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            }
        }
        out.text = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(())
    })
}

fn names(path: &Path, columns: &[Column]) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
    let (mut own, mut has_errors) = (Vec::new(), false);
    for line in lines(path)? {
        for name in row(&line?)?.keys() {
            let among = if name.starts_with(OWN) { &mut own } else { &mut names };
            match name.as_str() {
                ERRORS => has_errors = true,
                _ if !among.contains(name) => among.push(name.clone()),
                _ => {}
            }
        }
    }
    names.append(&mut own);
    names.extend(has_errors.then(|| ERRORS.to_owned()));
    Ok(names)
}

/// The fields of a result, or what stands in its place; the number of its line says nothing in a table.
fn row(line: &[u8]) -> io::Result<Map<String, Value>> {
    let mut row = flat("", &serde_json::from_slice(line)?);
    if row.contains_key(ERRORS) {
        row.shift_remove("line");
    }
    Ok(row)
}

/// What is wrong with a row, in words.
fn words(errors: &Value) -> String {
    let each = errors.as_array().into_iter().flatten().filter_map(|error| error["detail"].as_str());
    each.collect::<Vec<_>>().join("; ")
}

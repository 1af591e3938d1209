//! The results of a job: lines as they are kept, or other formats made of them while they are sent.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Split};
use std::mem;
use std::path::{Path, PathBuf};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use csv::WriterBuilder;
use futures_util::stream;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use tower::ServiceExt;
use tower_http::services::ServeFile;

use super::document;
use super::operations::Operation;
use crate::http::formats::{Entries, MOST_PASSED, cell, flat, negotiate, passed_cell};
use crate::http::problem::{Problem, ProblemKind};
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
    let head = document::head(job);
    let mut response = match wanted {
        LINES => stored(path, request).await,
        JSON => made(begun(move || json(&path, head).map(Some)).await?),
        CSV => made(begun(move || table(&path, b',', columns)).await?),
        _ => made(begun(move || table(&path, b'\t', columns)).await?),
    };
    vary(response.headers_mut());
    if response.status().is_success() {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(wanted));
    }
    Ok(response)
}

/// Begins a format on a thread that may wait for the disk.
async fn begun(begin: impl FnOnce() -> io::Result<Option<Make>> + Send + 'static) -> Result<Make, Problem> {
    let begun = spawn_blocking(begin).await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
    let begun = begun.map_err(|error| {
        tracing::error!(%error, "the results of a job cannot be read");
        Problem::Internal
    })?;
    let too_many = format!(
        "the rows brought more than {MOST_PASSED} columns of their own: ask for {LINES} or {JSON}, which have them all"
    );
    begun.ok_or(Problem::Job(ProblemKind::NotAcceptable, too_many))
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
    if let Some(wanted) = request.headers_mut().remove(header::IF_RANGE)
        && request.headers().contains_key(header::RANGE)
    {
        // A part of other bytes than he has is of no use to him: then he gets all.
        let Ok(whole) =
            ServeFile::new(&path).oneshot(Request::head("/").body(Body::empty()).unwrap_or_default()).await;
        if ![header::ETAG, header::LAST_MODIFIED]
            .iter()
            .any(|name| whole.headers().get(name) == Some(&wanted))
        {
            request.headers_mut().remove(header::RANGE);
        }
    }
    // Nobody changes results.
    request.headers_mut().remove(header::IF_UNMODIFIED_SINCE);
    let Ok(response) = ServeFile::new(path).oneshot(request).await;
    response.map(Body::new).into_response()
}

/// Makes the next part of another format; none once it is whole.
type Make = Box<dyn FnMut() -> io::Result<Option<Vec<u8>>> + Send>;

/// Another format, made a part at a time as it is taken: no thread waits for who takes it.
fn made(make: Make) -> Response {
    let parts = stream::try_unfold(make, async |mut make| {
        let next = spawn_blocking(move || Ok(make()?.map(|part| (Bytes::from(part), make))));
        let next = next.await.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        // The reply ends where it should not, which its reader notices.
        next.inspect_err(|error| tracing::warn!(%error, "the results of a job cannot be sent"))
    });
    Response::new(Body::from_stream(parts))
}

fn lines(path: &Path) -> io::Result<Split<BufReader<File>>> {
    Ok(BufReader::with_capacity(PART, File::open(path)?).split(b'\n'))
}

/// One object, with all results in a list.
fn json(path: &Path, head: Vec<u8>) -> io::Result<Make> {
    let (mut lines, mut text, mut place, mut is_whole) = (lines(path)?, head, 0, false);
    Ok(Box::new(move || {
        while text.len() < PART && !is_whole {
            match lines.next() {
                Some(line) => {
                    text.extend((place > 0).then_some(b','));
                    text.extend(line?);
                    place += 1;
                }
                None => {
                    text.extend(b"]}");
                    is_whole = true;
                }
            }
        }
        Ok(Some(mem::take(&mut text)).filter(|text| !text.is_empty()))
    }))
}

/// A table: the operation's columns, what else the results have, the caller's own, and what is wrong with a row. None where
/// the caller's own are too many.
fn table(path: &Path, delimiter: u8, columns: &[Column]) -> io::Result<Option<Make>> {
    let Some(names) = names(path, columns)? else { return Ok(None) };
    let (mut lines, mut is_first) = (lines(path)?, true);
    let make = move || {
        let mut writer = WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        if mem::take(&mut is_first) {
            writer.write_record(&names)?;
        }
        while writer.get_ref().len() < PART
            && let Some(line) = lines.next()
        {
            let row = row(&line?)?;
            writer.write_record(names.iter().map(|name| row.get(name).map_or("", String::as_str)))?;
        }
        let text = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    };
    Ok(Some(Box::new(make)))
}

/// All columns, in the order in which rows bring them.
fn names(path: &Path, columns: &[Column]) -> io::Result<Option<Vec<String>>> {
    let mut names: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
    let mut known: HashSet<String> = names.iter().cloned().collect();
    let (mut own, mut has_errors) = (Vec::new(), false);
    for line in lines(path)? {
        for (name, _) in row(&line?)? {
            if name == ERRORS {
                has_errors = true;
            } else if known.insert(name.clone()) {
                if name.starts_with(OWN) { own.push(name) } else { names.push(name) }
            }
        }
        if own.len() > MOST_PASSED {
            return Ok(None);
        }
    }
    names.append(&mut own);
    names.extend(has_errors.then(|| ERRORS.to_owned()));
    Ok(Some(names))
}

/// A result, or what stands in its place, as cells by column; the number of its line stands with what is wrong there.
fn row(line: &[u8]) -> io::Result<IndexMap<String, String>> {
    let (mut row, Entries(fields)) = (IndexMap::new(), serde_json::from_slice(line)?);
    for (name, value) in fields {
        match name.as_str() {
            // The caller's own go back as they came, numbers that no float holds among them.
            "input" => {
                let Entries(own) = serde_json::from_str(value.get())?;
                row.extend(
                    own.into_iter().map(|(name, value)| (format!("{OWN}{name}"), passed_cell(value.get()))),
                );
            }
            ERRORS => drop(row.insert(name, words(&serde_json::from_str(value.get())?))),
            _ => {
                let result = Value::Object(Map::from_iter([(name, serde_json::from_str(value.get())?)]));
                row.extend(flat("", &result).into_iter().map(|(name, value)| (name, cell(&value))));
            }
        }
    }
    if row.contains_key(ERRORS)
        && let (Some(line), Some(words)) = (row.shift_remove("line"), row.get_mut(ERRORS))
    {
        *words = format!("line {line}: {words}");
    }
    Ok(row)
}

/// What is wrong with a row, field by field, in words.
fn words(errors: &Value) -> String {
    let word = |error: &Value| {
        let field = error["pointer"].as_str().unwrap_or_default().trim_start_matches('/').to_owned();
        let detail = error["detail"].as_str()?;
        Some(if field.is_empty() { detail.to_owned() } else { format!("{field}: {detail}") })
    };
    let each: Vec<String> = errors.as_array().into_iter().flatten().filter_map(word).collect();
    each.join("; ")
}

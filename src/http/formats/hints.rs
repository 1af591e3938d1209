//! Bodies that are of another format than their Content-Type says: recognised, so that the refusal can name the remedy.

use super::object::Entries;
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::ScoringEndpoint;

/// That a body is compressed, though nothing said so.
pub(super) fn compressed(bytes: &[u8]) -> Option<FieldError> {
    let detail = match bytes {
        [0x1F, 0x8B, ..] => "this is gzip: add Content-Encoding: gzip",
        [0x28, 0xB5, 0x2F, 0xFD, ..] => "this is zstd: add Content-Encoding: zstd",
        [b'P', b'K', 3, 4, ..] => "this is a zip file, or a workbook (xlsx): save it as CSV UTF-8",
        _ => return None,
    };
    Some(FieldError::whole(ErrorCode::Syntax, detail.into()))
}

/// What a body is that is not the JSON of this route; `read` tells whether it was an object of the right fields.
pub(super) fn in_place_of_json<S: ScoringEndpoint>(bytes: &[u8], read: bool) -> Option<FieldError> {
    if read {
        return None;
    }
    if let Some(error) = compressed(bytes) {
        return Some(error);
    }
    let list = S::LIST;
    let start = bytes.trim_ascii_start();
    let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let wrong = |detail: String| Some(FieldError::whole(ErrorCode::WrongType, detail));
    let broken = |detail: String| Some(FieldError::whole(ErrorCode::Syntax, detail));
    if is_row::<S>(first) || is_row::<S>(start) {
        return wrong(format!(
            "these are rows, not a request: put them into {{\"{list}\": [...]}}, or send them one a line as Content-Type: application/x-ndjson"
        ));
    }
    match start.first() {
        Some(b'[') => wrong(format!("the rows stand alone: put them into {{\"{list}\": [...]}}")),
        Some(b'>') => broken(fasta::<S>()),
        Some(b'{') | None => None,
        _ if is_header::<S>(first) => {
            broken("this is a table: send it as Content-Type: text/csv or text/tab-separated-values".into())
        }
        _ if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") => {
            broken("this is UTF-16: JSON has to be UTF-8".into())
        }
        _ => None,
    }
}

/// What a line is that is no row.
pub(super) fn in_place_of_line<S: ScoringEndpoint>(line: &[u8]) -> Option<FieldError> {
    if let Some(error) = compressed(line) {
        return Some(error);
    }
    let list = S::LIST;
    let start = line.trim_ascii_start();
    let broken = |detail: String| Some(FieldError::whole(ErrorCode::Syntax, detail));
    match start.first() {
        Some(b'>') => broken(fasta::<S>()),
        Some(b'{') if has_field(start, |name| name == list) => broken(format!(
            "this is a whole request: send it as Content-Type: application/json, or the rows of {list} one a line"
        )),
        Some(b'{') if start.len() == 1 => {
            broken("each line has to be a whole JSON object; a request over several lines is Content-Type: application/json".into())
        }
        Some(b'{' | b'[') => None,
        _ if is_header::<S>(start) => broken(
            "this is a table: send it as Content-Type: text/csv or text/tab-separated-values".into(),
        ),
        _ => None,
    }
}

/// What a text is that is no table.
pub(super) fn in_place_of_table<S: ScoringEndpoint>(text: &[u8]) -> Option<FieldError> {
    let start = text.trim_ascii_start();
    let first = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let detail = match start.first() {
        Some(b'>') if !first.iter().any(|byte| b",;\t".contains(byte)) => fasta::<S>(),
        Some(b'{') if is_row::<S>(first) => {
            "these are lines of JSON: send them as Content-Type: application/x-ndjson".into()
        }
        Some(b'{' | b'[') => "this is JSON: send it as Content-Type: application/json".into(),
        _ => match parted_otherwise::<S>(start) {
            Some(b'|') => "cells seem parted by |: part them by commas, tabs or ;".into(),
            Some(_) => {
                "cells seem parted by blanks: part them by tabs (in R: write.table(…, sep = \"\\t\"))".into()
            }
            None => return None,
        },
    };
    Some(FieldError::whole(ErrorCode::Syntax, detail))
}

/// The sign between cells, where it is none that tables are read with: the first line has a name of ours between others,
/// or the second as many words.
fn parted_otherwise<S: ScoringEndpoint>(text: &[u8]) -> Option<u8> {
    let mut lines = text.split(|&byte| byte == b'\n').map(|line| String::from_utf8_lossy(line));
    let (first, second) = (lines.next()?, lines.next().unwrap_or_default());
    if first.contains([',', ';', '\t']) {
        return None;
    }
    let is_name = |word: &str| {
        let word = word.trim().trim_matches('"');
        S::FIELDS.iter().any(|column| word.eq_ignore_ascii_case(column.name))
    };
    let bars = first.split('|').count();
    if bars > 1 && (first.split('|').any(is_name) || second.split('|').count() == bars) {
        return Some(b'|');
    }
    let words = first.split_whitespace().count();
    let others = second.split_whitespace().count();
    let alike = others == words || others == words + 1;
    (words > 1 && alike && !second.contains([',', ';', '\t'])).then_some(b' ')
}

/// What a text is that is no FASTA file.
pub(super) fn in_place_of_fasta(text: &[u8]) -> Option<FieldError> {
    let detail = match text.trim_ascii_start().first() {
        Some(b'{') => {
            "this is JSON: send it as Content-Type: application/json, or as application/x-ndjson where each line is a row"
        }
        Some(b'@') => "this is a FASTQ file; only FASTA is read: > and a name, then the sequence",
        _ => return None,
    };
    Some(FieldError::whole(ErrorCode::Syntax, detail.into()))
}

fn fasta<S: ScoringEndpoint>() -> String {
    match S::FASTA {
        Some(_) => "this is a FASTA file: send it as Content-Type: text/x-fasta".into(),
        None => format!(
            "this is a FASTA file; this route takes rows of {}, as JSON, lines of JSON or a table",
            S::names()
        ),
    }
}

fn is_row<S: ScoringEndpoint>(text: &[u8]) -> bool {
    has_field(text, |name| S::FIELDS.iter().any(|column| column.name == name))
}

fn has_field(text: &[u8], is: impl Fn(&str) -> bool) -> bool {
    serde_json::from_slice::<Entries<'_>>(text)
        .is_ok_and(|entries| entries.0.iter().any(|(name, _)| is(name)))
}

/// Whether a line names a field that rows have.
fn is_header<S: ScoringEndpoint>(line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(&line[..line.len().min(1000)]);
    let mut names = line.split([',', ';', '\t']).map(|name| name.trim().trim_matches('"'));
    names.any(|name| S::FIELDS.iter().any(|column| column.name == name))
}

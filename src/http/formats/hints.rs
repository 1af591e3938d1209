//! Bodies that are of another format than their Content-Type says: recognised, so that the refusal can name the remedy.

use super::object::Entries;
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::ScoringEndpoint;

/// That a body is no text, or another program's, by how it begins.
pub(super) fn no_plain_text(bytes: &[u8]) -> Option<FieldError> {
    const STARTS: [(&[u8], &str); 9] = [
        (b"\x1F\x8B", "this is gzip: add Content-Encoding: gzip"),
        (b"\x28\xB5\x2F\xFD", "this is zstd: add Content-Encoding: zstd"),
        (b"PK\x03\x04", "this is a zip file, or a workbook (xlsx): save it as CSV UTF-8"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "this is a workbook (xls): save it as CSV UTF-8"),
        (b"\xFD7zXZ\0", "this is xz: unpack it, or send it as gzip or zstd"),
        (b"{\\rtf", "this is a document of a word processor (RTF): save it as plain text"),
        (b"%PDF", "this is a PDF: send the text in it"),
        (b"\xFF\xFE\0\0", "this is UTF-32: save it as UTF-8"),
        (b"\0\0\xFE\xFF", "this is UTF-32: save it as UTF-8"),
    ];
    let detail = match bytes {
        // What begins with letters may be a table of such names.
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', b'&', b'S', b'Y', ..] => {
            "this is bzip2: unpack it, or send it as gzip or zstd"
        }
        [b'P', b'A', b'R', b'1', .., b'P', b'A', b'R', b'1'] => {
            "this is a Parquet file: write its rows as CSV or lines of JSON"
        }
        _ => STARTS.iter().find(|(start, _)| bytes.starts_with(start))?.1,
    };
    Some(FieldError::whole(ErrorCode::Syntax, detail.into()))
}

/// What a body is that is not the JSON of this route; `read` tells whether it was an object of the right fields.
pub(super) fn in_place_of_json<S: ScoringEndpoint>(bytes: &[u8], read: bool) -> Option<FieldError> {
    if read {
        return None;
    }
    if let Some(error) = no_plain_text(bytes) {
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

/// Where a body is no JSON any more, and what may be meant.
pub(crate) fn broken_json(bytes: &[u8], error: &serde_json::Error) -> FieldError {
    let place = format!("line {}, column {}", error.line(), error.column());
    let detail = match error.is_eof() {
        true => format!("the JSON ends too early, at {place}"),
        false => format!("not JSON at {place}{}", in_place_of_a_value(bytes, error)),
    };
    FieldError::whole(ErrorCode::Syntax, detail)
}

/// What may be meant where JSON breaks off, with the remedy; empty where nothing is known.
pub(crate) fn in_place_of_a_value(bytes: &[u8], error: &serde_json::Error) -> &'static str {
    if bytes.contains(&0) {
        return "; there are zero bytes in it, as in UTF-16: JSON has to be UTF-8";
    }
    if std::str::from_utf8(bytes).is_err() {
        return "; it is not UTF-8: save it so, whatever charset= says";
    }
    let line = bytes.split(|&byte| byte == b'\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let (before, behind) = line.split_at(error.column().saturating_sub(1).min(line.len()));
    let is_word = |byte: &&u8| byte.is_ascii_alphabetic();
    let start = before.len() - before.iter().rev().take_while(is_word).count();
    let end = before.len() + behind.iter().take_while(is_word).count();
    match &line[start..end] {
        b"NaN" | b"nan" | b"NA" | b"Infinity" | b"inf" => {
            "; NaN, NA and Infinity are not JSON: leave the field out, or send null"
        }
        b"None" | b"True" | b"False" => "; JSON has null, true and false",
        b"" if behind.first() == Some(&b'\'') => "; JSON has double quotes",
        _ => "",
    }
}

/// What a line is that is no row.
pub(super) fn in_place_of_line<S: ScoringEndpoint>(line: &[u8]) -> Option<FieldError> {
    if let Some(error) = no_plain_text(line) {
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

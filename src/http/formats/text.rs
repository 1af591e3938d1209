//! The letters of a table or a FASTA file: UTF-8, or whatever its mark or its Content-Type says.

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};

use super::hints;
use crate::http::problem::{ErrorCode, FieldError};

/// Makes text UTF-8, with LF at the ends of lines where they were bare CR, as of old Macs and in files that were joined of
/// several machines', and without the marks that these have in their middle. `save` says how the caller may save it so.
///
/// # Errors
/// When they are not of that encoding: the line, and the remedy.
pub(super) fn decode(bytes: Bytes, charset: Option<&str>, save: &str) -> Result<Bytes, FieldError> {
    if let Some(error) = hints::no_plain_text(&bytes) {
        return Err(error);
    }
    letters(bytes, charset, save).map(tidy)
}

fn letters(bytes: Bytes, charset: Option<&str>, save: &str) -> Result<Bytes, FieldError> {
    let syntax = |detail: String| FieldError::whole(ErrorCode::Syntax, detail);
    // A mark at the start is surer than what a program says of all its files.
    let (encoding, mark) = match (Encoding::for_bom(&bytes), charset) {
        (Some(marked), _) => marked,
        (None, Some(name)) => {
            let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                syntax(format!("no charset {:?} is known; {save}", name.chars().take(40).collect::<String>()))
            })?;
            (encoding, 0)
        }
        (None, None) => (UTF_8, 0),
    };
    let bytes = bytes.slice(mark..);
    if encoding == UTF_8 {
        if let Some(zero) = bytes.iter().position(|&byte| byte == 0) {
            // Most letters are ASCII: the first zero is the high byte of the first of them.
            let order = if zero % 2 == 1 { "utf-16le" } else { "utf-16be" };
            return Err(syntax(format!(
                "there are zero bytes in this file, as in UTF-16 without a mark; {save}, or add charset={order} to Content-Type"
            )));
        }
        return match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(bytes),
            Err(error) => {
                let line = 1 + newlines(&bytes[..error.valid_up_to()]);
                let detail = format!(
                    "line {line} is not UTF-8; {save}, or say in Content-Type what it is, as in charset=windows-1252"
                );
                Err(syntax(detail).at_line(Some(line)))
            }
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(&bytes).map(Cow::into_owned) {
        Some(text) => Ok(text.into()),
        None => Err(syntax(format!("the file is not {}; {save}", encoding.name()))),
    }
}

const MARK: &[u8] = b"\xEF\xBB\xBF";

fn tidy(text: Bytes) -> Bytes {
    let is_mark = |place: usize| {
        text[place..].starts_with(MARK) && (place == 0 || matches!(text[place - 1], b'\n' | b'\r'))
    };
    let marks: Vec<usize> =
        (0..text.len()).filter(|&place| text[place] == MARK[0]).filter(|&place| is_mark(place)).collect();
    let is_bare = |text: &[u8], place: usize| text[place] == b'\r' && text.get(place + 1) != Some(&b'\n');
    if marks.is_empty() && !(0..text.len()).any(|place| is_bare(&text, place)) {
        return text;
    }
    let mut text = Vec::from(text);
    for place in 0..text.len() {
        if is_bare(&text, place) {
            text[place] = b'\n';
        }
    }
    let mut tidy = Vec::with_capacity(text.len());
    let mut start = 0;
    for mark in marks {
        tidy.extend_from_slice(&text[start..mark]);
        start = mark + MARK.len();
    }
    tidy.extend_from_slice(&text[start..]);
    tidy.into()
}

/// Ends of lines.
pub(super) fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

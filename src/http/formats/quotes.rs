//! Quotes in a table. The reader of tables closes an open quote at the end of the file without a word, with every row that
//! it swallowed in one cell; so quotes are looked at before.

use super::text::newlines;
use crate::http::problem::{ErrorCode, FieldError};

/// Every cell that begins with a quote has to end with one. Quotes within a cell mean nothing.
///
/// # Errors
/// With the line in which the quote was opened.
pub(super) fn check(bytes: &[u8], delimiter: u8, before: u64) -> Result<(), FieldError> {
    let mut at = 0;
    while let Some(quote) = find(bytes, at) {
        let starts_cell =
            quote == 0 || matches!(bytes[quote - 1], b'\n' | b'\r') || bytes[quote - 1] == delimiter;
        at = match (starts_cell, closing(bytes, quote + 1)) {
            (false, _) => quote + 1,
            (true, Some(end)) if ends_cell(&bytes[end + 1..], delimiter) => end + 1,
            (true, closed) => {
                let line = before + 1 + newlines(&bytes[..quote]);
                let what = if closed.is_some() { "closed in the middle of a cell" } else { "never closed" };
                let detail = format!(
                    "the quote that opens in line {line} is {what}; write a quote within a cell twice, the cell between quotes"
                );
                return Err(FieldError::whole(ErrorCode::BrokenTable, detail).at_line(Some(line)));
            }
        };
    }
    Ok(())
}

fn find(bytes: &[u8], from: usize) -> Option<usize> {
    bytes[from..].iter().position(|&byte| byte == b'"').map(|place| from + place)
}

/// The quote that closes a cell: doubled ones stand for one.
fn closing(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let quote = find(bytes, from)?;
        if bytes.get(quote + 1) != Some(&b'"') {
            return Some(quote);
        }
        from = quote + 2;
    }
}

fn ends_cell(rest: &[u8], delimiter: u8) -> bool {
    let blank = |byte: &&u8| **byte == b' ' && delimiter != b' ';
    match rest.iter().find(|byte| !blank(byte)) {
        None => true,
        Some(&byte) => byte == delimiter || byte == b'\n' || byte == b'\r',
    }
}

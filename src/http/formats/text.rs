//! The letters of a table or a FASTA file: UTF-8, or whatever its mark or its Content-Type says.

use std::borrow::Cow;

use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};

use crate::http::problem::{ErrorCode, FieldError};

/// The same in UTF-8.
///
/// # Errors
/// When they are not of that encoding: the line, and the remedy.
pub fn decode(bytes: Bytes, charset: Option<&str>) -> Result<Bytes, FieldError> {
    let syntax = |detail: String| FieldError::whole(ErrorCode::Syntax, detail);
    // A mark at the start is surer than what a program says of all its files.
    let (encoding, mark) = match (Encoding::for_bom(&bytes), charset) {
        (Some(marked), _) => marked,
        (None, Some(name)) => {
            let encoding = Encoding::for_label(name.as_bytes()).ok_or_else(|| {
                syntax(format!(
                    "no charset {:?} is known; save as UTF-8",
                    name.chars().take(40).collect::<String>()
                ))
            })?;
            (encoding, 0)
        }
        (None, None) => (UTF_8, 0),
    };
    let bytes = bytes.slice(mark..);
    if encoding == UTF_8 {
        return match std::str::from_utf8(&bytes) {
            Ok(text) if text.contains('\0') => Err(syntax(
                "there are zero bytes in this file, as in UTF-16 without a mark; save as CSV UTF-8".into(),
            )),
            Ok(_) => Ok(bytes),
            Err(error) => {
                let line = 1 + newlines(&bytes[..error.valid_up_to()]);
                let detail = format!(
                    "line {line} is not UTF-8; save as CSV UTF-8, or say in Content-Type what it is, as in text/csv; charset=windows-1252"
                );
                Err(syntax(detail).at_line(Some(line)))
            }
        };
    }
    match encoding.decode_without_bom_handling_and_without_replacement(&bytes).map(Cow::into_owned) {
        Some(text) => Ok(text.into()),
        None => Err(syntax(format!("the file is not {}; save as CSV UTF-8", encoding.name()))),
    }
}

/// Ends of lines.
pub fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

//! Cells as spreadsheets, R and pandas write them.

use serde_json::{Number, Value};

use super::draft::whole_number;
use crate::http::problem::{ErrorCode, shown};
use crate::http::rows::Kind;

/// What stands in a cell without a value, in lower case.
const MISSING: [&str; 8] = ["na", "nan", "null", "none", "n/a", "#n/a", "<na>", "-"];

/// The value of a cell; null where it has none. `comma`: numbers may have one in the point's place.
pub(super) fn value(field: &str, kind: Kind, cell: &str, comma: bool) -> Result<Value, (ErrorCode, String)> {
    let text = bare(cell);
    // An id is the caller's own, whatever it is.
    let missing = text.is_empty() || (field != "id" && MISSING.contains(&text.to_ascii_lowercase().as_str()));
    let expected =
        |what: &str| (ErrorCode::WrongType, format!("{field} has to be {what}; this is {}", shown(text)));
    match kind {
        _ if missing && kind != Kind::Text => Ok(Value::Null),
        Kind::Text if field == "id" => Ok(if missing { Value::Null } else { cell.into() }),
        Kind::Text if missing => Ok("".into()),
        // Some files have a FASTA mark before each sequence.
        Kind::Text => Ok(text.strip_prefix('>').unwrap_or(text).into()),
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Ok(true.into()),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Ok(false.into()),
            _ => Err(expected("true or false")),
        },
        Kind::Integer if may_be_thousands(text) => {
            let detail = format!(
                "{field}: {} may be thousands or decimals; write the number without a sign in it",
                shown(text)
            );
            Err((ErrorCode::WrongType, detail))
        }
        Kind::Integer => {
            let number = number(text, comma).and_then(|number| whole_number(Some(number)));
            number.map(Value::from).ok_or_else(|| expected("a whole number, 0 or more"))
        }
        Kind::Number => match number(text, comma) {
            Some(number) => Number::from_f64(number).map(Value::Number).ok_or_else(|| {
                (
                    ErrorCode::OutOfRange,
                    format!("{field} has to be a finite number; leave it out where it is not known"),
                )
            }),
            None => Err(expected("a number")),
        },
    }
}

/// Without white space, and without quotes that the table's own reader left.
fn bare(cell: &str) -> &str {
    let cell = cell.trim();
    let inner = cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"'));
    inner.map_or(cell, str::trim)
}

/// `1.000` and `1,000` are a thousand to one program and one to another.
fn may_be_thousands(text: &str) -> bool {
    let mut groups = text.split(['.', ',']);
    let first = groups.next().unwrap_or_default();
    let mut others = groups.peekable();
    let is_digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    (1..=3).contains(&first.len())
        && is_digits(first)
        && !first.starts_with('0')
        && others.peek().is_some()
        && others.all(|group| group.len() == 3 && is_digits(group))
}

fn number(text: &str, comma: bool) -> Option<f64> {
    match comma && text.matches(',').count() == 1 && !text.contains('.') {
        true => text.replace(',', ".").parse().ok(),
        false => text.parse().ok(),
    }
}

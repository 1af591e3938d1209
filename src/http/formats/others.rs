//! Columns of the caller's own: not read, only handed back beside ours.

use std::collections::HashMap;

use serde::Serialize;

use super::draft::Other;
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::Passed;

/// Most names of them in one request: a table of results with hundreds of tools' columns is narrower.
pub(crate) const MOST: usize = 200;

/// What they are called in a reply: ours and theirs may have the same name.
pub(super) const PREFIX: &str = "input.";

/// Gathers them row by row; each row may have other ones.
#[derive(Default)]
pub(super) struct Gathered {
    places: HashMap<String, usize>,
    passed: Passed,
}

impl Gathered {
    /// Those of the next good row.
    pub(super) fn add(&mut self, others: Vec<Other>) -> Result<(), FieldError> {
        let mut cells = vec![String::new(); self.passed.names.len()];
        for (name, value) in others {
            let next = self.passed.names.len();
            let place = *self.places.entry(name.clone()).or_insert(next);
            if place == MOST {
                let detail = format!("up to {MOST} columns of other names can pass");
                return Err(FieldError::whole(ErrorCode::UnknownField, detail));
            }
            if place == next {
                self.passed.names.push(name);
                cells.push(String::new());
            }
            cells[place] = value;
        }
        self.passed.cells.push(cells);
        Ok(())
    }

    /// All of them; nothing where no row had any.
    pub(super) fn passed(self) -> Passed {
        if self.passed.names.is_empty() { Passed::default() } else { self.passed }
    }
}

impl Passed {
    /// Row `index`'s, as fields of an object `input` at the end of the object that `text` ends with.
    pub(crate) fn append(&self, index: usize, text: &mut Vec<u8>) {
        let cells = self.cells.get(index).into_iter().flatten();
        append(self.names.iter().map(String::as_str).zip(cells.map(String::as_str)), text);
    }

    /// Row `index`'s, as text, one for each name.
    pub(crate) fn cells(&self, index: usize) -> impl Iterator<Item = String> {
        let cells = self.cells.get(index);
        (0..self.names.len()).map(move |place| {
            passed_cell(cells.and_then(|cells| cells.get(place)).map_or("", String::as_str))
        })
    }
}

/// A value as a cell: text without its quotes, anything else to the digit as it was sent.
pub(crate) fn passed_cell(json: &str) -> String {
    serde_json::from_str::<String>(json)
        .unwrap_or_else(|_| if json == "null" { String::new() } else { json.to_owned() })
}

/// Puts an object `input` at the end of the object that `text` ends with. Values are JSON; an empty one is left out.
pub(super) fn append<'a>(others: impl Iterator<Item = (&'a str, &'a str)>, text: &mut Vec<u8>) {
    let mut others = others.filter(|(_, value)| !value.is_empty()).peekable();
    if others.peek().is_none() || text.pop_if(|last| *last == b'}').is_none() {
        return;
    }
    text.extend(br#","input":{"#);
    for (place, (name, value)) in others.enumerate() {
        if place > 0 {
            text.push(b',');
        }
        to_json(text, &name);
        text.push(b':');
        text.extend(value.as_bytes());
    }
    text.extend(b"}}");
}

/// Appends a value.
pub(crate) fn to_json(text: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(text, value).expect("strings and finite numbers always serialise");
}

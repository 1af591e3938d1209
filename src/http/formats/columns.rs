//! Rows out of columns: a column is a field of a row; a field inside a field is written with a dot
//! (`half_life_features.measured`).

use std::collections::HashSet;

use csv::StringRecord;
use serde_json::Value;

use super::asked::Asked;
use super::cells;
use super::column_errors as complain;
use super::draft::{Draft, Other, pointer, unknown};
use super::others::MOST;
use super::table::Table;
use crate::http::problem::{ErrorCode, Errors, FieldError, shown};
use crate::http::rows::{Kind, ScoringEndpoint};

/// What the names of rows are called where they go back.
const ROW_NAMES: &str = "row.names";

/// What is done with each column of a table.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<Column>,
    /// Their names in the file or in the URL.
    names: Vec<String>,
    /// Whether a line of the file names them.
    in_file: bool,
    /// Whether numbers may be written with a comma.
    comma: bool,
    /// For every row.
    tss: Option<u64>,
    /// What is wrong with the columns themselves.
    pub errors: Vec<FieldError>,
    /// Whether a field that every row needs has no column.
    pub unusable: bool,
}

#[derive(Debug)]
enum Column {
    Field(String, Kind),
    Other(String),
    /// Nobody reads it.
    Index,
    /// Without a name: nothing may stand there.
    Nameless,
    /// Refused.
    Bad,
}

impl Columns {
    pub(super) fn of<S: ScoringEndpoint>(table: &Table, asked: &Asked) -> Self {
        let (mut columns, mut errors, mut seen, mut others) = (Vec::new(), Vec::new(), HashSet::new(), 0);
        let mut bad = |name: &str, code, detail| {
            errors.push(FieldError::new(pointer(name), code, detail));
            Column::Bad
        };
        let has_id = table.header.iter().any(|name| asked.field(name) == Some("id"));
        // They would stand beside a column of their name.
        let keeps_names = asked.keep_columns && !table.header.iter().any(|name| name == ROW_NAMES);
        for (place, name) in table.header.iter().enumerate() {
            let field = asked.field(name).and_then(|field| Some((field, S::kind(field)?)));
            columns.push(match field {
                None if place == 0 && table.row_names && !has_id => {
                    Column::Field("id".to_owned(), Kind::Text)
                }
                None if place == 0 && (table.row_names || name.is_empty()) && keeps_names => {
                    Column::Other(ROW_NAMES.to_owned())
                }
                None if name.is_empty() && place == 0 => Column::Index,
                None if name.is_empty() => Column::Nameless,
                // Their own column may have the name of a field that another column holds.
                _ if !seen.insert((field.is_some(), field.map_or(name.as_str(), |(field, _)| field))) => {
                    bad(name, ErrorCode::DuplicateField, format!("there are two columns {}", shown(name)))
                }
                Some(("tss", _)) if asked.tss.is_some() => {
                    let detail = format!("column {} holds tss: leave ?tss= out", shown(name));
                    bad(name, ErrorCode::DuplicateField, detail)
                }
                Some((field, kind)) => Column::Field(field.to_owned(), kind),
                None if asked.keep_columns && others < MOST => {
                    others += 1;
                    Column::Other(name.clone())
                }
                None if asked.keep_columns => bad(
                    name,
                    ErrorCode::UnknownField,
                    format!("up to {MOST} columns of other names can pass"),
                ),
                None if S::kind(name).is_some() => {
                    bad(name, ErrorCode::UnknownField, complain::of_another_name(name, asked))
                }
                None => bad(name, ErrorCode::UnknownField, unknown::<S>("column", name)),
            });
        }
        let lacking: Vec<&str> = S::FIELDS
            .iter()
            .map(|column| column.name)
            .filter(|&name| !table.header.is_empty() && !seen.contains(&(true, name)))
            .filter(|&name| name != "tss" || asked.tss.is_none())
            .collect();
        let unknown = asked.columns.iter().filter(|(field, theirs)| {
            !table.header.is_empty() && !table.header.contains(theirs) && !lacking.contains(&field.as_str())
        });
        let knows_any = columns.iter().any(|column| matches!(column, Column::Field(..)));
        if !knows_any && !table.header.is_empty() {
            // One remedy for all of them.
            errors = vec![complain::nothing_known::<S>(table, asked)];
        } else {
            let fields = lacking.iter().copied().chain(unknown.map(|(field, _)| field.as_str()));
            errors.extend(fields.map(|field| complain::lacking(field, table, asked)));
        }
        let errors = errors.into_iter().map(|error| error.at_line(table.header_line)).collect();
        let (names, in_file) = (table.header.clone(), table.header_line.is_some());
        let unusable = !lacking.is_empty();
        Self { columns, names, in_file, comma: table.comma, tss: asked.tss, errors, unusable }
    }

    /// A row, and the cells that go back with its result.
    pub(super) fn row<S: ScoringEndpoint>(
        &self,
        record: &StringRecord,
        room: usize,
    ) -> Result<(S, Vec<Other>), Errors> {
        if let Some(detail) = self.misshapen::<S>(record) {
            return Err(FieldError::whole(ErrorCode::BrokenTable, detail).into());
        }
        let (mut draft, mut others) = (Draft::<S>::new(room), Vec::new());
        for (column, cell) in self.columns.iter().zip(record) {
            match column {
                Column::Field(field, kind) => match cells::value(field, *kind, cell, self.comma) {
                    Ok(value) => draft.put(field, value),
                    Err((code, detail)) => draft.error(field, code, || detail),
                },
                Column::Other(name) => others.push((name.clone(), Value::from(cell).to_string())),
                Column::Index | Column::Nameless | Column::Bad => {}
            }
        }
        if let Some(tss) = self.tss {
            draft.put("tss", tss.into());
        }
        draft.finish().map(|row| (row, others))
    }

    /// Why the row is none of this table.
    fn misshapen<S: ScoringEndpoint>(&self, record: &StringRecord) -> Option<String> {
        let (expected, found) = (self.columns.len(), record.len());
        if found < expected || record.iter().skip(expected).any(|cell| !cell.trim().is_empty()) {
            let cells = if found == 1 { "cell" } else { "cells" };
            let names = if self.in_file { "the first line" } else { "header= names" };
            let comment = record.get(0).is_some_and(|cell| cell.starts_with('#'));
            let remedy = if comment { "; comments (#) are not read, take such lines out" } else { "" };
            return Some(format!("the row has {found} {cells}, {names} {expected}{remedy}"));
        }
        let filled =
            |(column, cell): (&Column, &str)| matches!(column, Column::Nameless) && !cell.trim().is_empty();
        if let Some(place) = self.columns.iter().zip(record).position(filled) {
            let names = if self.in_file { "the first line" } else { "header=" };
            let number = place + 1;
            return Some(format!("cell {number} is filled, but {names} has no name for column {number}"));
        }
        // Text of its own kind in every field that is needed: the names once more.
        let mut needed =
            self.columns.iter().zip(&self.names).zip(record).filter_map(|((column, name), cell)| {
                let Column::Field(field, _) = column else { return None };
                let is_needed = S::FIELDS.iter().any(|column| column.name == field);
                is_needed
                    .then(|| cell.trim())
                    .map(|cell| cell.eq_ignore_ascii_case(name) || cell.eq_ignore_ascii_case(field))
            });
        let repeats = needed.next() == Some(true) && needed.all(|repeats| repeats);
        repeats.then(|| match self.in_file {
            true => "this line repeats the names of the columns; take it out".to_owned(),
            false => "this line names the columns; leave ?header= out, or take the line out".to_owned(),
        })
    }

    /// The cell that names the row.
    pub(super) fn id<'a>(&self, record: &'a StringRecord) -> Option<&'a str> {
        let is_id = |column: &Column| matches!(column, Column::Field(field, _) if field == "id");
        record.get(self.columns.iter().position(is_id)?).filter(|id| !id.trim().is_empty())
    }
}

//! Rows out of columns: a column is a field of a row; a field inside a field is written with a dot
//! (`half_life_features.measured`).

use std::collections::HashSet;

use csv::StringRecord;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::cells;
use super::draft::{Draft, Other, pointer, unknown};
use super::others::MOST;
use super::table::Table;
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::{Kind, Question};

/// What is done with each column of a table.
pub struct Columns {
    columns: Vec<Column>,
    /// Whether numbers may be written with a comma.
    comma: bool,
    /// What is wrong with the columns themselves.
    pub errors: Vec<FieldError>,
}

enum Column {
    Field(String, Kind),
    Other(String),
    /// Nobody reads it.
    Index,
    /// Refused.
    Bad,
}

impl Columns {
    pub fn of<Q: Question>(table: &Table, asked: &Asked) -> Self {
        let (mut columns, mut errors, mut seen, mut others) = (Vec::new(), Vec::new(), HashSet::new(), 0);
        let mut bad = |name: &str, code, detail| {
            errors.push(FieldError::new(pointer(name), code, detail));
            Column::Bad
        };
        for name in &table.header {
            let field = asked.field(name).and_then(|field| Some((field, Q::kind(field)?)));
            columns.push(match field {
                None if name.is_empty() => Column::Index,
                // Their own column may have the name of a field that another column holds.
                _ if !seen.insert((field.is_some(), field.map_or(name.as_str(), |(field, _)| field))) => {
                    bad(name, ErrorCode::DuplicateField, format!("there are two columns {name:?}"))
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
                None => bad(name, ErrorCode::UnknownField, unknown::<Q>("column", name)),
            });
        }
        if !columns.iter().any(|column| matches!(column, Column::Field(..))) && !table.header.is_empty() {
            let first: String = table.header.join(" ").chars().take(60).collect();
            let detail = format!(
                "the first line ({first}) names no column that is known; there is: {}. For a file without such a line add ?header=NAME,NAME,…",
                Q::names()
            );
            // One remedy for all of them.
            errors = vec![FieldError::whole(ErrorCode::UnknownField, detail)];
        } else {
            for column in Q::FIELDS
                .iter()
                .filter(|column| !table.header.is_empty() && !seen.contains(&(true, column.name)))
            {
                let theirs = asked.columns.iter().find(|(field, _)| field == column.name);
                let named = theirs.map_or(column.name, |(_, theirs)| theirs);
                let detail = format!(
                    "there is no column {named:?}; ?column.{}=NAME says which column it is",
                    column.name
                );
                errors.push(FieldError::whole(ErrorCode::MissingField, detail));
            }
        }
        let errors = errors.into_iter().map(|error| error.at_line(table.header_line)).collect();
        Self { columns, comma: table.comma, errors }
    }

    /// A row, and the cells that go back with its result.
    pub fn row<Q: Question>(&self, record: &StringRecord) -> Result<(Q, Vec<Other>), Vec<FieldError>> {
        let (expected, found) = (self.columns.len(), record.len());
        if found < expected || record.iter().skip(expected).any(|cell| !cell.trim().is_empty()) {
            let detail = format!("the row has {found} cells, the first line {expected}");
            return Err(vec![FieldError::whole(ErrorCode::BrokenTable, detail)]);
        }
        let (mut draft, mut others) = (Draft::<Q>::new(), Vec::new());
        for (column, cell) in self.columns.iter().zip(record) {
            match column {
                Column::Field(field, kind) => match cells::value(field, *kind, cell, self.comma) {
                    Ok(value) => draft.put(field, value),
                    Err((code, detail)) => draft.error(field, code, detail),
                },
                Column::Other(name) => others.push((name.clone(), Value::from(cell).to_string())),
                Column::Index | Column::Bad => {}
            }
        }
        draft.finish().map(|row| (row, others))
    }

    /// The row as a JSON object, for whoever answers line by line: what is wrong with a cell is told there.
    pub fn object(&self, record: &StringRecord) -> Map<String, Value> {
        let mut object = Map::new();
        for (place, cell) in record.iter().enumerate() {
            let (name, value) = match self.columns.get(place) {
                Some(Column::Field(field, kind)) => (
                    field.clone(),
                    cells::value(field, *kind, cell, self.comma).unwrap_or_else(|_| cell.into()),
                ),
                Some(Column::Other(name)) => (name.clone(), cell.into()),
                Some(Column::Index | Column::Bad) => continue,
                None if cell.trim().is_empty() => continue,
                None => (format!("cell {}", place + 1), cell.into()),
            };
            let (inner, name) = match name.split_once('.').filter(|_| !value.is_null()) {
                Some((outer, name)) => {
                    (object.entry(outer).or_insert_with(|| Map::new().into()), name.to_owned())
                }
                None if value.is_null() => continue,
                None => {
                    object.insert(name, value);
                    continue;
                }
            };
            if let Value::Object(inner) = inner {
                inner.insert(name, value);
            }
        }
        object
    }

    /// Whether a row's missing field was told of the columns already.
    pub fn lacks_fields(&self) -> bool {
        self.errors.iter().any(|error| error.code == ErrorCode::MissingField)
    }
}

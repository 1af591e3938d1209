//! What is said of a table whose columns are not those of the route: the remedy first, with the names that were found.

use mirna::Rna;

use super::asked::Asked;
use super::draft::meant;
use super::table::Table;
use crate::http::problem::{ErrorCode, FieldError, shown};
use crate::http::rows::ScoringEndpoint;

/// That no column is known.
pub(super) fn nothing_known<S: ScoringEndpoint>(table: &Table, asked: &Asked) -> FieldError {
    let found = found(table);
    let needed: Vec<&str> = S::FIELDS.iter().map(|column| column.name).collect();
    let is_row = table.header.iter().any(|cell| Rna::parse(cell, 10..=usize::MAX).is_ok());
    let detail = match is_row {
        true => format!(
            "the first line is a row, not names of columns: ?header=NAME,NAME,… names them, in their order; needed: {}",
            needed.join(", ")
        ),
        false => {
            let first = S::FIELDS.iter().find(|column| asked.theirs(column.name).is_none());
            let field = first.map_or(needed[0], |column| column.name);
            let begins = table.header.first().is_some_and(|name| name.starts_with('#'));
            // Some write it before the names of columns.
            let is_comment = begins && (table.header.len() == 1 || table.first_row_is_longer());
            let suggested = table.header.iter().find_map(|name| Some((name, meant::<S>(name)?)));
            if is_comment && suggested.is_none() {
                let detail = "the first line begins with #: comments are not read, take such lines out";
                return FieldError::whole(ErrorCode::UnknownField, detail.into());
            }
            let suggested = suggested
                .map(|(name, field)| format!(" (did you mean {field} by {}?)", shown(name)))
                .unwrap_or_default();
            format!(
                "the first line names no column that is known{suggested}: ?column.{field}=NAME says which one holds {field}; it names {found}; needed: {}. For a file without such a line: ?header=NAME,NAME,…",
                needed.join(", ")
            )
        }
    };
    FieldError::whole(ErrorCode::UnknownField, detail)
}

/// That no column holds a field which every row needs.
pub(super) fn lacking(field: &str, table: &Table, asked: &Asked) -> FieldError {
    let found = found(table);
    let detail = match asked.theirs(field) {
        Some(theirs) => {
            format!("there is no column {theirs:?}, which column.{field} in the URL names; there is: {found}")
        }
        None => match table.header.iter().find(|name| name.eq_ignore_ascii_case(field)) {
            Some(name) => format!(
                "there is no column {field:?}, but {name:?}: ?column.{field}={name} says that this is it"
            ),
            None => format!(
                "there is no column {field:?}; ?column.{field}=NAME says which column it is, of {found}"
            ),
        },
    };
    FieldError::whole(ErrorCode::MissingField, detail)
}

/// That a column has a field's name while the URL says that another column holds the field.
pub(super) fn of_another_name(name: &str, asked: &Asked) -> String {
    let theirs = asked.theirs(name).unwrap_or(name);
    format!(
        "?column.{name}={theirs} says that column {theirs:?} holds {name}, so {name:?} is a column of your own: ?keep_columns=true lets it pass, or leave column.{name} out"
    )
}

/// The names of the columns, for people.
fn found(table: &Table) -> String {
    let names: Vec<&str> = table.header.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    names.join(", ").chars().take(150).collect()
}

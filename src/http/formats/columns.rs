//! A row from columns: a column is a field of the JSON row; a field inside a field is written with a dot
//! (`half_life_features.measured`), and an empty value is a field left out.

use serde::Serialize;
use serde_json::{Map, Value};

use super::json::field_error;
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::Question;

/// A row, from its values by column. `index` is its place in the request.
pub fn row<'a, Q: Question>(
    index: usize,
    values: impl Iterator<Item = (&'a str, Value)>,
) -> Result<Q, FieldError> {
    let place = |error: FieldError| {
        let pointer = format!("/{}/{index}{}", Q::LIST, error.pointer);
        FieldError { pointer, ..error }
    };
    let mut row = Map::new();
    for (column, value) in values.filter(|(_, value)| !value.is_null()) {
        put(&mut row, column, value).map_err(place)?;
    }
    serde_path_to_error::deserialize(Value::Object(row)).map_err(|error| place(field_error(error)))
}

/// What is said of a row, to be read by column.
pub fn by_column(result: &impl Serialize) -> Value {
    serde_json::to_value(result).expect("strings and finite numbers always serialise")
}

/// Puts a value where its column's name says.
fn put(row: &mut Map<String, Value>, column: &str, value: Value) -> Result<(), FieldError> {
    let error = |code, detail| FieldError::new(format!("/{}", column.replacen('.', "/", 1)), code, detail);
    let (inner, field) = match column.split_once('.') {
        None => (row, column),
        Some((outer, field)) => match row.entry(outer).or_insert_with(|| Map::new().into()) {
            Value::Object(inner) => (inner, field),
            _ => {
                let detail = format!("column {outer:?} stands beside {column:?}");
                return Err(error(ErrorCode::WrongType, detail));
            }
        },
    };
    match inner.insert(field.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(error(ErrorCode::DuplicateField, format!("there are two columns {column:?}"))),
    }
}

//! A table as a request: all its rows, or everything that is wrong with them.

use bytes::Bytes;

use super::asked::Asked;
use super::columns::Columns;
use super::others::Gathered;
use super::table::Table;
use crate::http::offload::Bounds;
use crate::http::problem::{Errors, FieldError, Problem};
use crate::http::rows::{Found, FoundRow, FoundRows, ScoringEndpoint};

/// The rows.
pub(super) fn read<S: ScoringEndpoint>(
    bytes: Bytes,
    written: (u8, Option<&str>),
    asked: &Asked,
    bounds: &Bounds,
) -> Result<Found<S>, Problem> {
    let mut table = Table::open::<S>(bytes, written, asked)?;
    let columns = Columns::of::<S>(&table, asked);
    if columns.unusable {
        // Of the rows nothing could be told but the same.
        let mut errors = Errors::default();
        errors.extend(columns.errors.into_iter().map(|error| error.below(&format!("/{}/0", S::LIST))));
        return errors.into_result().map(|()| std::iter::empty().collect());
    }
    let (mut rows, mut gathered) = (FoundRows::default(), Gathered::default());
    while let Some((line, record)) = table.row()? {
        bounds.admit(rows.len())?;
        let row = columns.row::<S>(&record, rows.room()).and_then(|(mut row, others)| {
            gathered.add(others)?;
            if asked.three_to_five {
                row.turn();
            }
            Ok(row)
        });
        rows.push(Some(line), row);
    }
    let mut rows = rows.into_rows();
    of_columns(columns.errors, table.header_line, S::LIST, &mut rows);
    Ok(Found { model: None, settings: Vec::new(), rows, passed: gathered.passed() })
}

/// What is wrong with the columns is told once, with the first row, which stands for all.
fn of_columns<S>(errors: Vec<FieldError>, line: Option<u64>, list: &str, rows: &mut Vec<FoundRow<S>>) {
    if errors.is_empty() {
        return;
    }
    let place = format!("/{list}/0");
    let mut all = Errors::default();
    all.extend(errors.into_iter().map(|error| error.below(&place)));
    if let Some(FoundRow { row: Err(own), .. }) = rows.first_mut() {
        all.merge(own.clone());
    }
    let first = FoundRow { line, row: Err(all) };
    match rows.first_mut() {
        Some(row) => *row = first,
        None => rows.push(first),
    }
}

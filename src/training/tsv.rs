//! Tab-separated files with a header, row by row; what is wrong with a row names the file and the row.

use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

/// Reads every row as an `R` and turns it into what the caller keeps.
pub fn read<R: DeserializeOwned, T>(path: &Path, mut parse: impl FnMut(R) -> Result<T>) -> Result<Vec<T>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_path(path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut rows = Vec::new();
    for (index, record) in reader.deserialize().enumerate() {
        let place = || format!("{}, row {}", path.display(), index + 1);
        rows.push(record.map_err(anyhow::Error::from).and_then(&mut parse).with_context(place)?);
    }
    Ok(rows)
}

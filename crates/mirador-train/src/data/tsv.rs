//! Tab-separated files with a header, row by row, and the fields that many of them have. What is wrong with a row names
//! the file and the row.

use std::path::Path;

use anyhow::{Context, Result, bail};
use mirador_models::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};
use mirna::Rna;
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

/// A pair from letters, with the limits of the HTTP contract.
pub fn parse_pair(mirna: &str, site: &str) -> Result<Pair> {
    let mirna = Rna::trusted(mirna, MIRNA_LENGTHS).context("mirna")?;
    let site = Rna::trusted(site, SITE_LENGTHS).context("site")?;
    Ok(Pair { mirna, site })
}

/// A label from a number.
pub fn parse_label(label: u8) -> Result<bool> {
    match label {
        0 => Ok(false),
        1 => Ok(true),
        other => bail!("label {other} is neither 0 nor 1"),
    }
}

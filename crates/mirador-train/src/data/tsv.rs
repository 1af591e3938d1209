//! Tab-separated files with a header, row by row, and the fields that many of them have. What is wrong with a row names
//! the file and the row.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use csv::StringRecord;
use flate2::bufread::MultiGzDecoder;
use mirador_models::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};
use mirna::Rna;
use serde::de::DeserializeOwned;

/// A file's text, unpacked where its name ends in `.gz`.
pub fn open(path: &Path) -> Result<Box<dyn Read>> {
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let is_packed = path.extension().is_some_and(|extension| extension == "gz");
    Ok(if is_packed { Box::new(MultiGzDecoder::new(BufReader::new(file))) } else { Box::new(file) })
}

/// Reads every row as an `R` and turns it into what the caller keeps.
pub fn read<R: DeserializeOwned, T>(path: &Path, mut parse: impl FnMut(R) -> Result<T>) -> Result<Vec<T>> {
    read_with_header(path, |header, fields| parse(fields.deserialize(Some(header))?))
}

/// Hands every row over with the header.
pub fn read_with_header<T>(
    path: &Path,
    mut parse: impl FnMut(&StringRecord, &StringRecord) -> Result<T>,
) -> Result<Vec<T>> {
    let unreadable = || format!("{} cannot be read", path.display());
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_reader(open(path)?);
    let header = reader.headers().with_context(unreadable)?.clone();
    let mut rows = Vec::new();
    for (index, fields) in reader.records().enumerate() {
        let row = fields.map_err(anyhow::Error::from).and_then(|fields| parse(&header, &fields));
        rows.push(row.with_context(|| format!("{}, row {}", path.display(), index + 1))?);
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

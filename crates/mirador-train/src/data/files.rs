//! Where datasets lie, and what is said of their making.

use std::path::{Path, PathBuf};

use anyhow::Result;

/// Where a dataset lies unless it is told otherwise.
pub fn file(name: &str) -> PathBuf {
    Path::new("data").join(name.replace('-', "_") + ".tsv")
}

/// Where a dataset lies if another lies at `other`.
pub fn beside(other: &Path, name: &str) -> PathBuf {
    other.with_file_name(file(name).file_name().unwrap_or_default())
}

/// Prints what was done, and keeps it beside the dataset, for the card.
pub fn log(out: &Path, lines: &[String]) -> Result<()> {
    lines.iter().for_each(|line| println!("{line}"));
    Ok(std::fs::write(out.with_extension("log"), lines.join("\n"))?)
}

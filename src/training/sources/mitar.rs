//! The pairs of miTAR: DeepMirTar, miRAW, both together, and the 48 of PAR-CLIP. Traps: miRNAs are written 3'→5'; some
//! files have a header and some do not (the authors' reader drops the first row of those); sites mix T and U.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Labelled, Tally};
use crate::training::target_sites::dataset::{parse_label, parse_pair};

const FOLDER: &str = "target_sites/tjgu+miTAR";

/// Rows of a file, miRNAs turned 5'→3'. The header, where there is one, ends in `label`.
pub fn mitar(data: &Path, file: &str, tally: &mut Tally) -> Result<Vec<(String, Labelled)>> {
    let path = data.join(FOLDER).join(file);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .has_headers(false)
        .quoting(false)
        .from_path(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let place = || format!("{}, line {}", path.display(), index + 1);
        let record = record.with_context(place)?;
        let field = |column: usize| record.get(column).unwrap_or_default().trim();
        if index == 0 && field(4).eq_ignore_ascii_case("label") {
            continue;
        }
        let mirna: String = field(1).chars().rev().collect();
        let pair = parse_pair(&mirna, field(3)).with_context(place)?;
        let label = parse_label(field(4).parse().with_context(place)?).with_context(place)?;
        rows.push((field(2).to_owned(), (pair, label)));
    }
    tally.count(rows.len(), format!("rows in {file}, miRNAs turned 5'→3'"));
    Ok(rows)
}

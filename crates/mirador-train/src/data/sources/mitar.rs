//! The pairs of miTAR: DeepMirTar, miRAW, both together, and the 48 of PAR-CLIP. Traps: miRNAs are written 3'→5'; some
//! files have a header and some do not (the authors' reader drops the first row of those); sites mix T and U.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Labelled, Tally};
use crate::data::tsv::{parse_label, parse_pair};

const FOLDER: &str = "target_sites/tjgu+miTAR";

/// A file of its repository.
#[derive(Clone, Copy, strum::Display)]
pub enum MitarFile {
    /// 48 pairs of PAR-CLIP, positives only.
    #[strum(to_string = "data_DeepMirTar_test.txt")]
    Parclip,
    /// Both sets together.
    #[strum(to_string = "data_DeepMirTar_miRAW_noRepeats_3folds.txt")]
    Both,
    /// DeepMirTar, as its network was trained.
    #[strum(to_string = "data_DeepMirTar_removeMisMissing_remained_seed1122.txt")]
    DeepMirTar,
    /// What the network for both sets is tested on of DeepMirTar.
    #[strum(to_string = "data_DeepMirTar_IndTest_noRepeats_3folds.txt")]
    DeepMirTarIndependent,
    /// What the network for both sets is tested on of miRAW.
    #[strum(to_string = "data_miRaw_IndTest_noRepeats_3folds.txt")]
    MirawRest,
    /// What miRAW's own network is tested on.
    #[strum(to_string = "data_miRaw_noL_noMisMissing_indTest_seed1122.txt")]
    MirawIndependent,
}

/// Rows of a file as gene and pair, miRNAs turned 5'→3'. The header, where there is one, ends in `label`.
pub fn mitar(data: &Path, file: MitarFile, tally: &mut Tally) -> Result<Vec<(String, Labelled)>> {
    let path = data.join(FOLDER).join(file.to_string());
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

/// The pairs alone.
pub fn without_genes(rows: Vec<(String, Labelled)>) -> Vec<Labelled> {
    rows.into_iter().map(|(_, row)| row).collect()
}

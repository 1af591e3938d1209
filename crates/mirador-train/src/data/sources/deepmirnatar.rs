//! The pairs of DeepmiRNATar (miRAW and DeepMirTar). Traps: rows tagged `hsa--11` write the miRNA 3'→5', all others
//! 5'→3'; lines end in CRLF, two files begin with a byte-order mark (before a column that is not read).

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{Labelled, Tally};
use crate::data::tsv::{parse_label, parse_pair};

const FOLDER: &str = "target_sites/zaku1521+DeepmiRNATar";
/// What the rows of DeepMirTar have in place of a name.
const REVERSED: &str = "hsa--11";

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "miRNA")]
    name: String,
    interaction: u8,
    gene_sequence: String,
    #[serde(rename = "miRNA_sequence")]
    mirna: String,
}

/// The label that a miRNA's site in a gene has.
#[derive(Clone, Debug, Deserialize)]
pub struct GeneLabel {
    /// Symbol.
    pub gene: String,
    /// miRBase's name.
    #[serde(rename = "miRNA")]
    pub mirna: String,
    interaction: u8,
}

impl GeneLabel {
    /// Whether the site is a positive one.
    pub fn label(&self) -> bool {
        self.interaction == 1
    }
}

/// Labels by gene of `train`, `valid` or `test`; the two with a byte-order mark lose it.
pub fn deepmirnatar_genes(data: &Path, set: &str) -> Result<Vec<GeneLabel>> {
    let path = data.join(FOLDER).join(format!("{set}.csv"));
    let text = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    reader.deserialize().map(|row| row.with_context(|| path.display().to_string())).collect()
}

/// Rows of `train`, `valid` or `test`, miRNAs 5'→3' unless the published mixture is wanted.
pub fn deepmirnatar(
    data: &Path,
    set: &str,
    raw_orientation: bool,
    tally: &mut Tally,
) -> Result<Vec<Labelled>> {
    let path: PathBuf = data.join(FOLDER).join(format!("{set}.csv"));
    let mut reader =
        csv::Reader::from_path(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut reversed = 0;
    let rows = reader.deserialize().enumerate().map(|(index, record)| {
        let place = || format!("{}, row {}", path.display(), index + 1);
        let Record { name, interaction, gene_sequence, mirna } = record.with_context(place)?;
        let mut pair = parse_pair(&mirna, &gene_sequence).with_context(place)?;
        if name == REVERSED && !raw_orientation {
            pair.mirna = pair.mirna.iter().rev().copied().collect();
            reversed += 1;
        }
        Ok((pair, parse_label(interaction).with_context(place)?))
    });
    let rows: Vec<Labelled> = rows.collect::<Result<_>>()?;
    tally.count(rows.len(), format!("pairs in DeepmiRNATar's {set} set"));
    tally.count(reversed, "of them had the miRNA 3'→5': turned round");
    Ok(rows)
}

//! The one file that `prepare pre-mirnas` writes.
//!
//! Tab-separated, with a header; sequences are RNA letters, 5'→3':
//!
//! | column | meaning |
//! |---|---|
//! | `id` | name in miRBase, or of the transcript that holds the intron |
//! | `source` | published file that the row comes from |
//! | `split` | `train` or `test`: the split of Zheng 2019 |
//! | `family` | number of the hairpin's family: related hairpins have the same |
//! | `sequence` | the hairpin |
//! | `mature5p`, `mature3p` | its mature miRNAs |
//! | `label` | 1 mirtron, 0 canonical |

use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::pre_mirna::{LENGTHS, PreMirna};
use mirna::Rna;
use serde::{Deserialize, Serialize};

use crate::data::tsv::{self, parse_label};

/// The split that the data were published with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// 723 hairpins.
    Train,
    /// 401 hairpins.
    Test,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Hairpin {
    /// Published name.
    pub id: String,
    /// Published file.
    pub source: String,
    /// Zheng 2019's split.
    pub split: Split,
    /// Related hairpins have the same.
    pub family: usize,
    /// The hairpin.
    pub pre_mirna: PreMirna,
    /// On the 5' arm.
    pub mature5p: Rna,
    /// On the 3' arm.
    pub mature3p: Rna,
    /// Whether it is a mirtron.
    pub mirtron: bool,
}

#[derive(Serialize, Deserialize)]
struct Record {
    id: String,
    source: String,
    split: Split,
    family: usize,
    sequence: String,
    mature5p: String,
    mature3p: String,
    label: u8,
}

/// Reads a file that [`write()`] wrote; a wrong row is named.
pub fn read(path: &Path) -> Result<Vec<Hairpin>> {
    tsv::read(path, |record: Record| {
        let Record { id, source, split, family, sequence, mature5p, mature3p, label } = record;
        let sequence = Rna::trusted(&sequence, LENGTHS).context("sequence")?;
        let mirtron = parse_label(label)?;
        let (mature5p, mature3p) = (mature5p.parse()?, mature3p.parse()?);
        let pre_mirna = PreMirna { sequence };
        let hairpin = Hairpin { id, source, split, family, pre_mirna, mature5p, mature3p, mirtron };
        ensure!(hairpin.mature_arms().is_some(), "{}: a mature miRNA is not in its hairpin", hairpin.id);
        Ok(hairpin)
    })
}

/// Writes the file; the same rows give the same bytes.
pub fn write(path: &Path, rows: &[Hairpin]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    for row in rows {
        writer.serialize(Record {
            id: row.id.clone(),
            source: row.source.clone(),
            split: row.split,
            family: row.family,
            sequence: row.pre_mirna.sequence.to_string(),
            mature5p: row.mature5p.to_string(),
            mature3p: row.mature3p.to_string(),
            label: u8::from(row.mirtron),
        })?;
    }
    Ok(writer.flush()?)
}

impl Hairpin {
    /// From the start of the 5' miRNA to the end of the 3' miRNA: what Drosha leaves, and of a mirtron what is left
    /// without a tail. `None` where the two are not there in this order.
    pub fn mature_arms(&self) -> Option<PreMirna> {
        let [five, three] = self.mature()?;
        let arms = self.pre_mirna.sequence.get(five.start..three.end)?;
        Some(PreMirna { sequence: arms.into() })
    }

    /// Where the 5' miRNA and the 3' miRNA stand, the first and the last place; `None` where one of them is not there.
    pub fn mature(&self) -> Option<[Range<usize>; 2]> {
        let bases = &self.pre_mirna.sequence;
        let (five, three) = (self.mature5p.len(), self.mature3p.len());
        let start = bases.windows(five).position(|part| *part == *self.mature5p)?;
        let last = bases.windows(three).rposition(|part| *part == *self.mature3p)?;
        Some([start..start + five, last..last + three])
    }
}

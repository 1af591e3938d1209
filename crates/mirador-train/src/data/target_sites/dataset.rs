//! The one file that `prepare` writes and everything else reads.
//!
//! Tab-separated, with a header; sequences are RNA letters, 5'→3':
//!
//! | column | meaning |
//! |---|---|
//! | `source` | public set that the row comes from |
//! | `split` | `train`, `validation`, `left_out` (unseen miRNA families) or `test` (a published test set) |
//! | `cluster` | number of the site's cluster: sites of one cluster never stand in two splits |
//! | `mirna` | mature miRNA or isomiR |
//! | `site` | candidate target site |
//! | `label` | 1 binds, 0 does not |

use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;
use mirna::{Base, Rna};
use serde::{Deserialize, Serialize};

use crate::data::tsv::{self, parse_label, parse_pair};

/// Sources whose sites were predicted from seed matches and confirmed as targets of a gene, not read in a duplex.
pub const PREDICTED: [&str; 2] = ["miraw", "deepmirtar"];

/// Ending of a source's name for the negatives that the paper's protocol adds to it.
pub const UTR_WINDOW: &str = "+utr_window";

/// Which part of the data a row belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Seen by the optimiser.
    Train,
    /// Chooses the epoch and the seed.
    Validation,
    /// miRNA families that training never sees.
    LeftOut,
    /// A published test set.
    Test,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Public set.
    pub source: String,
    /// Part of the data.
    pub split: Split,
    /// Site cluster.
    pub cluster: usize,
    /// The pair.
    pub pair: Pair,
    /// Whether it binds.
    pub label: bool,
}

impl Example {
    /// The source of the positives that this row belongs to.
    pub fn stratum(&self) -> &str {
        self.source.strip_suffix(UTR_WINDOW).unwrap_or(&self.source)
    }

    /// Whether its source is among [`PREDICTED`].
    pub fn is_predicted(&self) -> bool {
        PREDICTED.contains(&self.source.as_str())
    }

    /// Positions 2–8 of the miRNA: rows with the same letters are one family.
    pub fn family(&self) -> &[Base] {
        seed(&self.pair.mirna)
    }
}

/// Positions 2–8.
pub fn seed(mirna: &Rna) -> &[Base] {
    &mirna[1..8]
}

#[derive(Serialize, Deserialize)]
struct Record {
    source: String,
    split: Split,
    cluster: usize,
    mirna: String,
    site: String,
    label: u8,
}

/// Reads a file that [`write()`] wrote; a wrong row is named.
pub fn read(path: &Path) -> Result<Vec<Example>> {
    tsv::read(path, |Record { source, split, cluster, mirna, site, label }| {
        let pair = parse_pair(&mirna, &site)?;
        Ok(Example { source, split, cluster, pair, label: parse_label(label)? })
    })
}

/// Writes the file; the same rows give the same bytes.
pub fn write(path: &Path, rows: &[Example]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    for Example { source, split, cluster, pair, label } in rows {
        writer.serialize(Record {
            source: source.clone(),
            split: *split,
            cluster: *cluster,
            mirna: pair.mirna.to_string(),
            site: pair.site.to_string(),
            label: u8::from(*label),
        })?;
    }
    Ok(writer.flush()?)
}

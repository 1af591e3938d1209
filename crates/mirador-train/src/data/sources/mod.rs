//! Public files → rows, one file per origin, with the traps of each repaired and counted.
//!
//! A source reads the files byte for byte as their repositories publish them, below one data folder laid out
//! `<task>/<owner>+<repository>/<file>`.

mod clash2013;
mod deepmirnatar;
mod expression;
mod functional;
mod hejret2023;
mod isomirs;
mod klimentova2022;
mod mature;
mod mitar;
mod pre_mirnas;
mod predicted;
mod python_random;
mod transcripts;

pub use clash2013::Clash2013;
pub use deepmirnatar::{GeneLabel, deepmirnatar, deepmirnatar_genes};
pub use expression::{Tissue, XpressoGene, human_promoters, mirtarbase, tumour_levels};
pub use functional::{Functional, FunctionalExperiment, FunctionalGene, read_genes};
pub use hejret2023::{Hejret2023, test_regions};
pub use isomirs::{isomirs, isomirs_test};
pub use klimentova2022::{klimentova2022, published_scores};
pub use mature::{human_mature, human_mirbase, read_fasta};
pub use mitar::{MitarFile, mitar, without_genes};
pub use pre_mirnas::pre_mirnas;
pub use predicted::{MIRAW_GENE, PredictedSites};
pub use transcripts::three_prime_utrs;

use std::fmt::Display;
use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::tsv::{self, parse_label, parse_pair};

/// A pair with the label that its source gives it.
pub type Labelled = (Pair, bool);

/// What was read, repaired and dropped, in words; printed by `prepare` and kept in the card.
#[derive(Clone, Debug, Default)]
pub struct Tally(pub Vec<String>);

impl Tally {
    /// Adds a line, unless it counts nothing.
    pub fn count(&mut self, number: usize, what: impl Display) {
        if number > 0 {
            self.0.push(format!("{number} {what}"));
        }
    }
}

/// Tab-separated rows with a header as `(mirna, site, label)`, by a function that picks the columns.
fn read_tsv<R: DeserializeOwned>(path: &Path, pick: fn(R) -> (String, String, u8)) -> Result<Vec<Labelled>> {
    tsv::read(path, |record| {
        let (mirna, site, label) = pick(record);
        Ok((parse_pair(&mirna, &site)?, parse_label(label)?))
    })
}

/// Columns that miRBench and HybriDetector share.
#[derive(Deserialize)]
struct Chimera {
    gene: String,
    #[serde(rename = "noncodingRNA")]
    mirna: String,
    label: u8,
}

fn read_chimeras(path: &Path) -> Result<Vec<Labelled>> {
    read_tsv(path, |row: Chimera| (row.mirna, row.gene, row.label))
}

/// The pairs that bind.
pub fn positives(rows: Vec<Labelled>) -> Vec<Pair> {
    rows.into_iter().filter_map(|(pair, label)| label.then_some(pair)).collect()
}

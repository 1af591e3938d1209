//! CLASH of Helwak 2013 (HEK293) as prepared for miRBind. Traps: miRNAs are cut to 20 nt; negatives re-use the
//! positives' sites, so only positives are taken.

use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::{MIRNA_LENGTHS, Pair};
use mirna::Rna;
use serde::Deserialize;

use super::{Labelled, Tally, human_mature, positives, read_tsv};

const FOLDER: &str = "target_sites/ML-Bioinfo-CEITEC+miRBind";
/// Where the files' miRNAs were cut.
const CUT: usize = 20;

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "miRNA")]
    mirna: String,
    gene: String,
    label: u8,
}

/// Positives for training, and the sites of the published test that training has to keep away from.
pub struct Clash2013 {
    /// Positives of the train and the evaluation file, miRNAs restored.
    pub positives: Vec<Pair>,
    /// Positives of the test file, as published.
    pub test_positives: Vec<Pair>,
}

impl Clash2013 {
    /// Reads the 1 : 1 files.
    pub fn read(data: &Path, tally: &mut Tally) -> Result<Self> {
        let read = |set: &str| {
            let path = data.join(FOLDER).join(format!("{set}_set_1_1_CLASH2013_paper.tsv"));
            read_tsv(&path, |record: Record| (record.mirna, record.gene, record.label))
        };
        let mut rows: Vec<Labelled> = read("train")?;
        rows.extend(read("evaluation")?);
        tally.count(
            rows.iter().filter(|(_, label)| !label).count(),
            "negatives re-use positive sites: not read",
        );
        let mature = human_mature(data)?;
        let mut restored = 0;
        let mut positives = positives(rows);
        for pair in &mut positives {
            if let Some(full) = restore(&pair.mirna, &mature) {
                restored += 1;
                pair.mirna = full.clone();
            }
        }
        tally.count(restored, "miRNAs cut to 20 nt restored from miRBase by their prefix");
        tally.count(positives.len() - restored, "miRNAs kept as written (shorter, or not in miRBase)");
        Ok(Self { positives, test_positives: super::positives(read("test")?) })
    }
}

/// The first mature miRNA, in order of its letters, that begins with a cut one.
fn restore<'a>(cut: &Rna, mature: &'a [Rna]) -> Option<&'a Rna> {
    let first = mature.partition_point(|mirna| mirna < cut);
    let found = mature.get(first)?;
    (cut.len() == CUT && found.starts_with(cut) && MIRNA_LENGTHS.contains(&found.len())).then_some(found)
}

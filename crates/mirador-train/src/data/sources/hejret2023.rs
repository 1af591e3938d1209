//! CLASH of Hejret 2023 (HEK293) in miRBench's bias-corrected form. Trap: 75 training pairs carry both labels; only
//! positives are taken for training, the test stays as published.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;
use serde::Deserialize;

use super::{Labelled, Tally, positives, read_chimeras};
use crate::data::tsv;

const FOLDER: &str = "target_sites/BioGeMT+miRBench_paper";

/// Positives for training and the published test.
pub struct Hejret2023 {
    /// Positives of the training file.
    pub positives: Vec<Pair>,
    /// The test, both labels.
    pub test: Vec<Labelled>,
}

impl Hejret2023 {
    /// Reads both files.
    pub fn read(data: &Path, tally: &mut Tally) -> Result<Self> {
        let read = |set: &str| {
            let path = data.join(FOLDER).join(format!("AGO2_CLASH_Hejret2023_{set}.tsv"));
            read_chimeras(&path)
        };
        let train = read("train")?;
        tally.count(
            train.iter().filter(|(_, label)| !label).count(),
            "negatives not read (fresh ones are drawn by permutation)",
        );
        Ok(Self { positives: positives(train), test: read("test")? })
    }
}

#[derive(Deserialize)]
struct Region {
    gene: String,
    feature: String,
}

/// Which region of its transcript each site of the test lies in: the file's `feature` in the field's words. The
/// file names untranslated regions apart from exons; a site on a border is in several.
pub fn test_regions(data: &Path) -> Result<HashMap<Rna, &'static str>> {
    let path = data.join(FOLDER).join("AGO2_CLASH_Hejret2023_test.tsv");
    let regions = tsv::read(&path, |Region { gene, feature }| {
        let region = match feature.as_str() {
            "three_prime_utr" => "3'UTR",
            "five_prime_utr" => "5'UTR",
            "exon" => "exon",
            "intron" => "intron",
            "" => "not annotated",
            _ => "on a border",
        };
        Ok((gene.parse()?, region))
    })?;
    Ok(regions.into_iter().collect())
}

//! CLASH of Hejret 2023 (HEK293) in miRBench's bias-corrected form. Trap: 75 training pairs carry both labels; only
//! positives are taken for training, the test stays as published.

use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;

use super::{Labelled, Tally, positives, read_chimeras};

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

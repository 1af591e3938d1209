//! Hejret 2023 with each miRNA as it was read: the only public set of real isomiR–site pairs.

use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;

use super::{Tally, positives, read_chimeras};

const FOLDER: &str = "target_sites/ML-Bioinfo-CEITEC+HybriDetector";

/// Positives of the training file. Its own test shares 430 sites with other training files and is left alone.
pub fn isomirs(data: &Path, tally: &mut Tally) -> Result<Vec<Pair>> {
    let rows = read_chimeras(&data.join(FOLDER).join("miRNA_real_seq_train_set.tsv"))?;
    tally.count(rows.iter().filter(|(_, label)| !label).count(), "negatives not read");
    Ok(positives(rows))
}

/// Positives of the test file; only those whose sites stand in a test of ours are ours to measure.
pub fn isomirs_test(data: &Path) -> Result<Vec<Pair>> {
    Ok(positives(read_chimeras(&data.join(FOLDER).join("miRNA_real_seq_test_set_1.tsv"))?))
}

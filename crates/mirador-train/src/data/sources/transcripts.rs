//! Human 3'UTRs of RefSeq as published with MirMark: where the paper's protocol draws its negatives.

use std::path::Path;

use anyhow::{Context, Result};
use mirna::Rna;

use super::read_fasta;

const FILE: &str = "target_sites/lanagarmire+MirMark/utrs.fa";

/// The 3'UTRs, 5'→3'.
pub fn three_prime_utrs(data: &Path) -> Result<Vec<Rna>> {
    read_fasta(&data.join(FILE))?
        .into_iter()
        .map(|(header, letters)| letters.parse().with_context(|| header))
        .collect()
}

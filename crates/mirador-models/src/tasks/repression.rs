//! How much does this miRNA turn a gene down, by the sites on its 3'UTR?

use std::ops::RangeInclusive;

use mirna::Rna;

/// Lengths of a transcript or 3'UTR, nt.
pub const TRANSCRIPT_LENGTHS: RangeInclusive<usize> = 1..=100_000;

/// The input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targeted {
    /// Mature miRNA or isomiR, 5'→3'.
    pub mirna: Rna,
    /// The 3'UTR, 5'→3'.
    pub utr: Rna,
}

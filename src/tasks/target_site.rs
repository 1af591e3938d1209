//! Does this miRNA (or isomiR) bind this site?

use std::ops::RangeInclusive;

use crate::rna::Rna;

/// Lengths of a miRNA or isomiR, nt.
pub const MIRNA_LENGTHS: RangeInclusive<usize> = 15..=30;
/// Lengths of a target site, nt.
pub const SITE_LENGTHS: RangeInclusive<usize> = 6..=100;

/// The input: both sequences 5'→3'.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// Mature miRNA or isomiR.
    pub mirna: Rna,
    /// Candidate target site on the transcript.
    pub site: Rna,
}

/// Input, label and where the row came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// The pair.
    pub pair: Pair,
    /// 1 binds, 0 does not; between them for a teacher's soft label.
    pub label: f32,
    /// Name of the public source.
    pub source: String,
}

/// The probability of binding that a network's logit stands for.
pub fn probability(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

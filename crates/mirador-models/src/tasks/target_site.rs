//! Does this miRNA (or isomiR) bind this site?

use std::ops::RangeInclusive;

use mirna::Rna;

/// Lengths of a miRNA or isomiR, nt.
pub const MIRNA_LENGTHS: RangeInclusive<usize> = 15..=30;
/// Lengths of a target site, nt.
pub const SITE_LENGTHS: RangeInclusive<usize> = 6..=100;

/// A miRNA that competes for sites.
#[derive(Clone, Debug)]
pub struct Competitor {
    /// Letters, 5'→3'.
    pub mirna: Rna,
    /// How much of it there is beside the others of its panel, in any unit, above 0.
    pub level: f64,
}

/// The input: both sequences 5'→3'.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// Mature miRNA or isomiR.
    pub mirna: Rna,
    /// Candidate target site on the transcript.
    pub site: Rna,
}

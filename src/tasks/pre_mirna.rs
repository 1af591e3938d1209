//! Is this hairpin a mirtron (spliced out as a whole short intron) or a canonical pre-miRNA (cut by Drosha)?

use std::ops::RangeInclusive;

use crate::rna::Rna;

/// Lengths of a hairpin, nt.
pub const LENGTHS: RangeInclusive<usize> = 40..=164;

/// The input. A network's logit is that of the class "mirtron".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PreMirna {
    /// The hairpin, 5'→3'.
    pub sequence: Rna,
}

//! Is this hairpin a mirtron (spliced out as a whole short intron) or a canonical pre-miRNA (cut by Drosha)?

use std::ops::RangeInclusive;

use mirna::{Base, Rna};

/// Lengths of a hairpin, nt.
pub const LENGTHS: RangeInclusive<usize> = 40..=164;

/// The input. A network's logit is that of the class "mirtron".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PreMirna {
    /// The hairpin, 5'→3'.
    pub sequence: Rna,
}

impl PreMirna {
    /// Whether the reverse complement, GU…(C or U)AG, looks like an intron and the hairpin itself does not: .1 % of
    /// miRBase's 26,645 hairpins are so, and 10 % of 417 mirtrons when turned; the others are cut inside the intron's 5' end.
    pub fn is_intron_reversed(&self) -> bool {
        use Base::{A, C, G, U};
        matches!(*self.sequence, [C, U, A | G, .., A, C])
    }
}

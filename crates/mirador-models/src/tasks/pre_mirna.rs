//! Is this hairpin a mirtron (spliced out as a whole short intron) or a canonical pre-miRNA (cut by Drosha)?

use std::ops::RangeInclusive;

use mirna::{Base, Rna};

/// Lengths of a hairpin, nt.
pub const LENGTHS: RangeInclusive<usize> = 40..=200;

/// Letters before a splice acceptor that are read, and how many of them are pyrimidines at least: of mirtrons' introns,
/// which have no room for more, about two thirds.
const TRACT: usize = 11;
const PYRIMIDINES: usize = 7;
/// A splice acceptor inside a hairpin ends so many letters before the 3' end at most.
const INSIDE: usize = 16;
/// Letters at the 3' end that a mirtron owes to its splice acceptor: what is hidden to see whether the end decides.
pub const LAST: usize = 5;

/// Where the splice acceptor of an intron stands in a hairpin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpliceAcceptor {
    /// The hairpin ends with it.
    AtEnd,
    /// It ends 1 to 16 letters before the 3' end: a mirtron with a tail, or chance.
    Inside,
    /// Nowhere there.
    None,
}

/// The input. A network's logit is that of the class "mirtron".
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PreMirna {
    /// The hairpin, 5'→3'.
    pub sequence: Rna,
}

impl PreMirna {
    /// The splice acceptor nearest to the 3' end: UAG or CAG after a tract of eleven letters with seven pyrimidines or
    /// more. Letters that nobody knows are no part of the hairpin where they stand at its end.
    pub fn splice_acceptor(&self) -> SpliceAcceptor {
        let is_pyrimidine = |base: &Base| matches!(base, Base::C | Base::U);
        let length = self.sequence.iter().rposition(|base| *base != Base::N).map_or(0, |last| last + 1);
        let ends_here = |end: &usize| {
            let Some(start) = end.checked_sub(TRACT + 3) else { return false };
            let (tract, site) = self.sequence[start..*end].split_at(TRACT);
            is_pyrimidine(&site[0])
                && site[1..] == [Base::A, Base::G]
                && tract.iter().filter(|base| is_pyrimidine(base)).count() >= PYRIMIDINES
        };
        match (length.saturating_sub(INSIDE)..=length).rev().find(ends_here) {
            Some(end) if end == length => SpliceAcceptor::AtEnd,
            Some(_) => SpliceAcceptor::Inside,
            None => SpliceAcceptor::None,
        }
    }

    /// Whether the reverse complement, GU…(C or U)AG, looks like an intron and the hairpin itself does not: .1 % of
    /// miRBase's 26,645 hairpins are so, and 10 % of 417 mirtrons when turned; the others are cut inside the intron's 5' end.
    pub fn is_intron_reversed(&self) -> bool {
        use Base::{A, C, G, U};
        matches!(*self.sequence, [C, U, A | G, .., A, C])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acceptor_is_a_tract_and_yag() {
        let found = |end: &str| {
            let sequence = ("GA".repeat(20) + end).parse().unwrap();
            PreMirna { sequence }.splice_acceptor()
        };
        assert_eq!(found("CUCUGGCUCAAUAG"), SpliceAcceptor::AtEnd);
        assert_eq!(found("CUCUGGCUAAAUAG"), SpliceAcceptor::None, "six pyrimidines");
        assert_eq!(found("CUCUGGCUCUUGAG"), SpliceAcceptor::None, "GAG");
        assert_eq!(found(&format!("CUCUCUCUCUUCAG{}", "A".repeat(16))), SpliceAcceptor::Inside);
        assert_eq!(found(&format!("CUCUCUCUCUUCAG{}", "A".repeat(17))), SpliceAcceptor::None);
        assert_eq!(found("CUCUCUCUCUUCAGNNN"), SpliceAcceptor::AtEnd);
        assert_eq!(PreMirna { sequence: "UUCAG".parse().unwrap() }.splice_acceptor(), SpliceAcceptor::None);
    }
}

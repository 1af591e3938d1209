//! A hybrid in three lines of text, as miRanda and RNAhybrid print it.

use super::Duplex;
use crate::Base;

/// The three lines without their ends: second strand, bonds, first strand.
#[derive(Default)]
struct Lines {
    above: String,
    bonds: String,
    below: String,
}

impl Duplex {
    /// The strands that were folded, the second 5'→3' above the first 3'→5': of a miRNA and its site the site above.
    /// `|` is a Watson-Crick pair, `:` a wobble, `-` no letter; letters beyond the hybrid are small, the whole first strand
    /// is shown and of the second what faces it.
    ///
    /// ```
    /// use mirna::{Rna, fold::duplex};
    /// let (mirna, site): (Rna, Rna) = ("UGAGGUAGUAGGUUGUAUAGUU".parse()?, "GCACAGCCUAUUGAACUACCUCA".parse()?);
    /// let found = duplex(&mirna, &site).unwrap();
    /// let drawn = "\
    /// 5'     gcACAGCCUAUUGAACUACCUCA 3'
    ///          |||:|||     |||||||||
    /// 3' uugauaUGUUGGA-----UGAUGGAGU 5'";
    /// assert_eq!(found.drawing(&mirna, &site), drawn);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn drawing(&self, first: &[Base], second: &[Base]) -> String {
        let (inner_first, inner_second) = (self.first(), self.second());
        let mut lines = Lines::default();
        let (mut before, mut end) = (inner_first.end, inner_second.start);
        let overhang =
            |letters: &[Base]| letters.iter().map(|base| base.letter().to_ascii_lowercase()).collect();
        let reversed = |letters: &[Base]| letters.iter().rev().map(|base| base.letter()).collect::<String>();
        let plain = |letters: &[Base]| letters.iter().map(|base| base.letter()).collect::<String>();
        // Left of the hybrid the strands end where it ends: both are set flush right.
        let tail = reversed(first.get(inner_first.end..).unwrap_or_default()).to_ascii_lowercase();
        let facing = inner_second.start.saturating_sub(tail.len());
        let head: String = overhang(second.get(facing..inner_second.start).unwrap_or_default());
        lines.above += &format!("{head:>width$}", width = tail.len());
        lines.bonds += &" ".repeat(tail.len());
        lines.below += &tail;
        for &(i, j) in self.pairs.iter().rev() {
            let (Some(&one), Some(&other)) = (first.get(i), second.get(j)) else { break };
            lines.unpaired(&plain(&second[end..j]), &reversed(&first[i + 1..before]));
            lines.pair(other, one);
            (before, end) = (i, j + 1);
        }
        let head = reversed(first.get(..inner_first.start).unwrap_or_default()).to_ascii_lowercase();
        let rest = second.get(inner_second.end..).unwrap_or_default();
        let facing: String = overhang(&rest[..head.len().min(rest.len())]);
        lines.above += &format!("{facing:<width$}", width = head.len());
        lines.below += &head;
        let Lines { above, bonds, below } = lines;
        format!("5' {above} 3'\n   {}\n3' {below} 5'", bonds.trim_end())
    }
}

impl Lines {
    fn pair(&mut self, above: Base, below: Base) {
        self.above.push(above.letter());
        self.bonds.push(if above.wobbles_with(below) { ':' } else { '|' });
        self.below.push(below.letter());
    }

    /// Letters that face each other without a bond; the shorter side ends in gaps.
    fn unpaired(&mut self, above: &str, below: &str) {
        let width = above.len().max(below.len());
        self.above += &format!("{above:-<width$}");
        self.bonds += &" ".repeat(width);
        self.below += &format!("{below:-<width$}");
    }
}

#[cfg(test)]
mod tests {
    use crate::Rna;
    use crate::fold::duplex;
    use proptest::prelude::*;

    fn drawn(one: &str, other: &str) -> String {
        let (one, other): (Rna, Rna) = (one.parse().unwrap(), other.parse().unwrap());
        duplex(&one, &other).unwrap().drawing(&one, &other)
    }

    #[test]
    fn overhangs_are_small_and_flush() {
        assert_eq!(drawn("AGGGGGA", "CCCCC"), "5'  CCCCC  3'\n    |||||\n3' aGGGGGa 5'");
        assert_eq!(drawn("GGGGGA", "AAACCUCCAA"), "5' aCCUCC 3'\n    ||:||\n3' aGGGGG 5'");
    }

    #[test]
    fn the_shorter_side_of_a_loop_has_gaps() {
        let expected = "5' CCCCCACCCCC 3'\n   ||||| |||||\n3' GGGGG-GGGGG 5'";
        assert_eq!(drawn("GGGGGGGGGG", "CCCCCACCCCC"), expected);
    }

    proptest! {
        #[test]
        fn every_pair_has_its_bond(one in "[ACGUN]{10,30}", other in "[ACGUN]{10,60}") {
            let (one, other): (Rna, Rna) = (one.parse().unwrap(), other.parse().unwrap());
            let Some(found) = duplex(&one, &other) else { return Ok(()) };
            let drawing = found.drawing(&one, &other);
            let lines: Vec<&str> = drawing.lines().collect();
            prop_assert_eq!(lines[0].len(), lines[2].len());
            let bonds = lines[1].chars().filter(|letter| "|:".contains(*letter)).count();
            prop_assert_eq!(bonds, found.pairs.len());
            let below: String = lines[2][3..lines[2].len() - 3].chars().filter(|&letter| letter != '-').collect();
            let whole: String = one.to_string().chars().rev().collect();
            prop_assert_eq!(below.to_ascii_uppercase(), whole);
        }
    }
}

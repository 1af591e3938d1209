//! A hybrid in three lines of text, as miRanda and RNAhybrid print it.

use super::Duplex;
use crate::Base;

/// The three lines without their ends: first strand, bonds, second strand.
#[derive(Default)]
struct Lines {
    above: String,
    bonds: String,
    below: String,
}

impl Duplex {
    /// The strands that were folded, the first 3'→5' above the second 5'→3': of a miRNA and its site the miRNA above.
    /// `|` is a Watson-Crick pair, `:` a wobble, `-` no letter; letters beyond the hybrid are small.
    ///
    /// ```
    /// use mirna::{Rna, fold::duplex};
    /// let (mirna, site): (Rna, Rna) = ("UGAGGUAGUAGGUUGUAUAGUU".parse()?, "GCACAGCCUAUUGAACUACCUCA".parse()?);
    /// let found = duplex(&mirna, &site).unwrap();
    /// let drawn = "\
    /// 3' uugauaUGUUGGA-----UGAUGGAGU 5'
    ///          |||:|||     |||||||||
    /// 5'     gcACAGCCUAUUGAACUACCUCA 3'";
    /// assert_eq!(found.drawing(&mirna, &site), drawn);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn drawing(&self, first: &[Base], second: &[Base]) -> String {
        let (inner_first, inner_second) = (self.first(), self.second());
        let mut lines = Lines::default();
        let reversed = |letters: &[Base]| letters.iter().rev().map(|base| base.letter()).collect::<String>();
        let plain = |letters: &[Base]| letters.iter().map(|base| base.letter()).collect::<String>();
        // Left of the hybrid the strands end where it begins: both are set flush right.
        let above = reversed(&first[inner_first.end..]).to_ascii_lowercase();
        let below = plain(&second[..inner_second.start]).to_ascii_lowercase();
        let width = above.len().max(below.len());
        lines.above += &format!("{above:>width$}");
        lines.bonds += &" ".repeat(width);
        lines.below += &format!("{below:>width$}");
        let (mut before, mut end) = (inner_first.end, inner_second.start);
        for &(i, j) in self.pairs.iter().rev() {
            lines.unpaired(&reversed(&first[i + 1..before]), &plain(&second[end..j]));
            lines.pair(first[i], second[j]);
            (before, end) = (i, j + 1);
        }
        let above = reversed(&first[..inner_first.start]).to_ascii_lowercase();
        let below = plain(&second[inner_second.end..]).to_ascii_lowercase();
        let width = above.len().max(below.len());
        lines.above += &format!("{above:<width$}");
        lines.below += &format!("{below:<width$}");
        let Lines { above, bonds, below } = lines;
        format!("3' {above} 5'\n   {}\n5' {below} 3'", bonds.trim_end())
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
        assert_eq!(drawn("AGGGGGA", "CCCCC"), "3' aGGGGGa 5'\n    |||||\n5'  CCCCC  3'");
        assert_eq!(drawn("GGGGGA", "AAACCUCCAA"), "3'   aGGGGG   5'\n      ||:||\n5' aaaCCUCCaa 3'");
    }

    #[test]
    fn the_shorter_side_of_a_loop_has_gaps() {
        let expected = "3' GGGGG-GGGGG 5'\n   ||||| |||||\n5' CCCCCACCCCC 3'";
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
            let letters = |line: &str| -> String {
                line[3..line.len() - 3].chars().filter(char::is_ascii_alphabetic).collect()
            };
            let backwards: String = one.to_string().chars().rev().collect();
            prop_assert_eq!(letters(lines[0]).to_ascii_uppercase(), backwards);
            prop_assert_eq!(letters(lines[2]).to_ascii_uppercase(), other.to_string());
        }
    }
}

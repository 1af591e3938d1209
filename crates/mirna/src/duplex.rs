//! The aligner: how well a miRNA pairs with a site, with no training and no energy table.
//!
//! It is the floor that a trained network has to pass on bias-free data. Local alignment with affine gaps of
//! the miRNA, 5'→3', against the reversed site.

use std::ops::Range;

use crate::{Base, Rna};

const WATSON_CRICK: i32 = 3;
const WOBBLE: i32 = 1;
const MISMATCH: i32 = -2;
const GAP_OPEN: i32 = 5;
const GAP_EXTEND: i32 = 2;
/// Indices of miRNA positions 2–8, where a pair counts twice.
const SEED: std::ops::Range<usize> = 1..8;
/// In the order of their numbers.
const BASES: [Base; 5] = [Base::A, Base::C, Base::G, Base::U, Base::N];

fn pair_score(position: usize, mirna: Base, site: Base) -> i32 {
    let score = if mirna.pairs_with(site) {
        WATSON_CRICK
    } else if mirna.wobbles_with(site) {
        WOBBLE
    } else {
        return MISMATCH;
    };
    if SEED.contains(&position) { 2 * score } else { score }
}

/// A local alignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplex {
    /// 0 when nothing pairs.
    pub score: i32,
    /// Letters of the site, 5'→3', from the first to the last that pairs.
    pub site: Range<usize>,
}

/// The best local alignment's score. A gap of n costs 5 + 2(n − 1).
///
/// ```
/// use mirna::{duplex::align, Rna};
/// let let7: Rna = "UGAGGUAGUAGGUUGUAUAGUU".parse()?;
/// assert_eq!(align(&let7, &let7.reverse_complement()), 22 * 3 + 7 * 3);
/// # Ok::<(), mirna::ParseError>(())
/// ```
pub fn align(mirna: &Rna, site: &Rna) -> i32 {
    // As `duplex`, without where it lies: several times as fast.
    let far = i32::MIN / 2;
    let mut above = vec![(0, far); site.len() + 1];
    let mut best = 0;
    for (position, &letter) in mirna.iter().enumerate() {
        let scores = BASES.map(|other| pair_score(position, letter, other));
        let (mut left, mut left_gap, mut diagonal) = (0, far, 0);
        for ((above, above_gap), &other) in above[1..].iter_mut().zip(site.iter().rev()) {
            left_gap = (left - GAP_OPEN).max(left_gap - GAP_EXTEND);
            *above_gap = (*above - GAP_OPEN).max(*above_gap - GAP_EXTEND);
            let paired = diagonal + scores[other as usize];
            left = paired.max(left_gap).max(*above_gap).max(0);
            diagonal = std::mem::replace(above, left);
            best = best.max(left);
        }
    }
    best
}

/// The best local alignment; of several the one that ends first in the miRNA.
pub fn duplex(mirna: &Rna, site: &Rna) -> Duplex {
    let columns = site.len() + 1;
    let far = (i32::MIN / 2, 0);
    // Scores come with the column, counted from the site's 3' end, where their alignment starts. Of the row above: the
    // best that ends there, and the best that ends there in a gap in the site.
    let mut above = vec![(0, 0); columns];
    let mut above_gap = vec![far; columns];
    let (mut best, mut last) = ((0, 0), 0);
    let gapped = |open: (i32, usize), extended: (i32, usize)| {
        let (open, extended) = ((open.0 - GAP_OPEN, open.1), (extended.0 - GAP_EXTEND, extended.1));
        if open.0 >= extended.0 { open } else { extended }
    };
    for (position, &letter) in mirna.iter().enumerate() {
        let (mut left, mut left_gap, mut diagonal) = ((0, 0), far, (0, 0));
        for (column, &other) in (1..).zip(site.iter().rev()) {
            left_gap = gapped(left, left_gap);
            above_gap[column] = gapped(above[column], above_gap[column]);
            let start = if diagonal.0 > 0 { diagonal.1 } else { column - 1 };
            let paired = (diagonal.0 + pair_score(position, letter, other), start);
            left = [left_gap, above_gap[column], (0, 0)]
                .into_iter()
                .fold(paired, |a, b| if b.0 > a.0 { b } else { a });
            diagonal = std::mem::replace(&mut above[column], left);
            if left.0 > best.0 {
                (best, last) = (left, column);
            }
        }
    }
    Duplex { score: best.0, site: site.len() - last..site.len() - best.1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(mirna: &str, site: &str) -> i32 {
        align(&mirna.parse().unwrap(), &site.parse().unwrap())
    }

    #[test]
    fn a_gap_costs_less_than_what_it_joins() {
        // Eleven pairs, seven of them in the seed: 18 x 3; one unpaired site letter between them costs 5.
        assert_eq!(score("AAAAACCCCCC", "GGGGGGUUUUU"), 54);
        assert_eq!(score("AAAAACCCCCC", "GGGGGGAUUUUU"), 54 - 5);
        assert_eq!(score("AAAAACCCCCC", "GGGGGGAAUUUUU"), 54 - 7);
        assert_eq!(score("AAAAA", "NNNNN"), 0);
    }

    #[test]
    fn tells_where_the_duplex_is() {
        let place = |mirna: &str, site: &str| duplex(&mirna.parse().unwrap(), &site.parse().unwrap()).site;
        assert_eq!(place("AAAAACCCCCC", "AAAGGGGGGAUUUUUCC"), 3..15);
        assert_eq!(place("AAAAACCCCCC", "GGGGGGUUUUU"), 0..11);
        assert_eq!(place("AAAAA", "NNNNN"), 5..5);
        // Of two as good, which cannot both be had, the one that ends first in the miRNA.
        assert_eq!(place("NNNNNNNNAAAANNCCCC", "UUUUNNNNNNNNGGGG"), 0..4);
    }

    proptest! {
        #[test]
        fn the_score_is_that_of_the_duplex(mirna in "[ACGUN]{1,30}", site in "[ACGUN]{1,60}") {
            let (mirna, site) = (mirna.parse().unwrap(), site.parse().unwrap());
            prop_assert_eq!(align(&mirna, &site), duplex(&mirna, &site).score);
        }

        #[test]
        fn context_never_lowers_the_score(mirna in "[ACGUN]{15,30}", site in "[ACGUN]{6,60}", more in "[ACGU]{1,9}") {
            let base = score(&mirna, &site);
            let (right, left) = (site.clone() + &more, more + &site);
            prop_assert!(score(&mirna, &right) >= base && score(&mirna, &left) >= base);
        }
    }
}

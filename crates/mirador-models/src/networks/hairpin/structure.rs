//! What a hairpin's structure looks like.

use mirna::Base;
use mirna::fold::Structure;

/// Letters of an end whose pairs are counted.
const NEAR: usize = 12;

/// Counts of a structure of least free energy. What a hairpin without pairs lacks is 0.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// Letters in pairs.
    pub paired: usize,
    /// Letters before the first pair, and after the last.
    pub tails: [usize; 2],
    /// Letters of the largest hairpin loop.
    pub loop_size: usize,
    /// The middle of that loop, nt from the 5' end.
    pub middle: f64,
    /// The share of A in it.
    pub loop_a: f64,
    /// Hairpin loops.
    pub loops: usize,
    /// Interior loops, bulges and multiloops.
    pub gaps: usize,
    /// Unpaired letters of the largest of them.
    pub longest_gap: usize,
    /// Pairs of the longest stem without a gap.
    pub longest_stem: usize,
    /// Unpaired letters between the ends and outside hairpin loops.
    pub within: usize,
    /// G:U pairs.
    pub wobbles: usize,
    /// G:C pairs.
    pub strong: usize,
    /// Unpaired share of what lies before the loop, and after it.
    pub arms: [f64; 2],
    /// Paired share of the first 12 letters, and of the last.
    pub paired_ends: [f64; 2],
}

impl Shape {
    /// Counts the loops and pairs of these letters in this structure.
    pub(super) fn new(bases: &[Base], structure: &Structure) -> Self {
        let mut shape = Self::default();
        let n = bases.len();
        let open = |from: usize, to: usize| (from..to).filter(|&at| structure.partner(at).is_none()).count();
        let pairs: Vec<(usize, usize)> = structure.pairs().collect();
        let Some(&(first, _)) = pairs.first() else { return shape };
        let last = pairs.iter().map(|pair| pair.1).max().unwrap_or(first);
        shape.paired = 2 * pairs.len();
        shape.tails = [first, n - 1 - last];
        let (mut stem, mut in_loops, mut found) = (0, 0, (first, last));
        for &(i, j) in &pairs {
            match (bases[i], bases[j]) {
                (Base::G, Base::U) | (Base::U, Base::G) => shape.wobbles += 1,
                (Base::G, Base::C) | (Base::C, Base::G) => shape.strong += 1,
                _ => {}
            }
            stem += 1;
            shape.longest_stem = shape.longest_stem.max(stem);
            let (unpaired, branches) = closed(structure, i, j);
            if (unpaired, branches) == (0, 1) {
                continue;
            }
            stem = 0;
            if branches > 0 {
                shape.gaps += 1;
                shape.longest_gap = shape.longest_gap.max(unpaired);
                continue;
            }
            shape.loops += 1;
            in_loops += unpaired;
            if unpaired > shape.loop_size {
                (shape.loop_size, found) = (unpaired, (i, j));
            }
        }
        let (i, j) = found;
        shape.middle = (i + j + 1) as f64 / 2.0;
        shape.loop_a = share(&bases[i + 1..j], &[Base::A]);
        shape.within = n - shape.paired - in_loops - shape.tails[0] - shape.tails[1];
        let share = |from: usize, to: usize| open(from, to) as f64 / (to - from).max(1) as f64;
        shape.arms = [share(0, i + 1), share(j, n)];
        let near = NEAR.min(n);
        shape.paired_ends = [1.0 - share(0, near), 1.0 - share(n - near, n)];
        shape
    }
}

/// The share of some letters among others.
pub(super) fn share(part: &[Base], letters: &[Base]) -> f64 {
    part.iter().filter(|base| letters.contains(base)).count() as f64 / part.len().max(1) as f64
}

/// Unpaired letters of the loop that a pair closes, and how many stems begin in it.
fn closed(structure: &Structure, i: usize, j: usize) -> (usize, usize) {
    let (mut unpaired, mut branches, mut at) = (0, 0, i + 1);
    while at < j {
        match structure.partner(at) {
            None => (unpaired, at) = (unpaired + 1, at + 1),
            Some(partner) => (branches, at) = (branches + 1, partner + 1),
        }
    }
    (unpaired, branches)
}

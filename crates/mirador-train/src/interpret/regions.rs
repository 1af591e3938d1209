//! What regions do alone and together (Gu et al. 2021, Figures 1 and 6 and Supplementary Figure 1).

use std::collections::HashMap;
use std::ops::Range;

use mirador_models::interpret::Change;
use mirador_models::tasks::target_site::Pair;
use mirna::Base;
use serde::{Deserialize, Serialize};

use super::moments::Moments;
use super::scorer::Scorer;
use crate::stats::significance::{Test, rank_sum, signed_rank};

/// A part of a strand: the miRNA's positions from its 5' end (L), the site's from its 3' end (LT), both from 1.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The paper's name.
    pub name: &'static str,
    /// 0 the miRNA, 1 the site.
    pub strand: usize,
    first: usize,
    last: usize,
}

const fn part(name: &'static str, strand: usize, first: usize, last: usize) -> Part {
    Part { name, strand, first, last }
}

/// The regions of the paper. "seed2-6" reads "start 2, length 6" in its text, but its numbers are those of 2 to 6.
const PARTS: [Part; 8] = [
    part("seed2-6", 0, 2, 6),
    part("seed2-7", 0, 2, 7),
    part("L4-4", 0, 4, 7),
    part("L13-4", 0, 13, 16),
    part("L10-4", 0, 10, 13),
    part("LT7-5", 1, 7, 11),
    part("whole site", 1, 1, usize::MAX),
    part("whole miRNA", 0, 1, usize::MAX),
];
/// Those that also become G, the control.
const CONTROLLED: usize = 6;
/// Regions that are hidden together.
const JOINT: [(usize, usize); 7] = [(0, 3), (2, 3), (0, 4), (1, 4), (4, 5), (0, 5), (1, 5)];

/// Parts whose pairing is counted (Table 2).
pub const PAIRED: [Part; 8] = [
    part("L7", 0, 7, 7),
    part("L14", 0, 14, 14),
    part("L4-4", 0, 4, 7),
    part("L13-4", 0, 13, 16),
    part("seed2-6", 0, 2, 6),
    part("seed2-7", 0, 2, 7),
    part("L10-4", 0, 10, 13),
    part("LT7-5", 1, 7, 11),
];

impl Part {
    /// Letters of a strand of this length, from 0 and its 5' end.
    pub fn letters(&self, length: usize) -> Range<usize> {
        let (start, end) = ((self.first - 1).min(length), self.last.min(length));
        if self.strand == 0 { start..end } else { length - end..length - start }
    }
}

/// What changing a region does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RegionEffect {
    /// The region's name, or two of them with a plus.
    pub name: String,
    /// What its letters became.
    pub letter: char,
    /// Mean probability with the region changed.
    pub probability: f64,
    /// Standard error of that mean.
    pub probability_error: f64,
    /// Mean effect: the probability of the row less that with the region changed.
    pub effect: f64,
    /// Standard error of the mean effect.
    pub error: f64,
    /// For two regions the mean of what both do more than the sum of each; above 0 they help each other.
    pub interaction: Option<f64>,
    /// Standard error of the mean interaction.
    pub interaction_error: Option<f64>,
    /// Mann and Whitney's test of the original against the changed probabilities.
    pub rank_sum: Test,
    /// Wilcoxon's test of the same rows in pairs.
    pub signed_rank: Test,
}

/// What the regions do to a class of rows.
pub struct Regions {
    /// Probabilities of the rows as they are.
    pub original: Vec<f64>,
    /// The regions, single ones first, then pairs, then the control.
    pub effects: Vec<RegionEffect>,
    /// Each row's effect of a single region, by name.
    pub of_rows: HashMap<&'static str, Vec<f64>>,
}

/// A region that is changed: parts and their new letter.
fn all() -> Vec<(Vec<Part>, Base)> {
    let single = PARTS.iter().map(|part| (vec![*part], Base::N));
    let joint = JOINT.iter().map(|(one, other)| (vec![PARTS[*one], PARTS[*other]], Base::N));
    let control = PARTS[..CONTROLLED].iter().map(|part| (vec![*part], Base::G));
    single.chain(joint).chain(control).collect()
}

fn change(parts: &[Part], letter: Base, pair: &Pair) -> Change {
    let lengths = [pair.mirna.len(), pair.site.len()];
    let place = |part: &Part| {
        let letters = part.letters(lengths[part.strand]);
        (part.strand, letters.start, vec![letter; letters.len()])
    };
    Change::Letters(parts.iter().map(place).collect())
}

/// Changes every region of every row.
pub fn regions(scorer: &Scorer<'_>, what: &str, pairs: &[Pair]) -> Regions {
    let regions = all();
    let changes =
        |row: usize| regions.iter().map(|(parts, letter)| change(parts, *letter, &pairs[row])).collect();
    let mut original = Vec::new();
    let mut changed: Vec<Vec<f64>> = vec![Vec::new(); regions.len()];
    scorer.each(what, pairs, changes, |_, scores| {
        original.push(f64::from(scores[0]));
        changed.iter_mut().zip(&scores[1..]).for_each(|(all, score)| all.push(f64::from(*score)));
    });
    let effects_of = |changed: &Vec<f64>| -> Vec<f64> {
        original.iter().zip(changed).map(|(before, after)| before - after).collect()
    };
    let single: HashMap<&'static str, Vec<f64>> =
        PARTS.iter().zip(&changed).map(|(part, changed)| (part.name, effects_of(changed))).collect();
    let measured = regions.iter().zip(&changed).map(|((parts, letter), changed)| {
        let effects = effects_of(changed);
        let [mut probability, mut effect, mut interaction] = [Moments::default(); 3];
        probability.extend(changed.iter().copied());
        effect.extend(effects.iter().copied());
        if let [one, other] = parts[..] {
            let alone = single[one.name].iter().zip(&single[other.name]);
            interaction.extend(effects.iter().zip(alone).map(|(both, (one, other))| both - one - other));
        }
        let joint = parts.len() > 1;
        RegionEffect {
            name: parts.iter().map(|part| part.name).collect::<Vec<_>>().join(" + "),
            letter: letter.letter(),
            probability: probability.mean(),
            probability_error: probability.error(),
            effect: effect.mean(),
            error: effect.error(),
            interaction: joint.then(|| interaction.mean()),
            interaction_error: joint.then(|| interaction.error()),
            rank_sum: rank_sum(&original, changed),
            signed_rank: signed_rank(&effects),
        }
    });
    let effects = measured.collect();
    Regions { effects, of_rows: single, original }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_lie_in_the_frames_of_the_paper() {
        assert_eq!(PARTS[0].letters(22), 1..6);
        assert_eq!(PARTS[3].letters(15), 12..15, "cut at the end");
        assert_eq!(PARTS[5].letters(40), 29..34, "LT7 is the seventh letter from the 3' end");
        assert_eq!(PARTS[6].letters(40), 0..40);
        assert_eq!(PARTS[3].letters(8), 8..8);
    }
}

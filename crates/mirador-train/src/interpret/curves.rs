//! Mean effects of masks by position, and what they say of each letter (Gu et al. 2021, Figures 2 to 5).

use std::ops::Range;

use mirador_models::interpret::{Change, importance, masks};
use mirador_models::tasks::target_site::Pair;
use serde::{Deserialize, Serialize};

use super::moments::{Moments, Point};
use super::scorer::Scorer;

/// Longest mask.
pub const LONGEST: usize = 8;
/// Longest mask that the importance of a letter is taken from.
const LONGEST_OF_IMPORTANCE: usize = 6;
/// The mask of DMISO's paper.
const PERTURBATION: usize = 4;
/// Fewer rows than this fraction of all leave a position out.
const LEAST_ROWS: f64 = 0.1;

/// What masks do along a strand. Positions of a miRNA count from its 5' end (L), of a site from its 3' end (LT), but
/// where a field says otherwise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StrandCurves {
    /// `mirna` or `site`.
    pub strand: String,
    /// For masks of 1, 2, … 8 letters the effect by the position at which the mask stops.
    pub masks: Vec<Vec<Point>>,
    /// What each letter does, out of the masks of 1 to 6 letters.
    pub importance: Vec<Point>,
    /// Effect of a mask of four letters by the position at which it starts, both strands from the 5' end.
    pub perturbation: Vec<Point>,
}

/// Sums along a strand.
#[derive(Default)]
struct Sums {
    masks: [Vec<Moments>; LONGEST],
    importance: Vec<Moments>,
    perturbation: Vec<Moments>,
}

/// Every run of 1 to 8 letters of a strand.
fn runs(length: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).flat_map(move |start| (start + 1..=length.min(start + LONGEST)).map(move |end| start..end))
}

/// Masks every run of letters of both strands of the rows.
pub fn curves(scorer: &Scorer<'_>, what: &str, pairs: &[Pair]) -> Vec<StrandCurves> {
    let lengths = |pair: &Pair| [pair.mirna.len(), pair.site.len()];
    let changes = |row: usize| {
        let of_strand =
            |(strand, length)| runs(length).map(move |run| Change::hide(strand, run)).collect::<Vec<_>>();
        lengths(&pairs[row]).into_iter().enumerate().flat_map(of_strand).collect()
    };
    let mut sums: [Sums; 2] = Default::default();
    scorer.each(what, pairs, changes, |row, scores| {
        let mut rest = scores[1..].iter().map(|score| scores[0] - score);
        for (strand, length) in lengths(&pairs[row]).into_iter().enumerate() {
            let mut of_run = vec![[0.0f32; LONGEST]; length];
            for run in runs(length) {
                of_run[run.start][run.len() - 1] = rest.next().unwrap_or_default();
            }
            sums[strand].add(&of_run, strand == 1);
        }
    });
    let least = (pairs.len() as f64 * LEAST_ROWS) as usize;
    sums.into_iter().zip(["mirna", "site"]).map(|(sums, strand)| sums.curves(strand, least)).collect()
}

impl Sums {
    /// Adds a row: the effect of hiding each run, by its start (from the 5' end) and length.
    fn add(&mut self, of_run: &[[f32; LONGEST]], from_end: bool) {
        let length = of_run.len();
        let effect = |mask: Range<usize>| {
            let start = if from_end { length - mask.end } else { mask.start };
            of_run[start][mask.len() - 1]
        };
        let effects: Vec<Vec<f32>> =
            (1..=LONGEST).map(|width| masks(length, width).map(effect).collect()).collect();
        for (sums, effects) in self.masks.iter_mut().zip(&effects) {
            push(sums, &effects[..length]);
        }
        push(&mut self.importance, &importance(&effects[..LONGEST_OF_IMPORTANCE], length));
        let whole = (length + 1).saturating_sub(PERTURBATION);
        let perturbation: Vec<f32> = of_run[..whole].iter().map(|run| run[PERTURBATION - 1]).collect();
        push(&mut self.perturbation, &perturbation);
    }

    fn curves(self, strand: &str, least: usize) -> StrandCurves {
        let points = |sums: Vec<Moments>| -> Vec<Point> {
            let points = sums.iter().zip(1..).map(|(sums, position)| sums.at(position));
            points.filter(|point| point.rows >= least).collect()
        };
        StrandCurves {
            strand: strand.to_owned(),
            masks: self.masks.into_iter().map(points).collect(),
            importance: points(self.importance),
            perturbation: points(self.perturbation),
        }
    }
}

fn push(sums: &mut Vec<Moments>, values: &[f32]) {
    sums.resize(sums.len().max(values.len()), Moments::default());
    sums.iter_mut().zip(values).for_each(|(sums, value)| sums.push(f64::from(*value)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_read_from_its_end() {
        // Whatever hides the second letter of five takes away 1.
        let of_run: Vec<[f32; LONGEST]> = (0..5)
            .map(|start| std::array::from_fn(|more| f32::from(u8::from((start..=start + more).contains(&1)))))
            .collect();
        let mut sums = Sums::default();
        sums.add(&of_run, true);
        let curves = sums.curves("site", 1);
        let means = |points: &[Point]| points.iter().map(|point| point.mean).collect::<Vec<f64>>();
        assert_eq!(means(&curves.masks[0]), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(means(&curves.masks[1]), [0.0, 0.0, 0.0, 1.0, 1.0]);
        assert_eq!(means(&curves.importance), [0.0, 0.0, 0.0, 1.0, 0.0]);
        assert_eq!(means(&curves.perturbation), [1.0, 1.0], "from the 5' end");
    }
}

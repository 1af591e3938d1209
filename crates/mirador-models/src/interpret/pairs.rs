//! Compensatory double mutants: a base pair is broken on one strand, on the other, and restored by both.
//!
//! A model that reads pairing loses its score with either mutation and gets it back with both; one that recognises names
//! does not.

use mirna::Base;

use super::{Change, PairedLetters};

/// A pair whose single mutants lose less than this tells nothing of a rescue.
pub const LEAST_LOSS: f32 = 0.05;

/// One base pair, mutated.
#[derive(Clone, Debug, PartialEq)]
pub struct DoubleMutant {
    /// The two letters, by strand and position from 0.
    pub pair: PairedLetters,
    /// What stands in their places: each strand's letter becomes the complement of the first strand's, and that letter.
    pub letters: [Base; 2],
    /// Probability with the first strand's letter mutated, with the second's, and with both.
    pub probabilities: [f32; 3],
    /// How much of what the single mutants lose comes back: 1 all of it, 0 nothing; `None` where they lose no more than
    /// [`LEAST_LOSS`].
    pub rescue: Option<f32>,
}

impl DoubleMutant {
    /// The mutant of a pair of these letters, not scored yet. Neither new letter pairs with the other's old one, not even
    /// as G·U.
    pub fn new(pair: PairedLetters, [first, _]: [Base; 2]) -> Self {
        Self { pair, letters: [first.complement(), first], probabilities: [0.0; 3], rescue: None }
    }

    /// The three variants.
    pub fn changes(&self) -> [Change; 3] {
        let [first, second] = [0, 1].map(|end| {
            let (strand, position) = self.pair[end];
            (strand, position, vec![self.letters[end]])
        });
        [
            Change::Letters(vec![first.clone()]),
            Change::Letters(vec![second.clone()]),
            Change::Letters(vec![first, second]),
        ]
    }

    /// Takes the probabilities of the row and of the three variants.
    pub fn score(&mut self, original: f32, probabilities: [f32; 3]) {
        let [first, second, both] = probabilities;
        let broken = (first + second) / 2.0;
        let loss = original - broken;
        self.probabilities = probabilities;
        self.rescue = (loss > LEAST_LOSS).then(|| (both - broken) / loss);
    }
}

/// The mean rescue of those pairs that tell one.
pub fn rescue(mutants: &[DoubleMutant]) -> Option<f32> {
    let told: Vec<f32> = mutants.iter().filter_map(|mutant| mutant.rescue).collect();
    (!told.is_empty()).then(|| told.iter().sum::<f32>() / told.len() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_breaks_every_pair_and_both_restore_it() {
        let pairs = [(Base::A, Base::U), (Base::C, Base::G), (Base::G, Base::C), (Base::U, Base::A)];
        let wobbles = [(Base::G, Base::U), (Base::U, Base::G)];
        let pairs_at_all = |one: Base, other: Base| one.pairs_with(other) || one.wobbles_with(other);
        for (first, second) in pairs.into_iter().chain(wobbles) {
            let mutant = DoubleMutant::new([(0, 0), (1, 0)], [first, second]);
            let [new_first, new_second] = mutant.letters;
            assert!(!pairs_at_all(new_first, second), "{first:?}{second:?}");
            assert!(!pairs_at_all(first, new_second), "{first:?}{second:?}");
            assert!(new_first.pairs_with(new_second), "{first:?}{second:?}");
        }
    }

    #[test]
    fn a_rescue_is_the_part_that_comes_back() {
        let mut mutant = DoubleMutant::new([(0, 0), (1, 0)], [Base::A, Base::U]);
        mutant.score(0.9, [0.1, 0.3, 0.9]);
        assert!((mutant.rescue.unwrap() - 1.0).abs() < 1e-6);
        mutant.score(0.9, [0.1, 0.3, 0.55]);
        assert!((mutant.rescue.unwrap() - 0.5).abs() < 1e-6);
        mutant.score(0.9, [0.86, 0.87, 0.9]);
        assert_eq!(mutant.rescue, None);
        assert_eq!(rescue(&[mutant]), None);
    }
}

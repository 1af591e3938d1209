//! Probabilities over all structures of one strand: McCaskill (Biopolymers 1990).

use super::exterior::Exterior;
use super::inside::{ByStart, Inside};
use super::letters::Strand;
use super::model::Model;
use super::outside::Outside;
use super::score::KT;
use crate::Base;

/// Sums are scaled as if each letter brought this much, in units of kT: half of what one of the strongest helix does, so
/// that neither that helix nor a strand without a pair leaves the range of a double; and what one of an RNA usually does.
const OF_ANY: f64 = 1.37;
const OF_USUAL: f64 = 0.5;
/// Longest window for which the former serves.
const LONGEST_OF_ANY: usize = 500;

/// The structures of a strand, each weighted by its energy.
#[derive(Clone, Debug)]
pub struct Partition {
    energy: f64,
    length: usize,
    pairs: ByStart<f64>,
}

impl Partition {
    /// Time grows with the third power of the length, memory with the second (500 nt: a fraction of a second, 20 MB).
    /// None where a sum leaves the range of a double: never up to 500 nt, hardly ever up to 1,500.
    ///
    /// ```
    /// use mirna::{Rna, fold::Partition};
    /// let rna: Rna = "GGGGAAAACCCC".parse()?;
    /// let partition = Partition::of(&rna).unwrap();
    /// assert!((partition.energy() + 5.507).abs() < 0.001);
    /// assert!((partition.pair(1, 10) - 0.871).abs() < 0.001);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn of(bases: &[Base]) -> Option<Self> {
        let n = bases.len();
        if n == 0 {
            return Some(Self { energy: 0.0, length: 0, pairs: ByStart::new(0, 1, 0.0) });
        }
        let (_, exterior, outside) = sums(bases, n, n)?;
        let energy = -KT * (exterior.windows[0].ln() + of_letter(n) * n as f64);
        Some(Self { energy, length: n, pairs: outside.pair })
    }

    /// Free energy of the ensemble, kcal/mol.
    pub fn energy(&self) -> f64 {
        self.energy
    }

    /// Probability that two letters, from 0, pair; 0 where there is no such letter.
    pub fn pair(&self, one: usize, other: usize) -> f64 {
        let (i, j) = (one.min(other), one.max(other));
        if j < self.length && i < j { self.pairs.get(i, j) } else { 0.0 }
    }

    /// Pairs (i, j), i < j, from 0, that are at least this probable, in the order of i and j.
    pub fn pairs(&self, least: f64) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let all = (0..self.length).flat_map(move |i| (i + 1..self.length).map(move |j| (i, j)));
        all.map(|(i, j)| (i, j, self.pairs.get(i, j))).filter(move |(_, _, pair)| *pair >= least)
    }

    /// For each letter the probability that it pairs.
    pub fn pairing(&self) -> Vec<f64> {
        let mut pairing = vec![0.0; self.length];
        for (i, j, pair) in self.pairs(f64::MIN_POSITIVE) {
            pairing[i] += pair;
            pairing[j] += pair;
        }
        pairing
    }
}

fn of_letter(window: usize) -> f64 {
    if window <= LONGEST_OF_ANY { OF_ANY } else { OF_USUAL }
}

/// Sums over all structures of each window.
pub(super) fn sums(bases: &[Base], window: usize, span: usize) -> Option<(Inside<f64>, Exterior, Outside)> {
    let letter = (-of_letter(window)).exp();
    let inside = Inside::new(Model::weights(), Strand::new(bases), span.min(window), letter);
    let exterior = Exterior::new(&inside, window);
    if !exterior.windows.iter().all(|sum| sum.is_normal()) {
        return None;
    }
    let outside = Outside::new(&inside, &exterior);
    outside.pair.is_finite().then_some((inside, exterior, outside))
}

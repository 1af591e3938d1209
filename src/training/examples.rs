//! A protocol's rows: what each epoch trains on, what chooses the epoch, what measures the result.

use anyhow::{Result, ensure};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::{Example, Split};
use super::negatives::{pairs, permute};
use super::recipe::{Protocol, Rows};
use super::{augment, teacher};
use crate::rna::Rna;
use crate::tasks::target_site::Pair;

/// A pair and its label, which may be soft.
pub type Labelled = (Pair, f32);

/// Of the validation permutation and of the paper's random split: the same for every seed, so that runs compare.
const SEED: u64 = 7;

/// The rows of one protocol.
pub struct Examples {
    protocol: Protocol,
    /// Positives of the bias-free protocol, both labels of the paper's.
    train: Vec<Example>,
    /// Of the positives among them, with repeats: a frequent miRNA is drawn as often as it binds.
    mirnas: Vec<Rna>,
    sites: Vec<Rna>,
    /// Both labels.
    pub validation: Vec<Example>,
    /// Both labels, by name; measured once, after everything was chosen.
    pub tests: Vec<(String, Vec<Example>)>,
}

impl Examples {
    /// Sorts a dataset's rows by protocol.
    pub fn new(rows: Vec<Example>, protocol: Protocol) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let (published, rows): (Vec<Example>, Vec<Example>) =
            rows.into_iter().partition(|row| row.split == Split::Test);
        let (train, validation, mut tests) = match protocol {
            Protocol::BiasFree => {
                let of =
                    |split| rows.iter().filter(move |row| row.label && row.split == split).cloned().collect();
                let left_out = with_permuted(of(Split::LeftOut), &mut rng)?;
                let validation = with_permuted(of(Split::Validation), &mut rng)?;
                (of(Split::Train), validation, vec![("left_out_families".to_owned(), left_out)])
            }
            Protocol::Paper => {
                let mut rows = rows;
                rows.shuffle(&mut rng);
                let test = rows.split_off(rows.len() * 4 / 5);
                let validation = rows.split_off(rows.len() * 9 / 10);
                (rows, validation, vec![("random_fifth".to_owned(), test)])
            }
        };
        for row in published {
            match tests.iter_mut().find(|(name, _)| *name == row.source) {
                Some((_, rows)) => rows.push(row),
                None => tests.push((row.source.clone(), vec![row])),
            }
        }
        ensure!(
            !train.is_empty() && !validation.is_empty(),
            "the dataset has no training or no validation rows"
        );
        let of = |part: fn(&Pair) -> &Rna| {
            train.iter().filter(|row| row.label).map(|row| part(&row.pair).clone()).collect()
        };
        let (mirnas, sites) = (of(|pair| &pair.mirna), of(|pair| &pair.site));
        Ok(Self { protocol, train, mirnas, sites, validation, tests })
    }

    /// The rows of one epoch; the same for the same `rng`.
    pub fn draw(&self, rows: Rows, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        let mut drawn = Vec::new();
        if rows.examples {
            for row in self.with_negatives(rng)? {
                let pair = augment::augment(row.pair, &self.sites, rows, rng);
                let measured = f32::from(u8::from(row.label));
                let label = measured + rows.teacher * (teacher::opinion(&pair) - measured);
                drawn.push((pair, label));
            }
        }
        drawn.extend((0..rows.made_up).map(|_| teacher::draw(&self.mirnas, &self.sites, rng)));
        Ok(drawn)
    }

    /// Training rows of both labels, e.g. for the audit.
    pub fn with_negatives(&self, rng: &mut ChaCha8Rng) -> Result<Vec<Example>> {
        match self.protocol {
            Protocol::BiasFree => with_permuted(self.train.clone(), rng),
            Protocol::Paper => Ok(self.train.clone()),
        }
    }
}

/// Positives that keep their place in the permutation, and as many permuted negatives. A negative belongs to its
/// site's cluster.
fn with_permuted(positives: Vec<Example>, rng: &mut ChaCha8Rng) -> Result<Vec<Example>> {
    let references: Vec<&Example> = positives.iter().collect();
    let permutation = permute(&references, rng)?;
    let mut rows = Vec::with_capacity(2 * permutation.len());
    for (&(row, partner), pair) in permutation.iter().zip(pairs(&references, &permutation)) {
        rows.push(positives[row].clone());
        rows.push(Example { pair, label: false, ..positives[partner].clone() });
    }
    Ok(rows)
}

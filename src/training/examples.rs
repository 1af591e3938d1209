//! A protocol's rows: what each epoch trains on, what chooses the epoch, what measures the result.

use anyhow::{Result, ensure};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dataset::{Example, Split};
use super::negatives::{pairs, permute};
use super::prepare::UTR_WINDOWS;
use super::recipe::{Protocol, Rows, Stage};
use super::teacher;
use crate::rna::Rna;
use crate::tasks::target_site::Pair;

/// A pair and its label, which may be soft.
pub type Labelled = (Pair, f32);

/// Shortest site that cropping leaves, nt.
const SHORTEST_CROP: usize = 26;
/// Of the validation permutation and of the paper's random split: the same for every seed, so that runs compare.
const SEED: u64 = 7;

/// The rows of one protocol.
pub struct Examples {
    protocol: Protocol,
    /// Positives of the bias-free protocol, both labels of the paper's.
    train: Vec<Example>,
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
        Ok(Self { protocol, train, validation, tests })
    }

    /// The rows of one epoch; the same for the same `rng`.
    pub fn draw(&self, stage: &Stage, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        match stage.rows {
            Rows::Aligner { pairs } => {
                let real: Vec<&Pair> =
                    self.train.iter().filter(|row| row.source != UTR_WINDOWS).map(|row| &row.pair).collect();
                Ok((0..pairs).map(|_| teacher::draw(&real, rng)).collect())
            }
            Rows::Examples { cropped } => {
                let rows = self.with_negatives(rng)?;
                let labelled = |row: Example| {
                    let label = f32::from(u8::from(row.label));
                    (if rng.random_bool(cropped) { crop(row.pair, rng) } else { row.pair }, label)
                };
                Ok(rows.into_iter().map(labelled).collect())
            }
        }
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

/// Cuts a site to a random part of it: networks that only ever saw one length fail on others.
fn crop(pair: Pair, rng: &mut ChaCha8Rng) -> Pair {
    let length = pair.site.len();
    if length <= SHORTEST_CROP {
        return pair;
    }
    let kept = rng.random_range(SHORTEST_CROP..=length);
    let start = rng.random_range(0..=length - kept);
    Pair { site: Rna::from(&pair.site[start..start + kept]), ..pair }
}

//! word2vec (Mikolov et al. 2013): skip-gram with negative sampling over the 4-mers of miRNAs, with gensim's rules
//! for rates, widths and the start.

use mirador_models::networks::deepmirnatar::WORD2VEC;
use mirador_models::networks::deepmirnatar::kmers::{DISTINCT, WORDS};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

const SIZE: usize = WORD2VEC as usize;
const PASSES: usize = 20;
/// Each centre draws its reach from 1 to this.
const REACH: usize = 5;
const NEGATIVES: usize = 5;
/// Negatives are drawn by count to this power.
const POWER: f64 = 0.75;
/// Falls linearly from the first to the second.
const RATES: (f32, f32) = (0.025, 0.0001);

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Sentences: miRNAs.
    pub sentences: usize,
    /// Words in them, repeats included.
    pub words: usize,
    /// Words that occur, of 256.
    pub distinct: usize,
    /// How often they were read.
    pub passes: usize,
    /// Mean loss of a pair with its negatives in each pass.
    pub losses: Vec<f64>,
}

/// One vector of 34 after the other for the 256 words; 0 for a word that does not occur. A token without letters,
/// of an `N`, is no word and ends no sentence.
pub(super) fn train(sentences: &[Vec<i64>], seed: u64) -> (Vec<f32>, Summary) {
    let sentences: Vec<Vec<usize>> = sentences
        .iter()
        .map(|tokens| {
            tokens.iter().filter(|&&token| token >= WORDS).map(|token| (token - WORDS) as usize).collect()
        })
        .collect();
    let mut counts = vec![0usize; DISTINCT as usize];
    sentences.iter().flatten().for_each(|&word| counts[word] += 1);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let limit = 0.5 / SIZE as f32;
    let mut table = Table {
        inner: (0..counts.len() * SIZE).map(|_| rng.random_range(-limit..limit)).collect(),
        outer: vec![0.0; counts.len() * SIZE],
        urn: Urn::new(&counts),
    };
    let words: usize = counts.iter().sum();
    let mut read = 0;
    let losses = (0..PASSES).map(|_| {
        let (mut loss, mut pairs) = (0.0, 0);
        for sentence in &sentences {
            let done = read as f32 / (words * PASSES) as f32;
            let rate = RATES.0 - (RATES.0 - RATES.1) * done;
            for (at, &centre) in sentence.iter().enumerate() {
                let reach = rng.random_range(1..=REACH);
                let near = at.saturating_sub(reach)..(at + reach + 1).min(sentence.len());
                for context in near.filter(|&other| other != at).map(|other| sentence[other]) {
                    loss += f64::from(table.learn(context, centre, rate, &mut rng));
                    pairs += 1;
                }
            }
            read += sentence.len();
        }
        loss / f64::from(pairs.max(1))
    });
    let losses = losses.collect();
    for (word, _) in counts.iter().enumerate().filter(|(_, count)| **count == 0) {
        table.inner[word * SIZE..][..SIZE].fill(0.0);
    }
    let distinct = counts.iter().filter(|count| **count > 0).count();
    (table.inner, Summary { sentences: sentences.len(), words, distinct, passes: PASSES, losses })
}

struct Table {
    inner: Vec<f32>,
    outer: Vec<f32>,
    urn: Urn,
}

impl Table {
    /// One step on a word and the centre that it predicts, against negatives; returns the loss.
    fn learn(&mut self, context: usize, centre: usize, rate: f32, rng: &mut ChaCha8Rng) -> f32 {
        let inner = &mut self.inner[context * SIZE..][..SIZE];
        let mut step = [0.0; SIZE];
        let mut loss = 0.0;
        for draw in 0..=NEGATIVES {
            let (word, label) = if draw == 0 { (centre, 1.0) } else { (self.urn.draw(rng), 0.0) };
            if draw > 0 && word == centre {
                continue;
            }
            let outer = &mut self.outer[word * SIZE..][..SIZE];
            let score: f32 = inner.iter().zip(&*outer).map(|(a, b)| a * b).sum();
            let share = 1.0 / (1.0 + (-score).exp());
            loss -= if draw == 0 { share } else { 1.0 - share }.max(1e-7).ln();
            let gradient = (label - share) * rate;
            for ((step, outer), inner) in step.iter_mut().zip(outer).zip(&*inner) {
                *step += gradient * *outer;
                *outer += gradient * inner;
            }
        }
        inner.iter_mut().zip(step).for_each(|(inner, step)| *inner += step);
        loss
    }
}

/// Words by their count to the power of ¾.
struct Urn(Vec<f64>);

impl Urn {
    fn new(counts: &[usize]) -> Self {
        let mut sum = 0.0;
        Self(
            counts
                .iter()
                .map(|&count| {
                    sum += (count as f64).powf(POWER);
                    sum
                })
                .collect(),
        )
    }

    fn draw(&self, rng: &mut ChaCha8Rng) -> usize {
        let all = self.0.last().copied().unwrap_or(0.0);
        let place = rng.random_range(0.0..all);
        self.0.partition_point(|&sum| sum <= place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_stand_together_lie_together() {
        let token = |word: i64| WORDS + word;
        let sentences: Vec<Vec<i64>> = (0..400)
            .map(|sentence| (0..12).map(|at| token(10 * (sentence % 2) + at % 4)).collect())
            .collect();
        let (vectors, summary) = train(&sentences, 1);
        assert_eq!((summary.words, summary.distinct, vectors.len()), (4800, 8, 8704));
        assert!(summary.losses[19] < summary.losses[0]);
        let cosine = |a: usize, b: usize| {
            let (a, b) = (&vectors[a * SIZE..][..SIZE], &vectors[b * SIZE..][..SIZE]);
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        };
        assert!(cosine(0, 2) > cosine(0, 12) + 0.5, "{} and {}", cosine(0, 2), cosine(0, 12));
        assert_eq!(vectors[100 * SIZE], 0.0, "a word that does not occur");
    }
}

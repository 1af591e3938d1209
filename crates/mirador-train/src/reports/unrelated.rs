//! What a network of target sites says of letters that bear no relation to each other.

use anyhow::Result;
use minijinja::context;
use minijinja::value::Value;
use mirador_models::WeightsDir;
use mirador_models::tasks::target_site::Pair;
use mirador_models::tasks::{Input, probability};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Device;

use crate::data::target_sites::random::random_letters;

const SEED: u64 = 1;
const PAIRS: usize = 5000;
/// Letters of a miRNA and of a site.
const LENGTHS: (usize, usize) = (22, 50);

/// The mean probability of random pairs, how many of them are called, and the probability of let-7a on a site of A alone.
pub(super) fn unrelated(weights: &WeightsDir) -> Result<Value> {
    let replica = weights.load(Device::Cpu)?;
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut pair = || Pair {
        mirna: random_letters(LENGTHS.0, &mut rng).into_iter().collect(),
        site: random_letters(LENGTHS.1, &mut rng).into_iter().collect(),
    };
    let mut inputs: Vec<Input> = (0..PAIRS).map(|_| pair().into()).collect();
    let let_7 = Pair { mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse()?, site: "A".repeat(LENGTHS.1).parse()? };
    inputs.push(let_7.into());
    let mut probabilities: Vec<f64> =
        replica.score(&inputs).into_iter().map(|logit| f64::from(probability(logit))).collect();
    let on_poly_a = probabilities.pop();
    let threshold = f64::from(weights.config.threshold());
    Ok(context! {
        mean => probabilities.iter().sum::<f64>() / PAIRS as f64,
        called => probabilities.iter().filter(|&&probability| probability >= threshold).count() as f64 / PAIRS as f64,
        on_poly_a,
    })
}

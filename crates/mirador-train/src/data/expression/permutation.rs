//! The control of every gain by miRNAs: the same table with its pairs swapped at random.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dataset::Example;

/// Swaps tried for each pair of a gene and a miRNA.
const SWAPS: usize = 20;

/// Exchanges the miRNAs of two pairs, over and over: every gene keeps its number of miRNAs and every miRNA its number
/// of targets and its scores.
pub(super) fn permute_targets(rows: &mut [Example], seed: u64) {
    let mut pairs: Vec<(usize, String, f32)> = Vec::new();
    for (gene, row) in rows.iter().enumerate() {
        pairs.extend(row.target_scores.iter().map(|(name, score)| (gene, name.clone(), *score)));
    }
    let mut held: Vec<BTreeMap<String, f32>> = rows.iter().map(|row| row.target_scores.clone()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..pairs.len() * SWAPS {
        let (a, b) = (rng.random_range(0..pairs.len()), rng.random_range(0..pairs.len()));
        let (gene_a, gene_b) = (pairs[a].0, pairs[b].0);
        if held[gene_a].contains_key(&pairs[b].1) || held[gene_b].contains_key(&pairs[a].1) {
            continue;
        }
        held[gene_a].remove(&pairs[a].1);
        held[gene_b].remove(&pairs[b].1);
        held[gene_a].insert(pairs[b].1.clone(), pairs[b].2);
        held[gene_b].insert(pairs[a].1.clone(), pairs[a].2);
        (pairs[a].0, pairs[b].0) = (gene_b, gene_a);
    }
    for (row, scores) in rows.iter_mut().zip(held) {
        row.gene.mirnas = scores.keys().map(|name| (name.clone(), 1.0)).collect();
        row.target_scores = scores;
    }
}

#[cfg(test)]
mod tests {
    use mirador_models::tasks::expression::{Gene, HalfLife};

    use super::*;
    use crate::data::expression::dataset::Split;

    #[test]
    fn numbers_of_partners_stay() {
        let gene = || Gene {
            promoter: "A".parse().unwrap(),
            tss: 0,
            half_life: HalfLife::default(),
            mirnas: BTreeMap::new(),
        };
        let row = |number: usize| Example {
            ensg: number.to_string(),
            symbol: String::new(),
            chromosome: "1".into(),
            split: Split::Train,
            gene: gene(),
            target_scores: (0..number % 7)
                .map(|mirna| (format!("m{}", mirna * number % 11), -(mirna as f32) - 1.0))
                .collect(),
            published: None,
            level: 0.0,
        };
        let before: Vec<Example> = (0..100).map(row).collect();
        let mut after = before.clone();
        permute_targets(&mut after, 1);
        let of_mirnas = |rows: &[Example]| {
            let mut scores: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            for (name, score) in rows.iter().flat_map(|row| &row.target_scores) {
                scores.entry(name.clone()).or_default().push(*score as i64);
            }
            scores.values_mut().for_each(|scores| scores.sort());
            scores
        };
        assert_eq!(of_mirnas(&before), of_mirnas(&after));
        let same = |(a, b): (&Example, &Example)| {
            assert_eq!(a.target_scores.len(), b.target_scores.len());
            a.target_scores == b.target_scores
        };
        assert!(before.iter().zip(&after).filter(|pair| same(*pair)).count() < 50);
    }
}

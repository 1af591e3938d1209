//! Tests: every structure of a short strand, one by one, against the recursions.

use proptest::prelude::*;

use super::letters::Strand;
use super::model::Model;
use super::{Accessibility, Partition, Structure, fold};
use crate::Rna;

type Pairs = Vec<(usize, usize)>;

/// All sets of pairs within the letters from `i` up to `end`, of a span up to `span`.
fn all(strand: &Strand, i: usize, end: usize, span: usize) -> Vec<Pairs> {
    if i >= end {
        return vec![Pairs::new()];
    }
    let mut found = all(strand, i + 1, end, span);
    for j in (i + 4..end.min(i + span)).filter(|&j| strand.kind(i, j) > 0) {
        let after = all(strand, j + 1, end, span);
        for within in all(strand, i + 1, j, span) {
            found.extend(after.iter().map(|after| [&[(i, j)], within.as_slice(), after].concat()));
        }
    }
    found
}

/// With the weight of each.
fn weighted(strand: &Strand, start: usize, end: usize, span: usize) -> Vec<(Structure, f64)> {
    let structures = all(strand, start, end, span).into_iter().map(|pairs| {
        let mut structure = Structure::open(strand.len());
        pairs.into_iter().for_each(|(i, j)| structure.pair(i, j));
        structure
    });
    structures
        .map(|structure| {
            let weight = structure.score(Model::weights(), strand).expect("only letters that can pair do");
            (structure, weight)
        })
        .collect()
}

fn probability(all: &[(Structure, f64)], holds: impl Fn(&Structure) -> bool) -> f64 {
    let sum: f64 = all.iter().map(|(_, weight)| weight).sum();
    all.iter().filter(|(structure, _)| holds(structure)).map(|(_, weight)| weight).sum::<f64>() / sum
}

/// Two hairpins within a pair, and what lies between.
fn branched() -> impl Strategy<Value = String> {
    let hairpin = || "(G[ACGU]{3}C|C[ACGUN]{3}G)";
    ("[ACGUN]{0,2}", hairpin(), "[ACGU]{0,2}", hairpin(), "[ACGU]{0,1}")
        .prop_map(|(a, b, c, d, e)| format!("{a}G{b}{c}{d}{e}C"))
}

fn short() -> impl Strategy<Value = String> {
    prop_oneof!["[ACGUN]{1,14}", "[GC]{8,14}", branched()]
}

proptest! {
    #[test]
    fn the_least_energy_is_that_of_a_structure(letters in short()) {
        let rna: Rna = letters.parse().expect("these are letters");
        let all = weighted(&Strand::new(&rna), 0, rna.len(), rna.len());
        let least = all.iter().map(|(structure, _)| structure.energy(&rna).expect("so here")).fold(f64::MAX, f64::min);
        prop_assert_eq!(fold(&rna).energy, least);
    }

    #[test]
    fn the_partition_function_is_a_sum(letters in short()) {
        let rna: Rna = letters.parse().expect("these are letters");
        let all = weighted(&Strand::new(&rna), 0, rna.len(), rna.len());
        let partition = Partition::of(&rna).expect("it is short");
        let sum: f64 = all.iter().map(|(_, weight)| weight).sum();
        prop_assert!((partition.energy() + super::score::KT * sum.ln()).abs() < 1e-9);
        for (i, j) in (0..rna.len()).flat_map(|i| (i + 1..rna.len()).map(move |j| (i, j))) {
            let expected = probability(&all, |structure| structure.partner(i) == Some(j));
            prop_assert!((partition.pair(j, i) - expected).abs() < 1e-9, "{} {}", i, j);
        }
    }

    #[test]
    fn accessibility_is_a_mean_over_windows(letters in short(), window in 1_usize..20, span in 1_usize..16, k in 1_usize..6) {
        let rna: Rna = letters.parse().expect("these are letters");
        let (strand, n) = (Strand::new(&rna), rna.len());
        let window = window.min(n);
        let windows: Vec<_> = (0..=n - window).map(|s| weighted(&strand, s, s + window, span)).collect();
        let folded = Accessibility::of(&rna, window, span).expect("it is short");
        let unpaired = folded.unpaired(k);
        prop_assert_eq!(unpaired.len(), if k > window { 0 } else { n - k + 1 });
        for (a, &unpaired) in unpaired.iter().enumerate() {
            let holding = &windows[(a + k).saturating_sub(window)..=a.min(n - window)];
            let open = |structure: &Structure| (a..a + k).all(|letter| structure.partner(letter).is_none());
            let expected = holding.iter().map(|all| probability(all, open)).sum::<f64>() / holding.len() as f64;
            prop_assert!((unpaired - expected).abs() < 1e-9, "{}: {} {}", a, unpaired, expected);
        }
    }
}

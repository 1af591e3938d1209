//! What can be had without a fit.

use mirador_models::networks::repression::CLASSES;

use super::fit::Scores;
use super::rows::{Columns, Rows, VALUES};
use crate::experiment::Baseline;

/// log2 fold changes by class: those of the first three are what TargetScan 5's context score begins with (Grimson 2007);
/// it leaves out the 6mer, whose .03 is only less than theirs. Nothing for offset sites.
const SEED_SUM: [f64; CLASSES] = [0.31, 0.161, 0.099, 0.03, 0.0, 0.0];

/// The baselines, in the order in which they are printed; the first is the one to beat.
pub(super) const BASELINES: [Baseline; 7] = [
    Baseline::SeedSum,
    Baseline::BestSite,
    Baseline::SitesCounted,
    Baseline::UtrLength,
    Baseline::UtrAu,
    Baseline::GeneMean,
    Baseline::GeneMeanRaw,
];

/// A baseline's score of each gene in an experiment.
pub(super) fn scores(rows: &Rows, at: usize, baseline: Baseline) -> Scores {
    let sums = rows.sums(at);
    Scores::same(match baseline {
        Baseline::BestSite => sums.iter().map(best_class).collect(),
        Baseline::SitesCounted => {
            sums.iter().map(|row| counted(row, &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0])).collect()
        }
        Baseline::UtrLength => rows.lengths.clone(),
        Baseline::UtrAu => rows.au.clone(),
        Baseline::GeneMean => means_elsewhere(rows, at, true),
        Baseline::GeneMeanRaw => means_elsewhere(rows, at, false),
        _ => sums.iter().map(|row| counted(row, &SEED_SUM)).collect(),
    })
}

fn counted(row: &Columns, weights: &[f64; CLASSES]) -> f64 {
    weights.iter().enumerate().map(|(class, weight)| row[class * VALUES] * weight).sum()
}

/// 4 for an 8mer to 1 for a 6mer, and 0 without a canonical site.
fn best_class(row: &Columns) -> f64 {
    let best = (0..4).find(|class| row[class * VALUES] > 0.0);
    best.map_or(0.0, |class| 4.0 - class as f64)
}

/// Each gene's mean repression in the over-expression experiments of other groups; 0 where it was tested in none.
fn means_elsewhere(rows: &Rows, at: usize, centred: bool) -> Vec<f64> {
    let group = rows.group(at);
    let others: Vec<_> = rows.over.iter().filter(|&&other| rows.group(other) != group).collect();
    let mean = |gene: usize| {
        let of = |other: &&usize| {
            let experiment = rows.experiment(**other);
            let change = experiment.changes[gene]?;
            Some(experiment.about.kind.repression(if centred { change.centred } else { change.raw }))
        };
        let known: Vec<f64> = others.iter().filter_map(of).collect();
        known.iter().sum::<f64>() / known.len().max(1) as f64
    };
    (0..rows.dataset.genes.len()).map(mean).collect()
}

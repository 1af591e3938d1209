//! Abundance in the last layer (the paper's Discussion): a logistic layer on the network's held-out logit, with and without
//! the number of reads of the miRNA and of the place.

use std::collections::HashMap;
use std::hash::Hash;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::Task;

use super::Comparison;
use crate::experiment::{Experiment, Fold, Row};
use crate::results::predictions::Predictions;
use crate::results::side_by_side::Abundance;
use crate::stats::logistic::Logistic;
use crate::stats::metrics::with_intervals;

/// Factor of Σw²/2: next to none.
const RIDGE: f64 = 1e-3;
/// Probabilities are kept so far from 0 and 1, so that their logits are finite.
const EDGE: f64 = 1e-6;

/// A held-out row for the last layer: its logit and its abundances.
struct Held {
    inputs: [f64; 3],
    label: bool,
    fold: usize,
}

/// Puts abundances beside the held-out logits of the rows' own version.
pub(super) fn abundance(comparison: &Comparison, experiment: &dyn Experiment) -> Result<Abundance> {
    let folds = experiment.folds();
    ensure!(folds.len() > 1, "abundance is fitted on other folds: the recipe has one");
    let sets = comparison.held_out()?;
    let (name, _) = folds[0].tests.first().context("a fold without a test")?;
    let kept = sets.iter().find(|set| set.name == *name).context("no held-out scores")?;
    let rows: Vec<Held> = held(folds, kept)?;
    let layer = |inputs: usize| -> Vec<f64> {
        let of_fold: Vec<Logistic> = (0..folds.len())
            .map(|fold| {
                let others = rows.iter().filter(|row| row.fold != fold);
                let others: Vec<_> = others.map(|row| (row.inputs[..inputs].to_vec(), row.label)).collect();
                Logistic::fit(&others, RIDGE)
            })
            .collect();
        rows.iter().map(|row| of_fold[row.fold].probability(&row.inputs[..inputs])).collect()
    };
    let (without, with) = (layer(1), layer(3));
    let metrics = |scores: &[f64]| with_intervals(Task::TargetSite, &kept.targets, scores, &kept.groups);
    let (alone, beside) = (metrics(&without), metrics(&with));
    let both = Predictions { network: with, ..kept.clone() };
    Ok(Abundance {
        network: comparison.plan.rows.to_string(),
        without: alone,
        with: beside,
        difference: both.difference(Task::TargetSite, &without),
    })
}

/// The held-out rows of all folds, in the order of their scores. Reads are counted among all rows but the row's own couple:
/// how often the miRNA was read, letter by letter, and how many reads fell on the place. A negative has the miRNA and the
/// place of its positive, so that both count alike; counted among training rows alone, the positive of a held-out negative
/// would tell its label.
fn held(folds: &[Fold], kept: &Predictions) -> Result<Vec<Held>> {
    let rows: Vec<(usize, &Row)> = folds
        .iter()
        .enumerate()
        .flat_map(|(fold, rows)| {
            rows.tests.first().into_iter().flat_map(move |(_, rows)| rows.iter().map(move |row| (fold, row)))
        })
        .collect();
    let reads = || rows.iter().map(|(_, row)| *row).filter(|row| row.label());
    let (of_mirna, of_place) =
        (counts(reads().map(|row| &row.pair().mirna)), counts(reads().map(|row| row.group)));
    let log = |count: Option<&usize>| (count.copied().unwrap_or(0).max(1) as f64).ln();
    let mut held = Vec::new();
    for (fold, row) in rows.iter().copied() {
        let p = kept.network.get(held.len()).context("fewer held-out scores than rows")?;
        let p = p.clamp(EDGE, 1.0 - EDGE);
        let inputs =
            [(p / (1.0 - p)).ln(), log(of_mirna.get(&row.pair().mirna)), log(of_place.get(&row.group))];
        held.push(Held { inputs, label: row.label(), fold });
    }
    let same: Vec<f64> = held.iter().map(|row| f64::from(u8::from(row.label))).collect();
    ensure!(same == kept.targets, "the held-out scores are of other rows");
    Ok(held)
}

fn counts<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    let mut counts = HashMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

//! What papers print of cross-validation: the folds of one run, their mean, median and deviation, and an interval of the mean.

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::Value;
use mirador_models::find;

use super::network::Network;
use super::scores::deviation;
use crate::results::report::SeedReport;
use crate::stats::correlation::mean;
use crate::stats::metrics::Metric;
use crate::stats::significance::student_95;

/// Half the width of a 95 % interval in standard errors, where these are taken for known.
const NORMAL: f64 = 1.96;

/// Each metric of a set, by name: a value for each fold (its mean over the seeds) and for each seed (the mean of its folds); the
/// median and the deviation of one seed's folds, means over the seeds; and intervals of the mean of so many folds, by the normal
/// distribution and by Student's t. `None` where there is one fold.
pub(super) fn by_fold(network: &Network, set: &str) -> Option<Value> {
    let mut seeds: BTreeMap<u64, Vec<&SeedReport>> = BTreeMap::new();
    // A network whose units died gave its place to that of another seed.
    for (place, run) in network.report.seeds.iter().enumerate() {
        let seed = network.recipe.seeds.get(place / folds(network)).copied().unwrap_or(run.seed);
        seeds.entry(seed).or_default().push(run);
    }
    let count = folds(network);
    if count < 2 {
        return None;
    }
    let metrics = find(&network.recipe.model).map_or(&[][..], |model| Metric::of(model.task));
    let table = metrics.iter().enumerate().map(|(index, metric)| {
        let of = |run: &&SeedReport| {
            run.tests.iter().find(|(name, _)| name == set).and_then(|(_, metrics)| *metrics.get(index)?)
        };
        // A seed's folds; one that holds nothing out has no value.
        let runs: Vec<Vec<f64>> = seeds.values().map(|runs| runs.iter().filter_map(of).collect()).collect();
        (metric.to_string(), summary(&runs))
    });
    Some(Value::from_pairs(table))
}

/// How many folds a network was trained on.
fn folds(network: &Network) -> usize {
    network.report.seeds.iter().map(|run| run.fold + 1).max().unwrap_or(1)
}

fn summary(runs: &[Vec<f64>]) -> Value {
    let count = runs.iter().map(Vec::len).min().unwrap_or(0);
    let over = |of: &dyn Fn(&Vec<f64>) -> f64| -> Vec<f64> { runs.iter().map(of).collect() };
    let folds: Vec<f64> = (0..count).map(|fold| mean(&over(&|run| run[fold]))).collect();
    let seeds = over(&|run| mean(run));
    let (middle, spread) = (mean(&seeds), mean(&over(&|run| deviation(run))));
    let interval = |width: f64| {
        let half = width * spread / (count as f64).sqrt();
        [middle - half, middle + half]
    };
    context! {
        folds, seeds,
        mean => middle,
        median => mean(&over(&|run| median(run))),
        deviation => spread,
        normal => interval(NORMAL),
        student => interval(student_95(count.saturating_sub(1))),
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { 0.5 * (sorted[middle - 1] + sorted[middle]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_s_folds_give_its_summary() {
        // Tasdelen & Sen 2021, Table 4, accuracy: .943, .942, .014, .931 to .955.
        let folds = vec![0.942, 0.964, 0.933, 0.929, 0.946];
        let summary = summary(&[folds.clone(), folds]);
        let field = |name: &str| f64::try_from(summary.get_attr(name).unwrap()).unwrap();
        let near = |found: f64, expected: f64| assert!((found - expected).abs() < 6e-4, "{found} {expected}");
        near(field("mean"), 0.943);
        near(field("median"), 0.942);
        near(field("deviation"), 0.0136);
        let bounds = |name: &str| {
            let interval = summary.get_attr(name).unwrap();
            [0, 1].map(|at| f64::try_from(interval.get_item(&Value::from(at)).unwrap()).unwrap())
        };
        let [low, high] = bounds("normal");
        near(low, 0.931);
        near(high, 0.955);
        let [low, high] = bounds("student");
        near(low, 0.926);
        near(high, 0.960);
    }
}

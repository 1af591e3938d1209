//! `metrics.json`: every metric of a trained version beside its baselines, and what is needed to repeat it.

use std::collections::BTreeMap;

use mirador_models::ModelId;
use serde::{Deserialize, Serialize};

use crate::experiment::{Baseline, Fold, Row};
use crate::learn::checkpoint::Epoch;
use crate::stats::correlation::mean;
use crate::stats::interval::range;
use crate::stats::metrics::{AtThreshold, Measured, MetricValue};

/// The whole report of one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was run.
    pub command: String,
    /// SHA-256 of the dataset file.
    pub dataset_sha256: String,
    /// What `prepare` did.
    pub preparation: Vec<String>,
    /// Values that training changes.
    pub parameters: usize,
    /// That it is the default although baselines are better, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_although: Option<String>,
    /// What the network started from, beside its seed; or the versions that it is the mean of.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "one_or_many")]
    pub started: Vec<Start>,
    /// How many rows each fold has; empty where there is one split, and for what has no classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folds: Vec<FoldRows>,
    /// Epochs of the stages that all seeds share; empty where the recipe has none.
    pub shared: Vec<Epoch>,
    /// All runs, in the recipe's order: each seed, and within it each fold.
    pub seeds: Vec<SeedReport>,
    /// The run whose weights are shipped: the best by validation, unless the recipe says which seed.
    pub shipped: usize,
    /// The shipped weights on validation and on every test; with folds, each fold's rows by the network that did not
    /// see them.
    pub sets: Vec<SetReport>,
    /// Baselines fitted and scored on the training rows themselves: what the labels give away.
    pub training_audit: Vec<MeasuredBaseline>,
}

/// A file of before a mean has one start, without a list.
fn one_or_many<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Vec<Start>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Starts {
        One(Start),
        Many(Vec<Start>),
    }
    Ok(match Starts::deserialize(source)? {
        Starts::One(start) => vec![start],
        Starts::Many(starts) => starts,
    })
}

/// The rows of a fold.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FoldRows {
    /// Trained on.
    pub train: ClassCounts,
    /// Choose the epoch.
    pub validation: ClassCounts,
    /// Held out.
    pub test: ClassCounts,
}

/// Rows of both classes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Rows of the positive class.
    pub positives: usize,
    /// The others.
    pub negatives: usize,
}

/// A version whose tensors another starts from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The version's name.
    pub version: ModelId,
    /// SHA-256 of its weights file.
    pub sha256: String,
}

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeedReport {
    /// Start of its random numbers.
    pub seed: u64,
    /// The fold that was held out.
    pub fold: usize,
    /// Index of the best epoch in `history`.
    pub best: usize,
    /// All epochs.
    pub history: Vec<Epoch>,
    /// The task's metrics by test; none where a set has one class only.
    pub tests: Vec<(String, Vec<Option<f64>>)>,
    /// What follows from a call of each test's rows at the decision threshold; empty where a task has no classes, and in a
    /// file of before it was kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<(String, AtThreshold)>,
}

/// One set of rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetReport {
    /// Name of the set.
    pub name: String,
    /// The shipped weights.
    pub model: Measured,
    /// What stands beside them.
    #[serde(alias = "floors")]
    pub baselines: Vec<MeasuredBaseline>,
    /// Published tools on the same rows, where their row-by-row scores are public.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub published: Vec<PublishedTool>,
}

/// One baseline's metrics.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeasuredBaseline {
    /// What the baseline reads.
    #[serde(alias = "probe")]
    pub name: Baseline,
    /// The task's metrics.
    #[serde(alias = "figures")]
    pub metrics: Vec<MetricValue>,
}

/// A published tool's metrics on a test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublishedTool {
    /// The tool's name in the benchmark.
    pub tool: String,
    /// As published, or measured from the row-by-row scores.
    pub average_precision: f64,
    /// The task's metrics measured from the row-by-row scores, where those are public.
    pub measured: Option<Vec<MetricValue>>,
}

impl FoldRows {
    /// Counts a fold; its first test stands for the rows that are held out.
    pub fn new(fold: &Fold) -> Self {
        let classes = |rows: &[Row]| {
            let positives = rows.iter().filter(|row| row.label()).count();
            ClassCounts { positives, negatives: rows.len() - positives }
        };
        let test = fold.tests.first().map_or(&[][..], |(_, rows)| rows);
        Self { train: classes(&fold.train), validation: classes(&fold.validation), test: classes(test) }
    }
}

impl SeedReport {
    /// The epoch whose weights were kept.
    pub fn best_epoch(&self) -> Option<&Epoch> {
        self.history.get(self.best)
    }

    /// What chooses among runs: the validation score of that epoch, higher is better.
    pub fn validation(&self) -> f64 {
        self.best_epoch().map_or(f64::NEG_INFINITY, |epoch| epoch.score)
    }
}

impl Report {
    /// The run whose weights are shipped.
    pub fn shipped(&self) -> Option<&SeedReport> {
        self.seeds.get(self.shipped)
    }

    /// A metric of a test by seed, the mean of its folds where there are several; a seed that lacks a fold is left out. `None`
    /// where the test or the metric is not there.
    pub fn by_seed(&self, test: &str, metric: &str) -> Option<BTreeMap<u64, f64>> {
        let measured = &self.set(test)?.model.metrics;
        let index = measured.iter().position(|of| of.name.to_string() == metric)?;
        let of = |run: &SeedReport| {
            let (_, metrics) = run.tests.iter().find(|(name, _)| name == test)?;
            Some((run.seed, (*metrics.get(index)?)?))
        };
        let mut folds: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (seed, value) in self.seeds.iter().filter_map(of) {
            folds.entry(seed).or_default().push(value);
        }
        folds.retain(|_, values| values.len() == self.folds.len().max(1));
        Some(folds.into_iter().map(|(seed, values)| (seed, mean(&values))).collect())
    }

    /// A set by its name.
    pub fn set(&self, name: &str) -> Option<&SetReport> {
        self.sets.iter().find(|set| set.name == name)
    }
}

/// Mean and range of some metrics.
pub fn mean_and_range(metrics: impl Iterator<Item = f64> + Clone) -> String {
    let count = metrics.clone().count();
    if count == 0 {
        return "–".into();
    }
    let mean = metrics.clone().sum::<f64>() / count as f64;
    format!("{mean:.3} ({})", range_of(metrics, 3))
}

/// From the lowest to the highest of some metrics.
pub fn range_of(metrics: impl Iterator<Item = f64> + Clone, digits: usize) -> String {
    let low = metrics.clone().fold(f64::INFINITY, f64::min);
    let high = metrics.fold(f64::NEG_INFINITY, f64::max);
    range(low, high, digits)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_seed_is_the_mean_of_its_folds() {
        let classes = json!({ "positives": 1, "negatives": 1 });
        let fold = json!({ "train": classes, "validation": classes, "test": classes });
        let run = |seed: u64, fold: usize, value: f64| json!({ "seed": seed, "fold": fold, "best": 0, "history": [], "tests": [["held_out", [value]]] });
        let report = |folds: Vec<Value>, seeds: Vec<Value>| -> Report {
            let metric = json!({ "name": "accuracy", "value": 0.5, "low": 0.5, "high": 0.5 });
            let set =
                json!({ "name": "held_out", "model": { "rows": 2, "metrics": [metric] }, "baselines": [] });
            serde_json::from_value(json!({
                "command": "", "dataset_sha256": "", "preparation": [], "parameters": 1, "shared": [],
                "shipped": 0, "training_audit": [], "folds": folds, "seeds": seeds, "sets": [set],
            }))
            .unwrap()
        };
        let whole = report(vec![], vec![run(1, 0, 0.25), run(2, 0, 0.5)]);
        assert_eq!(whole.by_seed("held_out", "accuracy"), Some(BTreeMap::from([(1, 0.25), (2, 0.5)])));
        // A network of seed 2 died, and that of another seed took its place.
        let runs = vec![run(1, 0, 0.25), run(1, 1, 0.75), run(2, 0, 0.5), run(1002, 1, 0.5)];
        let folds = report(vec![fold.clone(), fold], runs);
        assert_eq!(folds.by_seed("held_out", "accuracy"), Some(BTreeMap::from([(1, 0.5)])));
        assert_eq!(folds.by_seed("held_out", "MCC"), None);
    }
}

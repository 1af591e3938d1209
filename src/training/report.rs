//! `metrics.json`: every figure of a trained version beside its floors, and what is needed to repeat it.

use serde::{Deserialize, Serialize};

use super::audit::Floor;
use super::checkpoint::Epoch;
use super::interval::Interval;
use super::metrics::Measured;

/// The whole report of one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was run.
    pub command: String,
    /// SHA-256 of the dataset file.
    pub dataset_sha256: String,
    /// What `prepare` did.
    pub preparation: Vec<String>,
    /// Epochs of the stages that all seeds share; empty where the recipe has none.
    pub shared: Vec<Epoch>,
    /// All seeds, in the recipe's order.
    pub seeds: Vec<SeedReport>,
    /// The seed whose weights are shipped: the best by validation.
    pub shipped_seed: u64,
    /// The shipped weights on validation and on every test.
    pub sets: Vec<SetReport>,
    /// Floors fitted and scored on the training rows themselves: what the labels give away.
    pub training_audit: Vec<Floor>,
}

/// One seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeedReport {
    /// Start of its random numbers.
    pub seed: u64,
    /// Index of the best epoch in `history`.
    pub best: usize,
    /// All epochs.
    pub history: Vec<Epoch>,
    /// Average precision and AUROC by test.
    pub tests: Vec<(String, f64, f64)>,
}

/// One set of rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetReport {
    /// Name of the set.
    pub name: String,
    /// The shipped weights.
    pub model: Measured,
    /// What stands beside them.
    pub floors: Vec<Floor>,
    /// Published tools on the same rows, where their row-by-row scores are public.
    pub published: Vec<PublishedTool>,
}

/// A published tool's figures on a test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PublishedTool {
    /// Its name in the benchmark.
    pub tool: String,
    /// As published, or measured from the row-by-row scores.
    pub average_precision: f64,
    /// AUROC and average precision measured from the row-by-row scores, where those are public.
    pub measured: Option<[Interval; 2]>,
}

impl SeedReport {
    /// The epoch whose weights were kept.
    pub fn best_epoch(&self) -> Option<&Epoch> {
        self.history.get(self.best)
    }
}

/// Mean and range of some figures.
pub fn mean_and_range(figures: impl Iterator<Item = f64> + Clone) -> String {
    let count = figures.clone().count().max(1) as f64;
    let mean = figures.clone().sum::<f64>() / count;
    let low = figures.clone().fold(f64::INFINITY, f64::min);
    let high = figures.fold(f64::NEG_INFINITY, f64::max);
    format!("{mean:.3} ({low:.3}–{high:.3})")
}

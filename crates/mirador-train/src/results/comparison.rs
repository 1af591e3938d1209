//! Several networks on the test rows of one version: all of them, and those whose pair a network's own data do not hold.

use std::path::{Path, PathBuf};

use mirador_models::ModelId;
use serde::{Deserialize, Serialize};

use crate::experiment::Baseline;
use crate::stats::metrics::{AtThreshold, Measured};

/// `reports/compared/<version>.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// What was run.
    pub command: String,
    /// The version whose tests these are.
    pub tests_of: ModelId,
    /// SHA-256 of its dataset file.
    pub dataset_sha256: String,
    /// Fitted on the version's training rows.
    pub baselines: Vec<ComparedBaseline>,
    /// In the order of the command.
    pub networks: Vec<Compared>,
}

/// A baseline of the version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ComparedBaseline {
    /// What it reads.
    pub name: Baseline,
    /// The tests.
    pub sets: Vec<CalledSet>,
}

/// What a baseline says of a test when a threshold makes calls of its scores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CalledSet {
    /// Name of the test.
    pub name: String,
    /// The task's metrics; none where rows are of one class.
    pub metrics: Vec<Option<f64>>,
    /// At the threshold with the best accuracy on the validation rows.
    pub at_threshold: AtThreshold,
    /// Rows called positive there.
    pub called: usize,
}

/// One network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// The version, or the one that the authors' weights are the counterpart of.
    pub version: ModelId,
    /// Whether these are the authors' weights.
    pub of_authors: bool,
    /// SHA-256 of the weights.
    pub sha256: String,
    /// The dataset that the version is trained on.
    pub dataset: String,
    /// The tests.
    pub sets: Vec<ComparedSet>,
}

/// One test.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ComparedSet {
    /// Name of the test.
    pub name: String,
    /// All rows.
    pub all: Measured,
    /// Rows whose pair stands in the network's own dataset, outside its tests.
    pub in_own_data: usize,
    /// The other rows; none where they are all or none.
    pub others: Option<Measured>,
}

impl Comparison {
    /// Where a version's is kept below a folder of reports.
    pub fn path(reports: &Path, tests_of: &ModelId) -> PathBuf {
        reports.join("compared").join(format!("{}-{}.json", tests_of.name, tests_of.version))
    }
}

//! What the authors' weights of a model reach on the rows of a version of ours, and how ours differs there.

use std::path::{Path, PathBuf};

use mirador_models::ModelId;
use mirador_models::tasks::Task;
use serde::{Deserialize, Serialize};

use super::predictions::Predictions;
use crate::learn::calibration::calibration_error;
use crate::stats::metrics::{MetricValue, with_intervals};

/// A published network, measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rival {
    /// What was run.
    pub command: String,
    /// The model that their weights fit.
    pub model: String,
    /// SHA-256 of their file.
    pub sha256: String,
    /// Ours, on whose validation and tests both are measured.
    pub ours: ModelId,
    /// SHA-256 of its weights.
    pub ours_sha256: String,
    /// SHA-256 of the dataset file.
    pub dataset_sha256: String,
    /// Validation and every test.
    pub sets: Vec<Beside>,
}

/// Both on the same rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Beside {
    /// Name of the set.
    pub name: String,
    /// How many.
    pub rows: usize,
    /// The authors' network.
    pub theirs: Reached,
    /// Ours.
    pub ours: Reached,
    /// What ours has more, paired.
    pub difference: Vec<MetricValue>,
}

/// What one network reaches.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reached {
    /// The task's metrics.
    pub metrics: Vec<MetricValue>,
    /// Expected, at a prevalence of one half.
    pub calibration_error: f64,
}

impl Rival {
    /// Where a model's is kept below a folder of reports.
    pub fn path(reports: &Path, model: &str) -> PathBuf {
        reports.join("rivals").join(format!("{model}.json"))
    }
}

/// The command that measures a model's.
pub fn command(model: &str) -> String {
    format!("mirador-train rival --model {model} ../shared/reference/{model}.safetensors")
}

impl Beside {
    /// Metrics of our scores and theirs.
    pub fn new(ours: &Predictions, theirs: &[f64]) -> Self {
        let reached = |scores: &[f64]| Reached {
            metrics: with_intervals(Task::TargetSite, &ours.targets, scores, &ours.groups),
            calibration_error: calibration_error(&ours.labels(), scores),
        };
        Self {
            name: ours.name.clone(),
            rows: theirs.len(),
            theirs: reached(theirs),
            ours: reached(&ours.network),
            difference: ours.difference(Task::TargetSite, theirs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_is_what_ours_has_more() {
        let ours = Predictions {
            name: "made up".into(),
            targets: vec![1.0, 0.0, 1.0, 0.0],
            groups: vec![0, 1, 2, 3],
            network: vec![0.9, 0.1, 0.8, 0.2],
            baselines: Vec::new(),
        };
        let set = Beside::new(&ours, &[0.0, 1.0, 0.0, 1.0]);
        assert_eq!(set.rows, 4);
        assert_eq!(set.difference[0].value.value, 1.0);
        assert_eq!((set.ours.metrics[0].value.value, set.theirs.metrics[0].value.value), (1.0, 0.0));
        assert_eq!(set.theirs.calibration_error, 1.0);
        assert!((set.ours.calibration_error - 0.15).abs() < 1e-9);
    }
}

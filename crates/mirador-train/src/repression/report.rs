//! `metrics.json` of a fitted table: every metric beside its baselines, and what is needed to repeat it.

use serde::{Deserialize, Serialize};

use super::rows::Standard;
use crate::results::report::MeasuredBaseline;
use crate::stats::metrics::MetricValue;

/// The whole report of one version. Metrics are means over the over-expression experiments of a seed group that was left out,
/// with intervals over seed groups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was run.
    pub command: String,
    /// SHA-256 of the dataset file.
    pub dataset_sha256: String,
    /// SHA-256 of the table of experiments beside it.
    pub experiments_sha256: String,
    /// What `prepare` did.
    pub preparation: Vec<String>,
    /// Values that the fit sets.
    pub parameters: usize,
    /// That it is the default although baselines are better, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_although: Option<String>,
    /// What was measured on.
    pub measured_on: MeasuredOn,
    /// A score of 1 as a log2 fold change: the mean over experiments of a robust standard deviation.
    pub unit: f64,
    /// The features' standards, by name.
    pub standards: Vec<(String, Standard)>,
    /// The weights by class.
    pub weights: Vec<ClassWeights>,
    /// The model as it is shipped.
    pub model: Compared,
    /// All three metrics by canonical sites alone.
    pub canonical: Compared,
    /// What stands beside it.
    pub baselines: Vec<MeasuredBaseline>,
    /// The shipped weights on the experiments that they were fitted on.
    pub on_training: Vec<MetricValue>,
    /// A third of the genes left out as well.
    pub genes_left_out: GenesLeftOut,
    /// Fits without an input, with the difference to the model.
    pub without: Vec<Change>,
    /// Offset sites of another miRNA in place of its own, with the difference to the model.
    pub control: Change,
    /// Fits on fewer seed groups.
    pub learning_curve: Vec<Point>,
    /// Over-expression experiments, one by one.
    pub experiments: Vec<OfExperiment>,
    /// Knock-outs, by the fit that left their seed group out; nothing was chosen by them.
    pub knock_outs: Vec<OfExperiment>,
}

/// Numbers of what was measured on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MeasuredOn {
    /// Genes with a 3'UTR.
    pub genes: usize,
    /// Over-expression experiments.
    pub experiments: usize,
    /// Their seed groups.
    pub groups: usize,
    /// Experiments with enough genes down for AUROC and average precision.
    pub with_classes: usize,
    /// The mean share of genes that are down there: the average precision of a coin.
    pub base_rate: f64,
}

/// A class's weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassWeights {
    /// Name of the class.
    pub class: String,
    /// A site with mean features.
    pub site: f64,
    /// What a standard deviation of each feature adds.
    pub features: Vec<f64>,
}

/// Metrics, and what they are above the seed sum on the same experiments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Compared {
    /// Each mean.
    pub metrics: Vec<MetricValue>,
    /// Paired differences.
    pub over_seed_sum: Vec<MetricValue>,
}

/// Each third of the genes measured by a fit on the other two, and means over thirds. Average precision over a third is
/// another than over all genes, so its rivals stand here once more.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GenesLeftOut {
    /// Neither the genes nor the seed group were trained on.
    pub unseen: Compared,
    /// The seed group alone was not.
    pub seen: Vec<MetricValue>,
    /// The seed sum on the same thirds.
    pub seed_sum: Vec<MetricValue>,
    /// Paired differences of unseen genes to seen ones.
    pub over_seen: Vec<MetricValue>,
}

/// Another fit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// What is other.
    pub name: String,
    /// Each mean.
    pub metrics: Vec<MetricValue>,
    /// Paired differences to the model.
    pub over_model: Vec<MetricValue>,
}

/// A point of the learning curve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Seed groups in training.
    pub groups: usize,
    /// By draw.
    pub spearman: Vec<f64>,
    /// By draw.
    pub auroc: Vec<f64>,
    /// By draw.
    pub average_precision: Vec<f64>,
}

/// One experiment; AUROC and average precision are none where too few genes are down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OfExperiment {
    /// Name of the experiment.
    pub id: String,
    /// Name of the miRNA.
    pub mirna: String,
    /// The miRNA's seed group.
    pub group: String,
    /// Genes that were tested.
    pub genes: usize,
    /// Genes that are down.
    pub down: usize,
    /// Spearman, AUROC, average precision.
    pub model: [Option<f64>; 3],
    /// The seed sum's.
    pub seed_sum: [Option<f64>; 3],
}

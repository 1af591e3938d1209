//! Networks, and what needs no training, side by side on the same rows: `reports/side_by_side/NAME.json`, which is committed,
//! since the scores of single rows are not.

use std::path::{Path, PathBuf};

use mirador_models::ModelId;
use serde::{Deserialize, Serialize};

use crate::stats::metrics::{AtThreshold, MetricValue};

/// What one comparison found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SideBySide {
    /// What was run.
    pub command: String,
    /// The version whose rows they are.
    pub rows: ModelId,
    /// SHA-256 of the dataset file.
    pub dataset_sha256: String,
    /// Who scores.
    pub scorers: Vec<Scorer>,
    /// Tests, each whole and then by stratum.
    pub sets: Vec<SetBeside>,
    /// Where each scorer puts the site that was read, among others of its 3'UTR.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranked: Vec<Ranked>,
    /// What the abundance of miRNA and place adds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abundance: Option<Abundance>,
    /// miRNAs by what masks do to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clusters: Option<Clusters>,
}

/// Who scores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scorer {
    /// A version, an authors' file, or a baseline.
    pub name: String,
    /// SHA-256 of its weights, where it has some of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// A score from here on is a yes.
    pub threshold: f64,
}

/// Rows that everybody scores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetBeside {
    /// The test.
    pub test: String,
    /// What the stratum is of; none where the test is whole.
    pub kind: String,
    /// Which stratum.
    pub stratum: String,
    /// How many rows.
    pub rows: usize,
    /// Those that bind.
    pub positives: usize,
    /// In the order of the scorers.
    pub reached: Vec<ReachedHere>,
}

/// What one scorer reaches.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReachedHere {
    /// Whose.
    pub scorer: String,
    /// The task's metrics.
    pub metrics: Vec<MetricValue>,
    /// At the scorer's threshold.
    pub at_threshold: AtThreshold,
}

/// Sites that were read, among other windows of their 3'UTRs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ranked {
    /// The test.
    pub test: String,
    /// Reads whose site lies in a 3'UTR at hand.
    pub reads: usize,
    /// Candidates for each read, on average, the site that was read among them.
    pub candidates: f64,
    /// How often the site is the best, and among the best five, in the order of the scorers; by chance first.
    pub among: Vec<Among>,
}

/// How often the site that was read stands high.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Among {
    /// Whose ranking.
    pub scorer: String,
    /// Fraction of reads whose site is the best.
    pub first: f64,
    /// Fraction of reads whose site is among the best five.
    pub first_five: f64,
}

/// A last logistic layer on the network's logit, and the same with two abundances beside it. Both are fitted on the other
/// folds' held-out rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Abundance {
    /// The network.
    pub network: String,
    /// Metrics of the logit alone.
    pub without: Vec<MetricValue>,
    /// Metrics with the reads of the miRNA and of the place.
    pub with: Vec<MetricValue>,
    /// What the abundances add, paired.
    pub difference: Vec<MetricValue>,
}

/// miRNAs that a network answers alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Clusters {
    /// The network.
    pub network: String,
    /// The test whose pairs were masked.
    pub test: String,
    /// miRNAs with enough pairs.
    pub mirnas: usize,
    /// Pairs that a miRNA has at least.
    pub least_pairs: usize,
    /// Least correlation within a cluster, on average.
    pub correlation: f64,
    /// Clusters, the largest first.
    pub clusters: Vec<Cluster>,
    /// How much more two miRNAs of one cluster have in common than any two.
    pub shared: Vec<Shared>,
}

/// miRNAs of one cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cluster {
    /// Their names.
    pub mirnas: Vec<String>,
    /// Start of the mask, from 1, that costs most on average.
    pub peak: usize,
    /// What it costs.
    pub effect: f64,
    /// The greatest number of its miRNAs with one seed (positions 2–8).
    pub one_seed: usize,
}

/// Something that miRNAs may have in common.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Shared {
    /// What.
    pub what: String,
    /// Pairs of miRNAs within a cluster.
    pub pairs: usize,
    /// The mean over them.
    pub within: f64,
    /// The mean where miRNAs are put into clusters of the same sizes by lot.
    pub by_lot: f64,
    /// How often lots have as much or more.
    pub p: f64,
}

impl SideBySide {
    /// Where a comparison is kept below a folder of reports.
    pub fn path(reports: &Path, name: &str) -> PathBuf {
        reports.join("side_by_side").join(format!("{name}.json"))
    }
}

/// The command that makes it.
pub fn command(name: &str) -> String {
    format!("mirador-train side-by-side {name}")
}

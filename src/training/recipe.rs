//! `recipe.json`: how a version is trained. It stands beside the weights that it made.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::models::Options;

/// A whole training run, one seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What a reader of the card should know beside the figures; training does not depend on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Name in `models::MODELS`.
    pub model: String,
    /// Folder under `weights/<model>/`.
    pub version: String,
    /// Kept in `config.json`.
    pub default: bool,
    /// Kept in `config.json`.
    pub default_version: bool,
    /// The model's own switches.
    pub options: Options,
    /// The file below the data folder that `prepare` wrote, without its ending.
    #[serde(default = "target_sites", skip_serializing_if = "is_target_sites")]
    pub dataset: String,
    /// Which rows are trained on and how they are split.
    pub protocol: Protocol,
    /// Sources that are not trained on: their rows are the validation, which then tells how the network does on an
    /// experiment that it never saw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unseen_sources: Vec<String>,
    /// The validation figure that chooses the epoch and the seed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub choose_by: ChooseBy,
    /// Tensors that the network starts from, e.g. a pre-trained part: a safetensors file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<PathBuf>,
    /// Trained once, before the seeds part; may be empty.
    #[serde(default)]
    pub shared_stages: Vec<Stage>,
    /// One run each; the best by validation is shipped, all are reported.
    pub seeds: Vec<u64>,
    /// Trained by each seed, one after the other; validation chooses the epoch within the last.
    pub stages: Vec<Stage>,
}

/// Rows and negatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Positives split by site cluster and miRNA family as `prepare` did; negatives by partner permutation, fresh
    /// each epoch, so that neither sequence alone tells the label.
    BiasFree,
    /// The same, and every validation row and test stands there once more with its site cut to 20 to 50 nt. Predicted
    /// sites neither choose nor measure.
    BiasFreeLengths,
    /// DMISO's: a random split of pairs, 80 : 20; of the 80, a tenth is validation. A negative is the same
    /// miRNA with a window of a 3'UTR.
    Paper,
    /// A random split, 80 : 20; of the 80, a fifth is validation (miTAR).
    RandomFifths,
    /// The split that the data were published with.
    Published,
    /// Five stratified folds; a tenth of the other four is validation.
    Folds,
    /// The same, but whole families stand in one fold.
    GroupedFolds,
}

/// A figure on the validation rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChooseBy {
    /// Highest.
    #[default]
    AveragePrecision,
    /// Highest.
    Auroc,
    /// Highest.
    Accuracy,
    /// Lowest.
    Loss,
}

/// What follows the gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerKind {
    /// Adam, β .9 and .999.
    #[default]
    Adam,
    /// The same, β .9 and .98, with weight decay that does not pass through the moments.
    AdamW,
    /// Gradient descent with momentum .9.
    Momentum,
}

/// Some epochs on one kind of rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What the rows are.
    #[serde(default)]
    pub rows: Rows,
    /// At most.
    pub epochs: usize,
    /// Epochs without a better validation figure before the stage ends; 0: never.
    pub patience: usize,
    /// Rows in one step.
    pub batch: usize,
    /// What follows the gradient.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optimizer: OptimizerKind,
    /// Its rate at its highest.
    pub learning_rate: f64,
    /// Factor of Σw²/2 over matrices.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight_decay: f64,
    /// The gradient's norm is brought down to this; 0: never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clip_norm: f64,
    /// How the rate moves over the stage.
    #[serde(default)]
    pub schedule: Schedule,
    /// Factor of Σ|w| over the variables that the paper penalises.
    #[serde(default)]
    pub l1: f64,
    /// Share of the old weights that the running mean keeps at a step; 0: no mean.
    #[serde(default)]
    pub mean_decay: f64,
}

/// What a stage trains on, each epoch drawn anew. Only target sites know more than `examples`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rows {
    /// Whether the protocol's training rows take part.
    pub examples: bool,
    /// Made-up pairs labelled by the aligner: see `teacher`.
    pub made_up: usize,
    /// Share of the aligner's opinion in the label of a training row.
    pub teacher: f32,
    /// Share of training sites that are moved along their transcript: see `augment`.
    pub shifted: f64,
    /// Share of training sites cut to a random 26 nt or more.
    pub cropped: f64,
    /// Share of training sites cut to 20 to 50 nt that hold the duplex.
    #[serde(skip_serializing_if = "is_default")]
    pub cut: f64,
    /// Share of the predicted sites among the training rows that takes part, see `dataset::PREDICTED`.
    #[serde(skip_serializing_if = "is_default")]
    pub predicted: f64,
    /// Share of the training rows that takes part, always the same ones; left out, all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<f64>,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            examples: true,
            made_up: 0,
            teacher: 0.0,
            shifted: 0.0,
            cropped: 0.0,
            cut: 0.0,
            predicted: 0.0,
            only: None,
        }
    }
}

/// Learning rate over a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The same throughout.
    #[default]
    Constant,
    /// Rises over the first tenth, then falls to 0 along a half cosine.
    Cosine,
}

impl Schedule {
    /// The rate at a step out of `steps`.
    pub fn rate(self, highest: f64, step: usize, steps: usize) -> f64 {
        let warm_up = (steps / 10).max(1);
        match self {
            Self::Constant => highest,
            Self::Cosine if step < warm_up => highest * (step + 1) as f64 / warm_up as f64,
            Self::Cosine => {
                let done = (step - warm_up) as f64 / (steps - warm_up).max(1) as f64;
                highest * 0.5 * (1.0 + (std::f64::consts::PI * done).cos())
            }
        }
    }
}

fn target_sites() -> String {
    "target_sites".to_owned()
}

fn is_target_sites(name: &String) -> bool {
    *name == target_sites()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Recipe {
    /// Reads a recipe; a wrong or unknown field is named.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("recipe {}", path.display()))?;
        let recipe: Self = serde_json::from_str(&text).with_context(|| format!("{}", path.display()))?;
        ensure!(!recipe.stages.is_empty() && !recipe.seeds.is_empty(), "a recipe needs a stage and a seed");
        ensure!(
            recipe.shared_stages.iter().chain(&recipe.stages).all(|stage| stage.batch > 1),
            "a batch needs two rows at least"
        );
        Ok(recipe)
    }
}

/// Where a version's recipe stands, and the root that its weights are written below: the shipped weights' folders, or
/// `recipes/<model>/<version>.json` of the reports for networks that are measured and not shipped.
pub fn place(roots: &Roots, model: &str, version: &str) -> (PathBuf, PathBuf) {
    let shipped = roots.weights.join(model).join(version).join("recipe.json");
    let measured = roots.reports.join("recipes").join(model).join(format!("{version}.json"));
    match measured.is_file() && !shipped.is_file() {
        true => (measured, roots.runs.join("reproduced")),
        false => (shipped, roots.weights.clone()),
    }
}

/// Where the trainer keeps what it makes.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Of the shipped weights.
    pub weights: PathBuf,
    /// Of the checkpoints; weights that are not shipped go to `reproduced/` below it.
    pub runs: PathBuf,
    /// Of the reports.
    pub reports: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_rises_then_falls_to_zero() {
        let rates: Vec<f64> = (0..100).map(|step| Schedule::Cosine.rate(1.0, step, 100)).collect();
        assert!(rates[..10].is_sorted() && rates[10..].iter().rev().is_sorted());
        assert_eq!(rates[9], 1.0);
        assert!(rates[99] < 1e-3);
    }
}

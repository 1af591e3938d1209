//! The epochs of a recipe.

use serde::{Deserialize, Serialize};

use super::data::SiteRows;
use super::is_default;

/// A metric on the validation rows after an epoch; a recipe names the one that chooses.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EpochMetric {
    /// Highest.
    #[default]
    AveragePrecision,
    /// Highest.
    Auroc,
    /// Highest.
    Accuracy,
    /// Lowest.
    Loss,
    /// Highest; of levels only.
    PearsonRSquared,
}

impl EpochMetric {
    /// 1 where more is better, −1 where less is.
    pub fn sign(self) -> f64 {
        if self == Self::Loss { -1.0 } else { 1.0 }
    }
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// What the rows are, where they are not all of the training rows as they stand. Target sites only.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rows: Option<SiteRows>,
    /// At most.
    pub epochs: usize,
    /// Epochs without a better validation metric before the stage ends; 0: never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub patience: usize,
    /// Whether the last epoch is kept, whatever validation says of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep_last: bool,
    /// Rows in one step.
    pub batch: usize,
    /// What follows the gradient.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optimizer: OptimizerKind,
    /// The rate at its highest.
    pub learning_rate: f64,
    /// Factor of Σw²/2 over matrices.
    #[serde(default, skip_serializing_if = "is_default")]
    pub weight_decay: f64,
    /// The gradient's norm is brought down to this; 0: never.
    #[serde(default, skip_serializing_if = "is_default")]
    pub clip_norm: f64,
    /// How the rate moves over the stage.
    #[serde(default, skip_serializing_if = "is_default")]
    pub schedule: Schedule,
    /// Factor of Σ|w| over the variables that the paper penalises.
    #[serde(default, skip_serializing_if = "is_default")]
    pub l1: f64,
    /// Share of the old weights that the running mean keeps at a step; 0: no mean.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mean_decay: f64,
}

/// Learning rate over a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// One rate throughout.
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

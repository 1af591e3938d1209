//! A fit in closed form.

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

/// How a table of weights is fitted, and what else is measured with it. It stands in place of seeds and stages: the same rows
/// give the same weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// Factor of Σw² over the weights of features.
    pub ridge: f64,
    /// Factor of Σw² over the weights of sites themselves.
    pub ridge_sites: f64,
    /// Responses beyond so many robust standard deviations count as that many.
    pub clip: f64,
    /// Seed groups in training, a number for each point of the learning curve; points beyond the data are left out.
    pub curve: Vec<usize>,
    /// Draws of seed groups for each point.
    pub draws: usize,
    /// Start of the random numbers of draws and of the genes that are left out; no weight depends on it.
    pub seed: u64,
}

impl Fit {
    /// Refuses what cannot be fitted.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(self.ridge > 0.0 && self.ridge_sites > 0.0, "a ridge needs to be above 0");
        ensure!(self.clip > 0.0, "clip needs to be above 0");
        ensure!(self.curve.is_empty() || self.draws > 0, "a learning curve needs a draw");
        Ok(())
    }
}

//! The network of Xpresso's Fig. 2, with room for half-life features and miRNAs beside the promoter.

use tch::nn::{self, ModuleT, VarStore};
use tch::{Kind, Tensor};

use super::promoter::{OUTPUTS, Promoter};
use super::{Switches, WINDOW};
use crate::networks::layers::dense;
use crate::{Layers, LoadError, Network, Options};

/// Rows that are run at once outside training: the map of a full window takes 5 MB a row.
const CHUNK: i64 = 32;
const FEATURE_MEAN: &str = "feature_mean";
const FEATURE_SD: &str = "feature_sd";
const TARGET_MEAN: &str = "target_mean";
const TARGET_SD: &str = "target_sd";

#[derive(Debug)]
struct Xpresso {
    promoter: Promoter,
    feature_mean: Tensor,
    feature_sd: Tensor,
    dense: nn::Linear,
    hidden: nn::Linear,
    output: nn::Linear,
    target_mean: Tensor,
    target_sd: Tensor,
    switches: Switches,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let (features, mirnas) = (switches.features.len() as i64, switches.mirnas.len() as i64);
    Ok(Box::new(Xpresso {
        promoter: Promoter::new(path),
        feature_mean: path.zeros_no_train(FEATURE_MEAN, &[features]),
        feature_sd: path.ones_no_train(FEATURE_SD, &[features]),
        dense: dense(path / "dense", OUTPUTS + features + mirnas, 64),
        hidden: dense(path / "hidden", 64, 2),
        output: dense(path / "output", 2, 1),
        target_mean: path.zeros_no_train(TARGET_MEAN, &[1]),
        target_sd: path.ones_no_train(TARGET_SD, &[1]),
        switches,
    }))
}

impl Layers for Xpresso {}

impl ModuleT for Xpresso {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        match train {
            true => self.rows(input, true),
            false => Tensor::cat(
                &input.split(CHUNK, 0).iter().map(|rows| self.rows(rows, false)).collect::<Vec<_>>(),
                0,
            ),
        }
    }
}

impl Xpresso {
    fn rows(&self, input: &Tensor, train: bool) -> Tensor {
        let [dense, hidden] = self.switches.dropout;
        let (features, mirnas) = (self.switches.features.len() as i64, self.switches.mirnas.len() as i64);
        // In parts that stay in the core's cache, in training too.
        let parts = input.narrow(1, 0, WINDOW as i64).split(CHUNK, 0);
        let promoters: Vec<Tensor> = parts.iter().map(|part| self.promoter.forward(part)).collect();
        let promoter = Tensor::cat(&promoters, 0); // (n, 1120)
        let features = input.narrow(1, WINDOW as i64, features); // unknown: NaN
        let features = ((features - &self.feature_mean) / &self.feature_sd).nan_to_num(0.0, None, None);
        let mirnas = input.narrow(1, input.size()[1] - mirnas, mirnas);
        Tensor::cat(&[promoter, features, mirnas], 1) // (n, 1120 + features + miRNAs)
            .apply(&self.dense) // (n, 64)
            .relu()
            .dropout(dense, train)
            .apply(&self.hidden) // (n, 2)
            .relu()
            .dropout(hidden, train)
            .apply(&self.output) // (n, 1)
            * &self.target_sd
            + &self.target_mean
    }
}

/// Sets the scale of the features and of the output by the training rows, as Xpresso's z-scores do.
pub(super) fn scale(store: &VarStore, inputs: &Tensor, targets: &Tensor) {
    scale_features(store, inputs, targets);
    set(store, TARGET_MEAN, &targets.mean(Kind::Float).view([1]));
    set(store, TARGET_SD, &targets.std(false).view([1]));
}

/// Sets the scale of the features only: miREx does not scale its output.
pub fn scale_features(store: &VarStore, inputs: &Tensor, _targets: &Tensor) {
    let Some(features) = store.variables().get(FEATURE_MEAN).map(|mean| mean.size()[0]) else { return };
    let known = inputs.narrow(1, WINDOW as i64, features);
    let mean = known.nanmean(0, false, Kind::Float);
    let deviation = (known - &mean).square().nanmean(0, false, Kind::Float).sqrt();
    // A feature that no row or every row has alike keeps its own scale.
    let deviation = deviation.where_self(&deviation.gt(0.0), &deviation.ones_like());
    set(store, FEATURE_MEAN, &mean.nan_to_num(0.0, None, None));
    set(store, FEATURE_SD, &deviation);
}

fn set(store: &VarStore, name: &str, value: &Tensor) {
    if let Some(variable) = store.variables().get_mut(name) {
        tch::no_grad(|| variable.copy_(value));
    }
}

//! The level: by the likeness of the core, by that of the whole as far as it is known, and a line over the features.

use tch::nn::{self, ModuleT};
use tch::{Kind, Tensor};

use super::likeness::Likeness;
use super::{CORE, Switches, UPSTREAM, WINDOW};
use crate::{Layers, LoadError, Network, Options};

/// Rows that are run at once: their words take 25 kB a row.
const CHUNK: i64 = 256;

#[derive(Debug)]
struct Promoter {
    likenesses: [Likeness; 2],
    features: Tensor,
    feature_mean: Tensor,
    feature_sd: Tensor,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let [core, whole] = switches.landmarks;
    if core < 1 || whole < 1 {
        return Err(LoadError::Options("landmarks: at least one of each".to_owned()));
    }
    let features = switches.features.len() as i64;
    Ok(Box::new(Promoter {
        likenesses: [Likeness::new(path, 0, core), Likeness::new(path, 1, whole)],
        features: path.zeros("features", &[features]),
        feature_mean: path.zeros_no_train("feature_mean", &[features]),
        feature_sd: path.ones_no_train("feature_sd", &[features]),
    }))
}

impl Layers for Promoter {}

impl ModuleT for Promoter {
    fn forward_t(&self, input: &Tensor, _: bool) -> Tensor {
        let levels: Vec<Tensor> = input.split(CHUNK, 0).iter().map(|rows| self.rows(rows)).collect();
        Tensor::cat(&levels, 0)
    }
}

impl Promoter {
    fn rows(&self, input: &Tensor) -> Tensor {
        let codes = input.narrow(1, 0, WINDOW as i64);
        let features =
            standardised(&input.slice(1, WINDOW as i64, None, 1), &self.feature_mean, &self.feature_sd);
        let line = (features * &self.features).sum_dim_intlist(1, true, Kind::Float);
        let [core, whole] = self.likenesses.each_ref().map(|likeness| likeness.level(&codes));
        line + core.lerp_tensor(&whole, &outside(&codes))
    }
}

/// Share of the letters beyond the core that are known (n, 1): what the likeness of the whole is worth.
pub(super) fn outside(codes: &Tensor) -> Tensor {
    let [first, core] = [UPSTREAM - CORE[0], CORE[0] + CORE[1]].map(|place| place as i64);
    let beyond = Tensor::cat(&[codes.narrow(1, 0, first), codes.slice(1, first + core, None, 1)], 1);
    beyond.gt(0.0).to_kind(Kind::Float).mean_dim(1, true, Kind::Float)
}

/// Features (n, f) about 0; an unknown one is 0.
pub(super) fn standardised(features: &Tensor, mean: &Tensor, sd: &Tensor) -> Tensor {
    ((features - mean) / sd).nan_to_num(0.0, None, None)
}

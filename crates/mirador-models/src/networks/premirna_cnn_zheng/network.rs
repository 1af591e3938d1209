//! The network of the released code; its ReLU on the two logits is a switch.

use serde::Deserialize;
use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::ROWS;
use crate::networks::layers::{SameConv2D, truncated_normal};
use crate::{Layers, LoadError, Network, Options};

/// Filters over all convolutions.
const FILTERS: i64 = 128;
const DENSE: i64 = 128;
const DROPOUT: f64 = 0.5;
/// Initial values: deviation of the kernels, and the biases.
const DEVIATION: f64 = 0.01;
const BIAS: f64 = 0.1;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    filters: Filters,
    /// Whether a logit below zero is zero, as in the released code.
    logit_relu: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self { filters: Filters::Single, logit_relu: true }
    }
}

/// Rows that a kernel covers.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Filters {
    /// Six.
    Single,
    /// Three, four, five and six, a quarter of the filters each.
    Concat,
}

#[derive(Debug)]
struct Zheng {
    convolutions: Vec<SameConv2D>,
    dense: nn::Linear,
    output: nn::Linear,
    logit_relu: bool,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let Switches { filters, logit_relu } = LoadError::options(options)?;
    let heights: &[i64] = match filters {
        Filters::Single => &[6],
        Filters::Concat => &[3, 4, 5, 6],
    };
    let share = FILTERS / heights.len() as i64;
    let conv = |height: &i64| {
        let path = path / format!("conv{height}");
        let layer = SameConv2D::new(&path, 1, share, [*height, 4], 1);
        truncated_normal(&path, DEVIATION, BIAS);
        layer
    };
    let dense = |name: &str, inputs: i64, outputs: i64| {
        let path = path / name;
        let layer = nn::linear(&path, inputs, outputs, Default::default());
        truncated_normal(&path, DEVIATION, BIAS);
        layer
    };
    Ok(Box::new(Zheng {
        convolutions: heights.iter().map(conv).collect(),
        dense: dense("dense", 4 * FILTERS, DENSE),
        output: dense("output", DENSE, 2),
        logit_relu,
    }))
}

impl Layers for Zheng {}

impl ModuleT for Zheng {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let map = input.view([-1, 1, ROWS as i64, 4]); // (n, 1, 164, 4)
        // ReLU on what is left: the same values. (`amax` shares its gradient among equals, which costs as much as all else.)
        let column = [ROWS as i64, 1];
        let highest = |conv: &SameConv2D| {
            map.apply(conv).max_pool2d(column, column, [0, 0], [1, 1], false).relu().squeeze_dim(2) // (n, filters, 4)
        };
        let logits = Tensor::cat(&self.convolutions.iter().map(highest).collect::<Vec<_>>(), 1) // (n, 128, 4)
            .transpose(1, 2)
            .flatten(1, 2) // (n, 512), letter by letter
            .apply(&self.dense) // (n, 128)
            .relu()
            .dropout(DROPOUT, train)
            .apply(&self.output); // (n, 2): mirtron, canonical
        let logits = if self.logit_relu { logits.relu() } else { logits };
        -logits.diff::<Tensor>(1, 1, None, None) // (n, 1)
    }
}

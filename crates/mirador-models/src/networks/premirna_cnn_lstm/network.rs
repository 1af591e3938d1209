//! The network of the paper's Table 3, with the switches that its text leaves open.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::{Downsample, LstmOver, ROWS, Switches};
use crate::networks::layers::{SameConv2D, dense};
use crate::networks::lstm::Lstm;
use crate::{Layers, LoadError, Network, Options};

/// Columns of the map, and of a kernel: letters of the alphabet.
const LETTERS: i64 = 4;
/// Rows of the map after three halvings.
const STEPS: i64 = (ROWS as i64 + 7) / 8;
const DENSE: i64 = 256;
const DROPOUT: f64 = 0.5;

#[derive(Debug)]
struct CnnLstm {
    convolutions: [SameConv2D; 3],
    lstm: Lstm,
    dense: nn::Linear,
    output: nn::Linear,
    switches: Switches,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let stride = match switches.downsample {
        Downsample::Stride => 2,
        Downsample::Maxpool => 1,
    };
    let [kernel, filters, units] =
        [switches.kernel, switches.filters, switches.units].map(|size| i64::from(size.get()));
    let conv = |name: &str, channels: i64| {
        SameConv2D::new(&(path / name), channels, filters, [kernel, LETTERS], stride)
    };
    let inputs = filters * STEPS / switches.steps();
    Ok(Box::new(CnnLstm {
        convolutions: [conv("conv1", 1), conv("conv2", filters), conv("conv3", filters)],
        lstm: Lstm::one_way(&(path / "lstm"), inputs, units),
        dense: dense(path / "dense", units, DENSE),
        output: dense(path / "output", DENSE, 2),
        switches,
    }))
}

impl Layers for CnnLstm {}

impl ModuleT for CnnLstm {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let map = input.view([-1, 1, ROWS as i64, LETTERS]); // (n, 1, 164, 4)
        let steps = self.switches.steps();
        let channels = i64::from(self.switches.filters.get()) * STEPS / steps;
        self.convolutions
            .iter()
            .fold(map, |map, convolution| self.halve(map.apply(convolution).relu())) // (n, 128, 21, 1)
            .squeeze_dim(3)
            .transpose(1, 2) // (n, 21, 128)
            .reshape([-1, steps, channels])
            .apply(&self.lstm) // (n, steps, 100)
            .select(1, -1) // (n, 100)
            .apply(&self.dense) // (n, 256)
            .relu()
            .dropout(DROPOUT, train)
            .apply(&self.output) // (n, 2): canonical, mirtron
            .diff::<Tensor>(1, 1, None, None) // (n, 1)
    }
}

impl CnnLstm {
    /// What is left for pooling to do: with a stride the convolution has halved the map already.
    fn halve(&self, map: Tensor) -> Tensor {
        match self.switches.downsample {
            Downsample::Stride => map,
            Downsample::Maxpool => map.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], true),
        }
    }
}

impl Switches {
    fn steps(self) -> i64 {
        match self.lstm_over {
            LstmOver::Frame => 1,
            LstmOver::Positions => STEPS,
        }
    }
}

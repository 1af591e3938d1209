//! Layers started as Keras starts them: Glorot-uniform kernels, zero biases, orthogonal recurrent kernels, forget
//! gate bias 1. tch's own defaults differ in all of these.

use tch::Tensor;
use tch::nn::{self, Init, Module};

/// U(−l, l) with l = √(6 / (fan in + fan out)).
pub(super) fn glorot_uniform(fan_in: i64, fan_out: i64) -> Init {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Init::Uniform { lo: -limit, up: limit }
}

/// Valid convolution over the last axis: (n, `channels_in`, t) to (n, `channels_out`, t − `width` + 1).
pub(super) fn conv1d(path: nn::Path, channels_in: i64, channels_out: i64, width: i64) -> nn::Conv1D {
    let config = nn::ConvConfig {
        ws_init: glorot_uniform(channels_in * width, channels_out * width),
        bs_init: Init::Const(0.0),
        ..Default::default()
    };
    nn::conv1d(path, channels_in, channels_out, width, config)
}

/// Fully connected: (n, `inputs`) to (n, `outputs`).
pub(super) fn dense(path: nn::Path, inputs: i64, outputs: i64) -> nn::Linear {
    let config = nn::LinearConfig {
        ws_init: glorot_uniform(inputs, outputs),
        bs_init: Some(Init::Const(0.0)),
        ..Default::default()
    };
    nn::linear(path, inputs, outputs, config)
}

/// Batch normalisation over channels, (n, c) or (n, c, t), with Keras' eps .001 and momentum .99 (libtorch: .01).
pub(super) fn batch_norm(path: nn::Path, channels: i64) -> nn::BatchNorm {
    let config =
        nn::BatchNormConfig { eps: 1e-3, momentum: 0.01, ws_init: Init::Const(1.0), ..Default::default() };
    nn::batch_norm1d(path, channels, config)
}

/// GRU over all steps in one direction: (n, t, `inputs`) to (n, t, `units`).
pub(super) fn gru(path: nn::Path, inputs: i64, units: i64) -> nn::GRU {
    let config = nn::RNNConfig {
        w_ih_init: glorot_uniform(inputs, 3 * units),
        w_hh_init: Init::Orthogonal { gain: 1.0 },
        ..Default::default()
    };
    nn::gru(&path, inputs, units, config)
}

/// Layer normalisation over the last axis, eps 1e-5.
pub(super) fn layer_norm(path: nn::Path, size: i64) -> nn::LayerNorm {
    nn::layer_norm(path, vec![size], nn::LayerNormConfig::default())
}

/// A convolution over rows and columns with Keras' "same" padding: (n, `channels_in`, h, w) to (n, `channels_out`,
/// ⌈h / stride⌉, ⌈w / stride⌉).
#[derive(Debug)]
pub(super) struct SameConv2D {
    weight: Tensor,
    bias: Tensor,
    stride: i64,
}

impl SameConv2D {
    /// With a kernel of rows × columns.
    pub(super) fn new(
        path: &nn::Path,
        channels_in: i64,
        channels_out: i64,
        kernel: [i64; 2],
        stride: i64,
    ) -> Self {
        let [rows, columns] = kernel;
        let size = rows * columns;
        let init = glorot_uniform(channels_in * size, channels_out * size);
        Self {
            weight: path.var("weight", &[channels_out, channels_in, rows, columns], init),
            bias: path.zeros("bias", &[channels_out]),
            stride,
        }
    }
}

impl Module for SameConv2D {
    fn forward(&self, map: &Tensor) -> Tensor {
        let (map_size, kernel_size) = (map.size(), self.weight.size());
        let (top, bottom) = same_padding(map_size[2], kernel_size[2], self.stride);
        let (left, right) = same_padding(map_size[3], kernel_size[3], self.stride);
        // Where one step covers all columns, those of the kernel that would meet padding only are left out.
        let (left, right, weight) = match map_size[3] <= self.stride {
            true => (0, 0, self.weight.narrow(3, left, map_size[3])),
            false => (left, right, self.weight.shallow_clone()),
        };
        // As a product of matrices: libtorch's own convolution is slow on maps of a few columns.
        let [rows, columns] = [weight.size()[2], weight.size()[3]];
        let windows = map
            .constant_pad_nd([left, right, top, bottom])
            .unfold(2, rows, self.stride)
            .unfold(3, columns, self.stride) // (n, channels in, h', w', rows, columns)
            .permute([0, 2, 3, 4, 5, 1]);
        let places = &windows.size()[..3];
        windows
            .flatten(3, 5)
            .flatten(0, 2) // linear is slow on more than two axes
            .linear(&weight.permute([0, 2, 3, 1]).flatten(1, 3), Some(&self.bias))
            .view([places, &[-1]].concat().as_slice()) // (n, h', w', channels out)
            .permute([0, 3, 1, 2])
    }
}

/// What Keras adds before and after `size` cells so that ⌈size / stride⌉ come out.
fn same_padding(size: i64, kernel: i64, stride: i64) -> (i64, i64) {
    let outputs = (size + stride - 1) / stride;
    let total = ((outputs - 1) * stride + kernel - size).max(0);
    (total / 2, total - total / 2)
}

/// Starts a layer's weight anew as TensorFlow's truncated normal (none beyond two deviations), its bias constant.
pub(super) fn truncated_normal(path: &nn::Path, deviation: f64, bias: f64) {
    /// Share of a normal distribution within two deviations.
    const WITHIN: f64 = 0.954_499_736;
    tch::no_grad(|| {
        if let Some(mut weight) = path.get("weight") {
            let normal = ((weight.rand_like() * 2.0 - 1.0) * WITHIN).erfinv();
            weight.copy_(&(normal * (deviation * std::f64::consts::SQRT_2)));
        }
        if let Some(mut values) = path.get("bias") {
            let _ = values.fill_(bias);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_keras() {
        assert_eq!(same_padding(164, 6, 2), (2, 2));
        assert_eq!(same_padding(41, 6, 2), (2, 3));
        assert_eq!(same_padding(1, 4, 2), (1, 2));
        assert_eq!([3, 4, 6, 9].map(|kernel| same_padding(99, kernel, 1)), [(1, 1), (1, 2), (2, 3), (4, 4)]);
    }
}

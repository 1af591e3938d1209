//! Layers started as Keras starts them: Glorot-uniform kernels, zero biases, orthogonal recurrent kernels, forget
//! gate bias 1. tch's own defaults differ in all of these.

use tch::nn::{self, Init};

/// U(−l, l) with l = √(6 / (fan in + fan out)).
pub fn glorot_uniform(fan_in: i64, fan_out: i64) -> Init {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Init::Uniform { lo: -limit, up: limit }
}

/// Valid convolution over the last axis: (n, `channels_in`, t) to (n, `channels_out`, t − `width` + 1).
pub fn conv1d(path: nn::Path, channels_in: i64, channels_out: i64, width: i64) -> nn::Conv1D {
    let config = nn::ConvConfig {
        ws_init: glorot_uniform(channels_in * width, channels_out * width),
        bs_init: Init::Const(0.0),
        ..Default::default()
    };
    nn::conv1d(path, channels_in, channels_out, width, config)
}

/// Fully connected: (n, `inputs`) to (n, `outputs`).
pub fn dense(path: nn::Path, inputs: i64, outputs: i64) -> nn::Linear {
    let config = nn::LinearConfig {
        ws_init: glorot_uniform(inputs, outputs),
        bs_init: Some(Init::Const(0.0)),
        ..Default::default()
    };
    nn::linear(path, inputs, outputs, config)
}

/// Batch normalisation over channels, (n, c) or (n, c, t), with Keras' eps .001 and momentum .99 (libtorch: .01).
pub fn batch_norm(path: nn::Path, channels: i64) -> nn::BatchNorm {
    let config =
        nn::BatchNormConfig { eps: 1e-3, momentum: 0.01, ws_init: Init::Const(1.0), ..Default::default() };
    nn::batch_norm1d(path, channels, config)
}

/// Bidirectional LSTM over all steps: (n, t, `inputs`) to (n, t, 2 × `units`), forward half first.
pub fn bidirectional_lstm(path: nn::Path, inputs: i64, units: i64) -> nn::LSTM {
    let config = nn::RNNConfig {
        bidirectional: true,
        w_ih_init: glorot_uniform(inputs, 4 * units),
        w_hh_init: Init::Orthogonal { gain: 1.0 },
        ..Default::default()
    };
    let lstm = nn::lstm(&path, inputs, units, config);
    // Gates stand in the order i, f, g, o.
    tch::no_grad(|| {
        for bias in ["bias_ih_l0", "bias_ih_l0_reverse"] {
            if let Some(bias) = path.get(bias) {
                let _ = bias.narrow(0, units, units).fill_(1.0);
            }
        }
    });
    lstm
}

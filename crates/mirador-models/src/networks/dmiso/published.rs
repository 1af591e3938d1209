//! From the names and layouts of the authors' Keras file to ours.

use crate::{LoadError, Tensors};

/// Keras layer, our path. A kernel (width, in, out) becomes (out, in, width); a dense or recurrent kernel is
/// transposed; gates stand in the same order; libtorch's second bias is zero.
const NORMS: [(&str, &str); 4] = [
    ("batch_normalization_1", "norm_merged"),
    ("batch_normalization_2", "norm_lstm"),
    ("batch_normalization_3", "norm_dense"),
    ("batch_normalization_4", "norm_output"),
];
const KERNELS: [(&str, &str); 4] =
    [("conv1d_1", "conv_mirna"), ("conv1d_2", "conv_site"), ("dense_1", "dense"), ("dense_2", "output")];
const DIRECTIONS: [(&str, &str); 2] =
    [("bidirectional_1/forward_lstm_1", "l0"), ("bidirectional_1/backward_lstm_1", "l0_reverse")];

pub(super) fn convert(mut keras: Tensors) -> Result<Tensors, LoadError> {
    let mut ours = Tensors::default();
    for (layer, path) in KERNELS {
        ours.insert(format!("{path}.weight"), keras.take(&format!("{layer}/kernel:0"))?.reverse_axes());
        ours.insert(format!("{path}.bias"), keras.take(&format!("{layer}/bias:0"))?);
    }
    for (layer, path) in NORMS {
        for (theirs, name) in [
            ("gamma", "weight"),
            ("beta", "bias"),
            ("moving_mean", "running_mean"),
            ("moving_variance", "running_var"),
        ] {
            ours.insert(format!("{path}.{name}"), keras.take(&format!("{layer}/{theirs}:0"))?);
        }
    }
    for (layer, suffix) in DIRECTIONS {
        let bias = keras.take(&format!("{layer}/bias:0"))?;
        ours.insert(format!("lstm.bias_hh_{suffix}"), bias.zeros_like());
        ours.insert(format!("lstm.bias_ih_{suffix}"), bias);
        for (theirs, name) in [("kernel", "weight_ih"), ("recurrent_kernel", "weight_hh")] {
            let kernel = keras.take(&format!("{layer}/{theirs}:0"))?;
            ours.insert(format!("lstm.{name}_{suffix}"), kernel.reverse_axes());
        }
    }
    keras.expect_empty()?;
    Ok(ours)
}

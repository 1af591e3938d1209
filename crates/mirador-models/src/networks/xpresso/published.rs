//! From the names and layouts of the authors' Keras files to ours. Their networks take six half-life features, scaled
//! beforehand, and their output is standardised.

use crate::tensors::Array;
use crate::{LoadError, Tensors};

/// Keras layer, our path. A kernel (width, in, out) becomes (out, in, width); a dense kernel is transposed.
const KERNELS: [(&str, &str); 5] = [
    ("conv1d_1", "conv1"),
    ("conv1d_2", "conv2"),
    ("dense_1", "dense"),
    ("dense_2", "hidden"),
    ("dense_3", "output"),
];
/// Which six features they are is not published.
const FEATURES: usize = 6;

pub(super) fn convert(mut keras: Tensors) -> Result<Tensors, LoadError> {
    let mut ours = Tensors::default();
    for (layer, path) in KERNELS {
        ours.insert(format!("{path}.weight"), keras.take(&format!("{layer}/kernel:0"))?.reverse_axes());
        ours.insert(format!("{path}.bias"), keras.take(&format!("{layer}/bias:0"))?);
    }
    for (name, length) in [("feature", FEATURES), ("target", 1)] {
        ours.insert(format!("{name}_mean"), Array::filled(length, 0.0));
        ours.insert(format!("{name}_sd"), Array::filled(length, 1.0));
    }
    keras.expect_empty()?;
    Ok(ours)
}

//! From the names of the authors' PyTorch file to ours; the layouts are the same.

use crate::{LoadError, Tensors};

const LAYERS: [(&str, &str); 6] = [
    ("pair_linear", "pair"),
    ("conv_layers.0", "conv1"),
    ("conv_layers.1", "conv2"),
    ("conv_layers.2", "conv3"),
    ("fc1", "dense"),
    ("fc2", "output"),
];
const NORMS: [(&str, &str); 4] =
    [("bn_layers.0", "norm1"), ("bn_layers.1", "norm2"), ("bn_layers.2", "norm3"), ("bn_fc", "norm_dense")];

pub(super) fn convert(mut theirs: Tensors) -> Result<Tensors, LoadError> {
    let mut ours = Tensors::default();
    for (layers, parts) in [
        (LAYERS.as_slice(), ["weight", "bias"].as_slice()),
        (NORMS.as_slice(), ["weight", "bias", "running_mean", "running_var"].as_slice()),
    ] {
        for (layer, path) in layers {
            for part in parts {
                ours.insert(format!("{path}.{part}"), theirs.take(&format!("{layer}.{part}"))?);
            }
        }
    }
    theirs.expect_empty()?;
    Ok(ours)
}

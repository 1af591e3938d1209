//! From the names and layouts of the authors' TensorFlow checkpoint (6 × 128 filters) to ours.

use crate::{LoadError, Tensors};

pub(super) fn convert(mut theirs: Tensors) -> Result<Tensors, LoadError> {
    let mut ours = Tensors::default();
    // (height, width, in, out)
    ours.insert("conv6.weight".into(), theirs.take("Conv6-128/weights")?.permute(&[3, 2, 0, 1]));
    ours.insert("conv6.bias".into(), theirs.take("Conv6-128/bias")?);
    for (path, weights, bias) in [("dense", "weights", "Variable"), ("output", "weights_1", "Variable_1")] {
        ours.insert(format!("{path}.weight"), theirs.take(weights)?.reverse_axes());
        ours.insert(format!("{path}.bias"), theirs.take(bias)?);
    }
    theirs.expect_empty()?;
    Ok(ours)
}

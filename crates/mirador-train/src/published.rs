//! Networks with their authors' weights.

use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::{Options, Replica, Tensors, find};
use tch::Device;

/// A network with the authors' weights: a safetensors file under the published names. `scripts/keras_to_safetensors.py`
/// makes one from an HDF5 file.
pub fn published(model: &str, file: &Path, options: &Options, device: Device) -> Result<Replica> {
    let kind = find(model).with_context(|| format!("no model {model:?}"))?;
    let convert = kind.from_published.with_context(|| format!("{model} has no published weights"))?;
    let replica = Replica::new(kind, options, device)?;
    convert(Tensors::read(file)?)
        .and_then(|tensors| tensors.load_into(&replica.store))
        .with_context(|| format!("{} does not hold the published {model}", file.display()))?;
    Ok(replica)
}

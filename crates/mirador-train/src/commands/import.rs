//! `mirador-train import`: the authors' published file → a weights folder that can be served.

use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::{Identity, Options, Replica, Tensors, find, sha256, write_folder};
use serde_json::json;
use tch::Device;

/// Writes the folder.
pub(super) fn import(
    model: &str,
    file: &Path,
    version: &str,
    options: &Options,
    weights: &Path,
) -> Result<()> {
    let replica = published(model, file, options, Device::Cpu)?;
    let identity = Identity { model, version, default: false, default_version: false, options };
    let digest = sha256(file)?;
    let card = format!(
        "# {model}@{version}\n\n{}\n\nThe authors' published weights, imported by `mirador-train import`; SHA-256 of \
         the imported file: `{digest}`. Not trained here. Measure them with `mirador-train evaluate` before relying \
         on them: published metrics of this field lean on short cuts in the data.\n",
        find(model).map_or("", |kind| kind.description)
    );
    write_folder(weights, &identity, &replica, &json!({ "imported_sha256": digest }), &card)?;
    Ok(())
}

/// A network with the authors' weights: a safetensors file under the published names. `scripts/keras_to_safetensors.py`
/// makes one from an HDF5 file.
pub(super) fn published(model: &str, file: &Path, options: &Options, device: Device) -> Result<Replica> {
    let kind = find(model).with_context(|| format!("no model {model:?}"))?;
    let convert = kind.from_published.with_context(|| format!("{model} has no published weights"))?;
    let replica = Replica::new(kind, options, device)?;
    convert(Tensors::read(file)?)
        .and_then(|tensors| tensors.load_into(&replica.store))
        .with_context(|| format!("{} does not hold the published {model}", file.display()))?;
    Ok(replica)
}

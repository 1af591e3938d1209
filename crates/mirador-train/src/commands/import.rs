//! `mirador-train import`: the authors' published file → a weights folder that can be served.

use std::path::Path;

use anyhow::Result;
use mirador_models::{Identity, Options, find, sha256, write_folder};
use serde_json::json;
use tch::Device;

use crate::published::published;

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

//! Writes `weights/<model>/<version>/`: the weights, what they are and the outputs they must give.

use std::fs;
use std::path::Path;

use serde::Serialize;

use super::golden_rows::golden_rows;
use crate::error::io;
use crate::tasks::DECISION_THRESHOLD;
use crate::{Golden, LoadError, Options, Replica, Tensors, WeightsConfig, sha256};

/// What a version is called and how it is chosen.
pub struct Identity<'a> {
    /// Name in `models::MODELS`.
    pub model: &'a str,
    /// Folder under `weights/<model>/`.
    pub version: &'a str,
    /// Answers its task when a request names no model.
    pub default: bool,
    /// Answers when a request names the model only.
    pub default_version: bool,
    /// The model's own switches.
    pub options: &'a Options,
}

/// Writes the files that are served, `config.json` last: without it a folder is not found.
pub fn write_folder(
    root: &Path,
    identity: &Identity<'_>,
    replica: &Replica,
    metrics: &impl Serialize,
    card: &str,
) -> Result<(), LoadError> {
    let folder = root.join(identity.model).join(identity.version);
    fs::create_dir_all(&folder).map_err(io(&folder))?;
    let config_path = folder.join("config.json");
    if config_path.exists() {
        fs::remove_file(&config_path).map_err(io(&config_path))?;
    }
    let weights = folder.join("model.safetensors");
    Tensors::of(&replica.store).write(&weights)?;
    write_json(&folder.join("golden.json"), &Golden::record(replica, &golden_rows(replica.encoder.task())))?;
    write_json(&folder.join("metrics.json"), metrics)?;
    let path = folder.join("CARD.md");
    fs::write(&path, card).map_err(io(&path))?;
    let config = WeightsConfig {
        model: identity.model.to_owned(),
        version: identity.version.to_owned(),
        default: identity.default,
        default_version: identity.default_version,
        decision_threshold: replica.encoder.task().has_two_classes().then_some(DECISION_THRESHOLD as f32),
        options: identity.options.clone(),
        sha256: sha256(&weights)?,
    };
    write_json(&config_path, &config)
}

/// Writes a value as JSON to be read by people too.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), LoadError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| LoadError::format(path, error))?;
    fs::write(path, text + "\n").map_err(io(path))
}

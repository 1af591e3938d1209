//! Writes `weights/<model>/<version>/`: the weights, what they are and the outputs they must give.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::card::card;
use super::golden::golden_rows;
use super::metrics::DECISION_THRESHOLD;
use super::recipe::Recipe;
use super::report::Report;
use crate::models::{Golden, Options, Replica, Tensors, WeightsConfig, sha256};
use crate::tasks::Task;

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

/// Writes a trained version's whole folder.
pub fn write_trained(
    root: &Path,
    recipe: &Recipe,
    replica: &Replica,
    report: &Report,
    data: &str,
) -> Result<()> {
    let identity = Identity {
        model: &recipe.model,
        version: &recipe.version,
        default: recipe.default,
        default_version: recipe.default_version,
        options: &recipe.options,
    };
    let folder = root.join(&recipe.model).join(&recipe.version);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    write_json(&folder.join("recipe.json"), recipe)?;
    write_folder(root, &identity, replica, report, &card(recipe, report, data)?)
}

/// Writes the files that are served, `config.json` last: without it a folder is not found.
pub fn write_folder(
    root: &Path,
    identity: &Identity<'_>,
    replica: &Replica,
    metrics: &impl Serialize,
    card: &str,
) -> Result<()> {
    let folder = root.join(identity.model).join(identity.version);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let weights = folder.join("model.safetensors");
    Tensors::of(&replica.store).write(&weights)?;
    write_json(&folder.join("golden.json"), &Golden::record(replica, &golden_rows(replica.encoder.task())))?;
    write_json(&folder.join("metrics.json"), metrics)?;
    fs::write(folder.join("CARD.md"), card)?;
    let config = WeightsConfig {
        model: identity.model.to_owned(),
        version: identity.version.to_owned(),
        default: identity.default,
        default_version: identity.default_version,
        decision_threshold: (replica.encoder.task() != Task::Expression).then_some(DECISION_THRESHOLD as f32),
        options: identity.options.clone(),
        sha256: sha256(&weights)?,
    };
    write_json(&folder.join("config.json"), &config)?;
    println!("wrote {}", folder.display());
    Ok(())
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    fs::write(path, serde_json::to_string_pretty(value)? + "\n").with_context(|| path.display().to_string())
}

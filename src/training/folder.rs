//! Writes `weights/<model>/<version>/`: the weights, what they are and the outputs they must give.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::card::card;
use super::recipe::Recipe;
use super::report::Report;
use crate::models::{Golden, Options, Replica, Tensors, WeightsConfig, sha256};
use crate::rna::{Base, Rna};
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};

/// A probability from here on is called an interaction; the training rows are half and half.
pub const DECISION_THRESHOLD: f32 = 0.5;

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
pub fn write_trained(root: &Path, recipe: &Recipe, replica: &Replica, report: &Report) -> Result<()> {
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
    write_folder(root, &identity, replica, report, &card(recipe, report)?)
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
    write_json(&folder.join("golden.json"), &Golden::record(replica, &golden_pairs()))?;
    write_json(&folder.join("metrics.json"), metrics)?;
    fs::write(folder.join("CARD.md"), card)?;
    let config = WeightsConfig {
        model: identity.model.to_owned(),
        version: identity.version.to_owned(),
        default: identity.default,
        default_version: identity.default_version,
        decision_threshold: DECISION_THRESHOLD,
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

/// A dozen pairs of our own over all lengths: random letters, every third site a complement, some N.
fn golden_pairs() -> Vec<Pair> {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let letters = [Base::A, Base::C, Base::G, Base::U];
    let mut random =
        |length: usize| -> Rna { (0..length).map(|_| letters[rng.random_range(0..4)]).collect() };
    let spread = |step: usize, range: &std::ops::RangeInclusive<usize>| {
        range.start() + step * (range.end() - range.start()) / 11
    };
    (0..12)
        .map(|step| {
            let mirna = random(spread(step, &MIRNA_LENGTHS));
            let flank = random(spread(step, &SITE_LENGTHS));
            let mut site: Vec<Base> = match step % 3 {
                0 => mirna.reverse_complement().iter().chain(flank.iter()).copied().collect(),
                _ => flank.to_vec(),
            };
            site.truncate(*SITE_LENGTHS.end());
            if step % 4 == 0 {
                site[2] = Base::N;
            }
            Pair { mirna, site: site.into_iter().collect() }
        })
        .collect()
}

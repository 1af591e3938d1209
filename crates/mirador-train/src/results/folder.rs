//! A trained version's whole folder.

use anyhow::{Context, Result};
use mirador_models::{Identity, Replica, write_folder};

use super::card::card;
use super::report::Report;
use crate::recipe::{Recipe, Roots};

/// Writes a trained version's whole folder.
pub fn write_trained(
    roots: &Roots,
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
    let folder = roots.folder(recipe);
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // The file itself, so that both stay the same to the byte.
    let source = roots.recipe(&recipe.id());
    std::fs::copy(&source, folder.join("recipe.json")).with_context(|| source.display().to_string())?;
    write_folder(&roots.weights_of(recipe), &identity, replica, report, &card(recipe, report, data)?)?;
    println!("wrote {}", folder.display());
    Ok(())
}

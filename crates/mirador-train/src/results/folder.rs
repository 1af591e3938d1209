//! A trained version's whole folder.

use anyhow::Result;
use mirador_models::{Identity, Replica, write_folder};
use serde::Serialize;

use crate::recipe::{Recipe, Roots, mark, unmark};

/// Writes a trained version's whole folder with its metrics and its card.
pub fn write_trained(
    roots: &Roots,
    recipe: &Recipe,
    replica: &Replica,
    metrics: &impl Serialize,
    card: &str,
) -> Result<()> {
    let identity = Identity {
        model: &recipe.model,
        version: &recipe.version,
        default: recipe.default,
        default_version: recipe.default_version,
        options: &recipe.options,
    };
    let folder = roots.folder(recipe);
    unmark(&folder)?;
    write_folder(&roots.weights_of(recipe), &identity, replica, metrics, card)?;
    mark(recipe, &folder)?;
    println!("wrote {}", folder.display());
    Ok(())
}

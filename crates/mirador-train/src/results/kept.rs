//! `reports/measured/MODEL/VERSION.json`: what was measured of a version that is not served. Its checkpoints stay where it
//! was trained; this is committed, so that a report can be written again from a clone without hours of training.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::recipe::Recipe;

/// Measurements with the recipe that they belong to.
#[derive(Serialize, Deserialize)]
struct Kept<R> {
    recipe: Recipe,
    report: R,
}

fn path(reports: &Path, recipe: &Recipe) -> PathBuf {
    reports.join("measured").join(&recipe.model).join(format!("{}.json", recipe.version))
}

/// Keeps a version's measurements below the reports.
pub fn write<R: Serialize>(reports: &Path, recipe: &Recipe, report: &R) -> Result<()> {
    let path = path(reports, recipe);
    fs::create_dir_all(path.parent().context("a version's file is in its model's folder")?)?;
    let kept = Kept { recipe: recipe.clone(), report };
    fs::write(&path, serde_json::to_string(&kept)? + "\n").with_context(|| path.display().to_string())
}

/// A version's measurements, where its recipe is still the one that they were made by; notes may have changed.
pub fn read<R: DeserializeOwned>(reports: &Path, recipe: &Recipe) -> Result<Option<R>> {
    let path = path(reports, recipe);
    if !path.is_file() {
        return Ok(None);
    }
    let kept: Kept<R> =
        serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?;
    Ok(kept.recipe.measures_as(recipe).then_some(kept.report))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_recipe_reached_is_not_taken() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let mut recipe = Recipe::read(&root.join("recipes/dmiso/paper.json")).unwrap();
        let reports = std::env::temp_dir().join(format!("mirador-kept-{}", std::process::id()));
        assert_eq!(read::<u32>(&reports, &recipe).unwrap(), None);
        write(&reports, &recipe, &7).unwrap();
        recipe.notes.clear();
        assert_eq!(read::<u32>(&reports, &recipe).unwrap(), Some(7));
        recipe.seeds.pop();
        assert_eq!(read::<u32>(&reports, &recipe).unwrap(), None);
        fs::remove_dir_all(&reports).unwrap();
    }
}

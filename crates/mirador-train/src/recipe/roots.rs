//! Where the trainer reads and keeps things, and which recipe made a folder's files.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use mirador_models::ModelId;

use super::Recipe;

/// A recipe's copy beside what was made by it.
const COPY: &str = "recipe.json";

/// Where the trainer reads and keeps things.
#[derive(Clone, Debug)]
pub struct Roots {
    /// Root of the recipes.
    pub recipes: PathBuf,
    /// Root of the weights that are served.
    pub weights: PathBuf,
    /// Root of the checkpoints; weights that are only measured go to `measured/` below it.
    pub runs: PathBuf,
}

impl Roots {
    /// Where a version's recipe stands.
    pub fn recipe(&self, id: &ModelId) -> PathBuf {
        self.recipes.join(&id.name).join(format!("{}.json", id.version))
    }

    /// Reads a version's recipe.
    pub fn read(&self, id: &ModelId) -> Result<Recipe> {
        let path = self.recipe(id);
        ensure!(path.is_file(), "{id} has no recipe {}; {}", path.display(), self.known(&id.name));
        let recipe = Recipe::read(&path)?;
        ensure!(
            recipe.id() == *id,
            "{}: its \"model\" and \"version\" are those of {}; give it those of {id}, as its file is called",
            path.display(),
            recipe.id()
        );
        Ok(recipe)
    }

    /// What recipes a model has, for who asks for another.
    fn known(&self, model: &str) -> String {
        let folder = self.recipes.join(model);
        let files = fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
        let names = files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        match names.is_empty() {
            true => format!("there are none in {}", folder.display()),
            false => format!("there are {}", names.join(", ")),
        }
    }

    /// Where a recipe's checkpoints and row scores stand.
    pub fn runs_of(&self, recipe: &Recipe) -> PathBuf {
        self.runs.join(&recipe.model).join(&recipe.version)
    }

    /// The folder of a recipe's weights.
    pub fn folder(&self, recipe: &Recipe) -> PathBuf {
        self.weights_of(recipe).join(&recipe.model).join(&recipe.version)
    }

    /// The root below which a recipe's weights go.
    pub fn weights_of(&self, recipe: &Recipe) -> PathBuf {
        if recipe.serve { self.weights.clone() } else { self.runs.join("measured") }
    }
}

impl Recipe {
    /// The recipe that made a folder's files.
    pub fn beside(folder: &Path) -> Result<Self> {
        Self::read(&folder.join(COPY))
    }

    /// Whether a folder's files were made by this recipe, and not before it was changed. A copy that cannot be read says no.
    pub fn made(&self, folder: &Path) -> bool {
        Self::beside(folder).is_ok_and(|copy| copy.measures_as(self))
    }
}

/// Before the first file of a folder is written: until it is marked, no recipe made what stands in it.
pub fn unmark(folder: &Path) -> Result<()> {
    let copy = folder.join(COPY);
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| copy.display().to_string())
        }
        _ => Ok(()),
    }
}

/// After the last file: a recipe made what stands in the folder. Its copy is the file that was read, to the byte.
pub fn mark(recipe: &Recipe, folder: &Path) -> Result<()> {
    let copy = folder.join(COPY);
    fs::write(&copy, &recipe.text).with_context(|| copy.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A version's recipe below a new root, with these seeds.
    fn write(roots: &Roots, version: &str, seeds: &str) -> ModelId {
        let id = ModelId::new("premirna_cnn_lstm", version);
        fs::create_dir_all(roots.recipes.join(&id.name)).unwrap();
        let text = format!(
            r#"{{"model": "premirna_cnn_lstm", "version": "a", "data": {{"pre_mirnas": {{"split": "folds"}}}},
                "seeds": {seeds}, "stages": [{{"epochs": 1, "batch": 2, "learning_rate": 0.1}}]}}"#
        );
        fs::write(roots.recipe(&id), text).unwrap();
        id
    }

    #[test]
    fn a_folder_is_of_the_recipe_that_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let roots = Roots { recipes: folder.path().join("recipes"), weights: "w".into(), runs: "r".into() };
        let id = write(&roots, "a", "[1]");
        let before = roots.read(&id).unwrap();
        let text = fs::read_to_string(roots.recipe(&id)).unwrap();
        unmark(folder.path()).unwrap();
        assert!(!before.made(folder.path()));
        write(&roots, "a", "[1, 2]"); // while it was trained
        mark(&before, folder.path()).unwrap();
        let after = roots.read(&id).unwrap();
        assert!(before.made(folder.path()) && !after.made(folder.path()));
        assert_eq!(fs::read_to_string(folder.path().join(COPY)).unwrap(), text);
        fs::write(folder.path().join(COPY), "{").unwrap();
        assert!(!before.made(folder.path()), "what cannot be read says no");
        unmark(folder.path()).unwrap();
        assert!(!folder.path().join(COPY).exists());
    }

    #[test]
    fn a_recipe_has_its_own_name() {
        let folder = tempfile::tempdir().unwrap();
        let roots = Roots { recipes: folder.path().to_owned(), weights: "w".into(), runs: "r".into() };
        let copied = write(&roots, "b", "[1]");
        let refused = roots.read(&copied).unwrap_err().to_string();
        assert!(
            refused.contains("are those of premirna_cnn_lstm@a; give it those of premirna_cnn_lstm@b"),
            "{refused}"
        );
        let missing = roots.read(&ModelId::new("premirna_cnn_lstm", "c")).unwrap_err().to_string();
        assert!(missing.ends_with("there are b"), "{missing}");
    }
}

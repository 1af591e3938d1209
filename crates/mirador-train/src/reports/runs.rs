//! The trainings behind a report: found done, or done now.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mirador_models::ModelId;
use tch::Device;

use crate::data::prepare;
use crate::recipe::{ChooseBy, Recipe, Roots, command};
use crate::results::predictions::{self, Predictions};
use crate::results::report::{Report, SetReport};
use crate::training::Training;

/// Where everything is, and what was missing.
pub struct Runs {
    /// Recipes, checkpoints, weights.
    pub roots: Roots,
    /// Where the reports go.
    pub reports: PathBuf,
    /// The public files.
    pub data: PathBuf,
    /// Where networks run.
    pub device: Device,
    /// Whether what is missing is trained.
    pub train: bool,
    /// Commands that would fill what is missing.
    pub missing: Vec<String>,
}

/// A training that is done.
pub struct Finished {
    /// How it was trained.
    pub recipe: Recipe,
    /// Its figures.
    pub report: Report,
    /// Each row's scores; empty where the checkpoints are not here.
    pub predictions: Vec<Predictions>,
}

impl Runs {
    /// A version, or `None` (and its command among the missing) when it is not trained and must not be now.
    pub fn get(&mut self, model: &str, version: &str) -> Result<Option<Finished>> {
        let id = ModelId::new(model, version);
        let (path, command) = (self.roots.recipe(&id), command(&id));
        if !path.is_file() {
            self.missing.push(command + ", once its recipe is written");
            return Ok(None);
        }
        let recipe = Recipe::read(&path)?;
        let metrics = self.roots.folder(&recipe).join("metrics.json");
        let report = match (metrics.is_file(), self.train) {
            (true, _) => read(&metrics)?,
            (false, true) => self.train(recipe.clone(), command)?,
            (false, false) => {
                self.missing.push(command);
                return Ok(None);
            }
        };
        let scores = self.roots.runs.join(model).join(version).join("predictions.tsv");
        let predictions = if scores.is_file() { predictions::read(&scores)? } else { Vec::new() };
        Ok(Some(Finished { recipe, report, predictions }))
    }

    fn train(&self, recipe: Recipe, command: String) -> Result<Report> {
        let dataset = prepare::file(recipe.data.dataset());
        let (public_data, roots, device) = (self.data.clone(), self.roots.clone(), self.device);
        Training { recipe, dataset, public_data, roots, device, command }.run()
    }
}

impl Finished {
    /// A measured set.
    pub fn set(&self, name: &str) -> Option<&SetReport> {
        self.report.set(name)
    }

    /// The scores of a set.
    pub fn scores(&self, name: &str) -> Option<&Predictions> {
        self.predictions.iter().find(|set| set.name == name)
    }

    /// The first figures (of the task) of a test, one for each run.
    pub fn by_run(&self, test: &str, figure: usize) -> Vec<f64> {
        let of_run = |run: &crate::results::report::SeedReport| {
            run.tests.iter().find(|(name, _)| name == test).and_then(|(_, figures)| *figures.get(figure)?)
        };
        self.report.seeds.iter().filter_map(of_run).collect()
    }

    /// The name of the validation figure that chooses.
    pub fn chosen_by(&self) -> &'static str {
        match self.recipe.choose_by {
            ChooseBy::AveragePrecision => "average precision",
            ChooseBy::Auroc => "AUROC",
            ChooseBy::Accuracy => "accuracy",
            ChooseBy::Loss => "loss",
        }
    }

    /// Whether it is a loss.
    pub fn lower_is_better(&self) -> bool {
        self.recipe.choose_by == ChooseBy::Loss
    }
}

/// A version's figures.
pub fn read(metrics: &Path) -> Result<Report> {
    let text = fs::read_to_string(metrics).with_context(|| metrics.display().to_string())?;
    serde_json::from_str(&text).with_context(|| metrics.display().to_string())
}

//! What one report has asked for: networks found trained, or trained now, and the commands for those that are not here.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use mirador_models::{ModelId, WeightsDir};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Runs;
use super::network::Network;
use crate::data::files;
use crate::recipe::{Recipe, command};
use crate::repression::{self, Fitting};
use crate::results::comparison::Comparison;
use crate::results::kept;
use crate::results::matrix::Matrix;
use crate::results::predictions::{self, Predictions};
use crate::results::report::Report;
use crate::results::rival::{self, Rival};
use crate::results::side_by_side::{self, SideBySide};
use crate::training::Training;

/// A report that is being written.
pub(super) struct Page {
    /// The name of the report's file.
    pub name: String,
    /// Where everything is.
    pub runs: Runs,
    missing: Mutex<Vec<Missing>>,
}

/// What is not here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Missing {
    /// What brings it.
    pub command: String,
    /// The kind of what is missing.
    pub what: What,
}

/// Kinds of what is not here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// A recipe is not written.
    Recipe,
    /// A network is not trained.
    Network,
    /// A published network is not measured.
    Rival,
    /// Networks were not measured side by side, or miRNAs not held against genes.
    Measurement,
    /// A network is trained, and the scores of its rows are not beside the checkpoints.
    RowScores,
}

impl Page {
    /// A report of this name, before its template asks for anything.
    pub(super) fn new(name: &str, runs: Runs) -> Self {
        Self { name: name.to_owned(), runs, missing: Mutex::default() }
    }

    /// A version, or `None` (and its command among the missing) where it is not trained and must not be now.
    pub(super) fn network(&self, model: &str, version: &str) -> Result<Option<Network>> {
        let id = ModelId::new(model, version);
        let Some((recipe, report)) = self.measured(&id, |recipe| self.train(recipe))? else {
            return Ok(None);
        };
        let predictions = predictions::read(&self.runs.roots, &recipe)?.unwrap_or_default();
        let predictions = predictions.into_iter().map(Arc::new).collect();
        Ok(Some(Network::new(recipe, report, predictions)))
    }

    /// How a version is trained, or `None` where that is not written; nothing is trained.
    pub(super) fn recipe(&self, model: &str, version: &str) -> Result<Option<Recipe>> {
        let (id, roots) = (ModelId::new(model, version), &self.runs.roots);
        roots.recipe(&id).is_file().then(|| roots.read(&id)).transpose()
    }

    /// The measurements of a version that has a fit, likewise.
    pub(super) fn fitted(&self, model: &str, version: &str) -> Result<Option<repression::Report>> {
        let measured = self.measured(&ModelId::new(model, version), |recipe| {
            let dataset = files::file(recipe.data.dataset());
            let (public_data, roots) = (self.runs.data.clone(), self.runs.roots.clone());
            Fitting { recipe, dataset, public_data, roots }.run()
        })?;
        Ok(measured.map(|(_, report)| report))
    }

    /// A version's recipe and measurements; it is trained where it is not there and may be. What is not served is kept below
    /// the reports as well.
    fn measured<R: Serialize + DeserializeOwned>(
        &self,
        id: &ModelId,
        train: impl FnOnce(Recipe) -> Result<R>,
    ) -> Result<Option<(Recipe, R)>> {
        let Some(recipe) = self.recipe(&id.name, &id.version)? else {
            self.miss(id, What::Recipe);
            return Ok(None);
        };
        let folder = self.runs.roots.folder(&recipe);
        let report = if recipe.made(&folder) {
            read(&folder.join("metrics.json"))?
        } else if let Some(report) = kept::read(&self.runs.reports, &recipe)? {
            return Ok(Some((recipe, report)));
        } else if self.runs.train {
            train(recipe.clone())?
        } else {
            self.miss(id, What::Network);
            return Ok(None);
        };
        if !recipe.serve {
            kept::write(&self.runs.reports, &recipe, &report)?;
        }
        Ok(Some((recipe, report)))
    }

    /// The networks that are served, of the task with this name.
    pub(super) fn served(&self, task: &str) -> Result<Vec<Network>> {
        let mut networks = Vec::new();
        for folder in WeightsDir::scan(&self.runs.roots.weights)? {
            if folder.model()?.task.name() == task {
                networks.extend(self.network(&folder.config.model, &folder.config.version)?);
            }
        }
        Ok(networks)
    }

    /// The scores of a set's rows; where a network has none, its command is among the missing.
    pub(super) fn scores(&self, network: &Network, set: &str) -> Option<Arc<Predictions>> {
        if network.predictions.is_empty() {
            self.miss(&network.recipe.id(), What::RowScores);
        }
        network.predictions.iter().find(|scores| scores.name == set).cloned()
    }

    /// The authors' network of a model on our rows, or `None` (and its command among the missing) where nobody measured it.
    pub(super) fn rival(&self, model: &str) -> Result<Option<Rival>> {
        let path = Rival::path(&self.runs.reports, model);
        if path.is_file() {
            return read(&path).map(Some);
        }
        self.lacks(rival::command(model), What::Rival);
        Ok(None)
    }

    /// Networks side by side, or `None` (and the command among the missing) where nobody measured them.
    pub(super) fn side_by_side(&self, name: &str) -> Result<Option<SideBySide>> {
        self.measurement(&SideBySide::path(&self.runs.reports, name), &side_by_side::command(name))
    }

    /// Networks on the tests of a version, or `None` (and the command among the missing) where nobody measured them.
    pub(super) fn comparison(&self, tests_of: &str, command: &str) -> Result<Option<Comparison>> {
        let id = tests_of.parse::<ModelId>()?;
        self.measurement(&Comparison::path(&self.runs.reports, &id), command)
    }

    /// miRNAs against genes, likewise.
    pub(super) fn matrix(&self, name: &str, command: &str) -> Result<Option<Matrix>> {
        self.measurement(&Matrix::path(&self.runs.reports, name), command)
    }

    fn measurement<R: DeserializeOwned>(&self, path: &Path, command: &str) -> Result<Option<R>> {
        if path.is_file() {
            return read(path).map(Some);
        }
        self.lacks(command.to_owned(), What::Measurement);
        Ok(None)
    }

    /// All that was asked for and is not here, in the order of asking.
    pub(super) fn missing(&self) -> Vec<Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn miss(&self, id: &ModelId, what: What) {
        self.lacks(command(id), what);
    }

    fn lacks(&self, command: String, what: What) {
        let missed = Missing { command, what };
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if !missing.contains(&missed) {
            missing.push(missed);
        }
    }

    fn train(&self, recipe: Recipe) -> Result<Report> {
        let (dataset, command) = (files::file(recipe.data.dataset()), recipe.command());
        let (public_data, roots, device) =
            (self.runs.data.clone(), self.runs.roots.clone(), self.runs.device);
        Training { recipe, dataset, public_data, roots, device, command }.run()
    }
}

/// A version's measurements.
fn read<R: DeserializeOwned>(metrics: &Path) -> Result<R> {
    let text = fs::read_to_string(metrics).with_context(|| metrics.display().to_string())?;
    serde_json::from_str(&text).with_context(|| metrics.display().to_string())
}

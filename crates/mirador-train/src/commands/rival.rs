//! `mirador-train rival`: a published network on the validation and test rows of a version of ours, and the difference.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use mirador_models::tasks::Task;
use mirador_models::{Options, Replica, sha256};
use tch::Device;

use crate::data::{files, prepare};
use crate::experiment::{Row, scores};
use crate::experiments::open;
use crate::published::published;
use crate::recipe::Recipe;
use crate::results;
use crate::results::predictions::Predictions;
use crate::results::rival::{Beside, Rival, command};
use crate::stats::metrics::MetricValue;

/// What `rival` takes.
#[derive(Args, Debug)]
pub(super) struct MeasureRival {
    /// Model that the weights fit
    #[arg(long)]
    model: String,
    /// The authors' weights: a safetensors file under the published names
    file: PathBuf,
    /// The model's own switches, as JSON
    #[arg(long, default_value = "{}", value_parser = super::parse_options)]
    options: Options,
    /// Ours, name@version: its recipe says which rows
    #[arg(long, default_value = "pairmap@taught")]
    ours: String,
    /// The dataset file that `prepare` wrote [default: the recipe's, below data/]
    #[arg(long)]
    dataset: Option<PathBuf>,
    /// Folder of the public files, of which the dataset is made where it is not there
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Root of the reports: the result goes to rivals/MODEL.json
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
}

impl MeasureRival {
    /// Measures and writes the result.
    pub(super) fn run(self, weights: Option<&Path>, device: Device) -> Result<()> {
        let ours = super::find_weights(weights, &self.ours)?;
        let (theirs, own) = (published(&self.model, &self.file, &self.options, device)?, ours.load(device)?);
        for replica in [&theirs, &own] {
            ensure!(replica.encoder.task() == Task::TargetSite, "rivals are measured of target sites");
        }
        let recipe = Recipe::beside(&ours.path)?;
        let dataset = self.dataset.clone().unwrap_or_else(|| files::file(recipe.data.dataset()));
        prepare::ensure(recipe.data.dataset(), &self.data, &dataset)?;
        let experiment = open(&recipe, &dataset)?;
        let fold = experiment.folds().first().context("the recipe has no rows")?;
        let validation = [("validation", &fold.validation)].into_iter();
        let sets = validation.chain(fold.tests.iter().map(|(name, rows)| (name.as_str(), rows)));
        let sets = sets.map(|(name, rows)| measure(name, rows, &own, &theirs)).collect();
        let rival = Rival {
            command: command(&self.model),
            model: self.model.clone(),
            sha256: sha256(&self.file)?,
            ours: ours.config.id(),
            ours_sha256: ours.config.sha256,
            dataset_sha256: sha256(&dataset)?,
            sets,
        };
        results::write(&Rival::path(&self.reports, &self.model), &rival)
    }
}

fn measure(name: &str, rows: &[Row], ours: &Replica, theirs: &Replica) -> Beside {
    let predictions = Predictions::new(name, rows, scores(ours, rows), Vec::new());
    let set = Beside::new(&predictions, &scores(theirs, rows));
    let said: Vec<String> =
        set.theirs.metrics.iter().map(|MetricValue { name, value }| format!("{name} {value}")).collect();
    println!("{name} ({} rows): {}", set.rows, said.join(", "));
    set
}

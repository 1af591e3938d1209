//! `mirador-train train`: a recipe and a dataset in, an audited weights folder out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Device;

use super::audit::audit;
use super::checkpoint::{Checkpoint, Epoch, State};
use super::dataset::{self, Example, groups, labels};
use super::examples::Examples;
use super::fit::Run;
use super::folder;
use super::metrics::Measured;
use super::ranking::{auroc, average_precision};
use super::recipe::{Recipe, Stage};
use super::report::{Report, SeedReport, SetReport};
use super::sources::published_tools;
use crate::models::{Model, Replica, Tensors, find, sha256, sha256_of};
use crate::tasks::target_site::{Pair, probability};

/// Where everything is.
pub struct Training {
    /// How to train.
    pub recipe: Recipe,
    /// What `prepare` wrote.
    pub dataset: PathBuf,
    /// The public files, for published tools' scores; left out when absent.
    pub public_data: PathBuf,
    /// Root of the weights folders.
    pub weights: PathBuf,
    /// Root of the checkpoints.
    pub runs: PathBuf,
    /// Where the network runs.
    pub device: Device,
    /// The command as typed, for the card.
    pub command: String,
}

impl Training {
    /// Trains every seed that is not done yet, keeps the best by validation, measures once and writes the folder.
    pub fn run(&self) -> Result<()> {
        let recipe = &self.recipe;
        let model = find(&recipe.model).with_context(|| format!("no model {:?}", recipe.model))?;
        let digest = sha256(&self.dataset).context("`mirador-train prepare` makes the dataset")?;
        let examples = Examples::new(dataset::read(&self.dataset)?, recipe.protocol)?;
        let data = Data { model, examples: &examples, fingerprint: self.fingerprint(&digest)? };
        let (shared, start) = self.shared(&data)?.unzip();
        let mut runs = Vec::new();
        for &seed in &recipe.seeds {
            runs.push(self.seed(&data, seed, start.as_ref())?);
        }
        let validation = |run: &&(SeedReport, Tensors)| {
            run.0.best_epoch().map_or(f64::NEG_INFINITY, |epoch| epoch.validation_average_precision)
        };
        let (best, weights) = runs
            .iter()
            .max_by(|a, b| validation(a).total_cmp(&validation(b)))
            .context("a recipe needs a seed")?;
        let replica = Replica::new(model, &recipe.options, self.device)?;
        weights.clone().load_into(&replica.store)?;
        println!("measuring seed {} and its floors", best.seed);
        let train = examples.with_negatives(&mut ChaCha8Rng::seed_from_u64(0))?;
        let mut sets = vec![self.measure("validation", &replica, &examples.validation, &train)?];
        for (name, rows) in &examples.tests {
            sets.push(self.measure(name, &replica, rows, &train)?);
        }
        let report = Report {
            command: self.command.clone(),
            dataset_sha256: digest,
            preparation: fs::read_to_string(self.dataset.with_extension("log"))
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            shared: shared.unwrap_or_default(),
            seeds: runs.iter().map(|(report, _)| report.clone()).collect(),
            shipped_seed: best.seed,
            sets,
            training_audit: audit(&train, &train),
        };
        folder::write_trained(&self.weights, recipe, &replica, &report)
    }

    /// Runs the stages that all seeds share: one network, seed 0. `None` where the recipe has none.
    fn shared(&self, data: &Data<'_>) -> Result<Option<(Vec<Epoch>, Tensors)>> {
        if self.recipe.shared_stages.is_empty() {
            return Ok(None);
        }
        let replica = self.fresh(data.model, 0)?;
        let state = data.fit(&self.recipe.shared_stages, 0, &self.folder("shared"), &replica)?;
        Ok(Some((state.history, Tensors::of(&replica.store))))
    }

    /// Trains one seed, or goes on with it, or finds it done.
    fn seed(&self, data: &Data<'_>, seed: u64, start: Option<&Tensors>) -> Result<(SeedReport, Tensors)> {
        let replica = self.fresh(data.model, seed)?;
        if let Some(start) = start {
            start.clone().load_into(&replica.store)?;
        }
        let state = data.fit(&self.recipe.stages, seed, &self.folder(&format!("seed-{seed}")), &replica)?;
        let tests = data.examples.tests.iter().map(|(name, rows)| {
            let (labels, scores) = (labels(rows), probabilities(&replica, rows));
            (name.clone(), average_precision(&labels, &scores), auroc(&labels, &scores))
        });
        let tests = tests.collect();
        let report = SeedReport { seed, best: state.best.unwrap_or(0), history: state.history, tests };
        Ok((report, Tensors::of(&replica.store)))
    }

    /// A network as its seed starts it.
    fn fresh(&self, model: &Model, seed: u64) -> Result<Replica> {
        tch::manual_seed(i64::try_from(seed)?);
        Ok(Replica::new(model, &self.recipe.options, self.device)?)
    }

    /// Tells this recipe on this dataset from others. The list of seeds may grow, and notes may change.
    fn fingerprint(&self, dataset: &str) -> Result<String> {
        let recipe = Recipe { seeds: Vec::new(), notes: Vec::new(), ..self.recipe.clone() };
        Ok(sha256_of((serde_json::to_string(&recipe)? + dataset).as_bytes()))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.runs.join(&self.recipe.model).join(&self.recipe.version).join(name)
    }

    fn measure(
        &self,
        name: &str,
        replica: &Replica,
        rows: &[Example],
        train: &[Example],
    ) -> Result<SetReport> {
        let (labels, scores, groups) = (labels(rows), probabilities(replica, rows), groups(rows));
        let published = match self.public_data.is_dir() {
            true => published_tools(&self.public_data, name, &labels, &groups)?,
            false => Vec::new(),
        };
        let model = Measured::new(&labels, &scores, &groups, f64::from(folder::DECISION_THRESHOLD));
        Ok(SetReport { name: name.to_owned(), model, floors: audit(train, rows), published })
    }
}

/// What all runs of one training share.
struct Data<'a> {
    model: &'static Model,
    examples: &'a Examples,
    fingerprint: String,
}

impl Data<'_> {
    fn fit(&self, stages: &[Stage], seed: u64, folder: &Path, replica: &Replica) -> Result<State> {
        let checkpoint = Checkpoint::new(folder)?;
        let Self { model, examples, fingerprint } = self;
        Run { model, stages, seed, examples, checkpoint, fingerprint }.fit(replica)
    }
}

/// What a network says of the rows.
pub fn probabilities(replica: &Replica, rows: &[Example]) -> Vec<f64> {
    let pairs: Vec<Pair> = rows.iter().map(|row| row.pair.clone()).collect();
    replica.score(&pairs).into_iter().map(|logit| f64::from(probability(logit))).collect()
}

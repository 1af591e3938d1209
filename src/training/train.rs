//! `mirador-train train`: a recipe and a dataset in, an audited weights folder out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tch::Device;

use super::calibration::calibrate;
use super::checkpoint::{Checkpoint, Epoch, State};
use super::experiment::{Experiment, Probe, Row, labelled, open, targets};
use super::fit::{Run, encode};
use super::folder;
use super::metrics::{Measured, figures};
use super::predictions::{self, Predictions};
use super::prepare::prepare;
use super::recipe::{Recipe, Stage};
use super::report::{Floor, Report, SeedReport, SetReport};
use super::sources::published_tools;
use crate::models::{Model, Replica, Tensors, find, sha256, sha256_of};
use crate::tasks::{Input, Task, probability};

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

/// Seeds tried in place of one whose network died, see [`Data::train`].
const RESTARTS: u64 = 20;

impl Training {
    /// Trains every seed and fold that is not done yet, keeps the best by validation, measures once and writes the
    /// folder.
    pub fn run(&self) -> Result<Report> {
        let recipe = &self.recipe;
        let model = find(&recipe.model).with_context(|| format!("no model {:?}", recipe.model))?;
        if !self.dataset.is_file() && self.public_data.is_dir() {
            prepare(&recipe.dataset, &self.public_data, &self.dataset)?;
        }
        let digest = sha256(&self.dataset).context("`mirador-train prepare` makes the dataset")?;
        let experiment = open(model, recipe, &self.dataset)?;
        let data =
            Data { training: self, model, experiment: &*experiment, fingerprint: self.fingerprint(&digest)? };
        let (shared, start) = data.shared()?.unzip();
        let mut runs = Vec::new();
        for &seed in &recipe.seeds {
            for fold in 0..experiment.folds().len() {
                runs.push(data.train(seed, fold, start.as_ref())?);
            }
        }
        let validation =
            |run: &Trained| run.report.best_epoch().map_or(f64::NEG_INFINITY, |epoch| epoch.score);
        let shipped = (0..runs.len())
            .max_by(|&a, &b| validation(&runs[a]).total_cmp(&validation(&runs[b])))
            .context("a recipe needs a seed")?;
        let best = &runs[shipped];
        let replica = Replica::new(model, &recipe.options, self.device)?;
        best.weights.clone().load_into(&replica.store)?;
        println!("measuring seed {} and its floors", best.report.seed);
        let of_seed: Vec<&Trained> = runs.iter().filter(|run| run.report.seed == best.report.seed).collect();
        let (sets, training_audit) = data.sets(&replica, best.report.fold, &of_seed)?;
        let report = Report {
            command: self.command.clone(),
            dataset_sha256: digest,
            preparation: fs::read_to_string(self.dataset.with_extension("log"))
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            parameters: replica.trainable_parameters(),
            shared: shared.unwrap_or_default(),
            sets,
            training_audit,
            seeds: runs.iter().map(|run| run.report.clone()).collect(),
            shipped,
        };
        folder::write_trained(&self.weights, recipe, &replica, &report, &experiment.description())?;
        Ok(report)
    }

    /// A network as its seed starts it.
    fn fresh(&self, model: &Model, seed: u64) -> Result<Replica> {
        tch::manual_seed(i64::try_from(seed)?);
        let replica = Replica::new(model, &self.recipe.options, self.device)?;
        if let Some(path) = &self.recipe.pretrained {
            Tensors::read(path)?.load_part_into(&replica.store).context("the pre-trained part")?;
        }
        Ok(replica)
    }

    /// Tells this recipe on this dataset from others. The list of seeds may grow, and notes may change.
    fn fingerprint(&self, dataset: &str) -> Result<String> {
        let recipe = Recipe { seeds: Vec::new(), notes: Vec::new(), ..self.recipe.clone() };
        let mut text = serde_json::to_string(&recipe)? + dataset;
        if let Some(pretrained) = &self.recipe.pretrained {
            text += &sha256(pretrained).context(
                "`mirador-train pretrain`, or `train` for the version that the path names, makes the pre-trained part",
            )?;
        }
        Ok(sha256_of(text.as_bytes()))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.runs.join(&self.recipe.model).join(&self.recipe.version).join(name)
    }
}

/// What all runs of one training share.
struct Data<'a> {
    training: &'a Training,
    model: &'static Model,
    experiment: &'a dyn Experiment,
    fingerprint: String,
}

/// A run that is done.
struct Trained {
    report: SeedReport,
    weights: Tensors,
    /// By test.
    scores: Vec<Vec<f64>>,
}

impl Data<'_> {
    /// Runs the stages that all seeds share: one network, seed 0. `None` where the recipe has none.
    fn shared(&self) -> Result<Option<(Vec<Epoch>, Tensors)>> {
        let stages = &self.training.recipe.shared_stages;
        if stages.is_empty() {
            return Ok(None);
        }
        let replica = self.training.fresh(self.model, 0)?;
        let state = self.fit(stages, (0, 0), &self.training.folder("shared"), &replica)?;
        Ok(Some((state.history, Tensors::of(&replica.store))))
    }

    /// Trains one seed on one fold, or goes on with it, or finds it done. A network whose units all died says the
    /// same of every row; it is started again from another seed.
    fn train(&self, seed: u64, fold: usize, start: Option<&Tensors>) -> Result<Trained> {
        for restart in 0..RESTARTS {
            let trained = self.attempt(seed + 1000 * restart, fold, start)?;
            let first = trained.scores.first().and_then(|scores| scores.first());
            if trained.scores.iter().flatten().any(|score| Some(score) != first) {
                return Ok(trained);
            }
            println!("seed {}: the network's output is constant; another seed is taken", trained.report.seed);
        }
        anyhow::bail!(
            "seed {seed}: the network's output is constant after {RESTARTS} starts; change the recipe"
        )
    }

    fn attempt(&self, seed: u64, fold: usize, start: Option<&Tensors>) -> Result<Trained> {
        let replica = self.training.fresh(self.model, seed)?;
        if let Some(adapt) = self.model.adapt {
            let (inputs, targets) = encode(&replica, &labelled(&self.experiment.folds()[fold].train));
            adapt(&replica.store, &inputs, &targets.squeeze_dim(1));
        }
        if let Some(start) = start {
            start.clone().load_into(&replica.store)?;
        }
        let name = if self.experiment.folds().len() == 1 {
            format!("seed-{seed}")
        } else {
            format!("seed-{seed}-fold-{fold}")
        };
        let stages = &self.training.recipe.stages;
        let state = self.fit(stages, (seed, fold), &self.training.folder(&name), &replica)?;
        calibrate(&replica, &self.experiment.folds()[fold].validation);
        let task = self.model.task;
        let tests = &self.experiment.folds()[fold].tests;
        let scores: Vec<Vec<f64>> = tests.iter().map(|(_, rows)| scores(&replica, rows)).collect();
        let figures = |((name, rows), scores): (&(String, Vec<Row>), &Vec<f64>)| {
            let figures = figures(task, &targets(rows), scores).into_iter();
            (name.clone(), figures.map(|figure| figure.is_finite().then_some(figure)).collect())
        };
        let tests = tests.iter().zip(&scores).map(figures).collect();
        let report = SeedReport { seed, fold, best: state.best.unwrap_or(0), history: state.history, tests };
        Ok(Trained { report, weights: Tensors::of(&replica.store), scores })
    }

    fn fit(
        &self,
        stages: &[Stage],
        (seed, fold): (u64, usize),
        folder: &Path,
        replica: &Replica,
    ) -> Result<State> {
        let checkpoint = Checkpoint::new(folder)?;
        let Self { model, experiment, fingerprint, .. } = self;
        let choose_by = self.training.recipe.choose_by;
        Run { model, stages, seed, fold, experiment: *experiment, choose_by, checkpoint, fingerprint }
            .fit(replica)
    }

    /// Every set with its floors: validation by the shipped weights; each test by the run that did not see it, all
    /// folds together, floors fitted on each fold's own training rows. Each row's scores are kept beside the
    /// checkpoints. Also what the floors say of the shipped fold's training rows themselves.
    fn sets(
        &self,
        replica: &Replica,
        shipped: usize,
        runs: &[&Trained],
    ) -> Result<(Vec<SetReport>, Vec<Floor>)> {
        let (mut validation, mut tests, mut audit) = (Predictions::default(), Vec::new(), Vec::new());
        for run in runs {
            let rows = &self.experiment.folds()[run.report.fold];
            let fitted = self.experiment.floors(&rows.train);
            let set = |name: &str, rows: &[Row], network: Vec<f64>| {
                Predictions::new(name, rows, network, fitted.iter().map(|floor| floor.probe(rows)).collect())
            };
            for (index, (name, rows)) in rows.tests.iter().enumerate() {
                if tests.len() == index {
                    tests.push(Predictions::default());
                }
                tests[index].extend(set(name, rows, run.scores[index].clone()));
            }
            if run.report.fold == shipped {
                validation = set("validation", &rows.validation, scores(replica, &rows.validation));
                audit = floors(self.model.task, &set("train", &rows.train, Vec::new()));
            }
        }
        let mut sets = vec![validation];
        sets.extend(tests);
        predictions::write(&self.training.folder("predictions.tsv"), &sets)?;
        Ok((sets.iter().map(|set| self.measure(set)).collect::<Result<_>>()?, audit))
    }

    fn measure(&self, set: &Predictions) -> Result<SetReport> {
        let (task, data) = (self.model.task, &self.training.public_data);
        let published = match task == Task::TargetSite && data.is_dir() {
            true => published_tools(data, set)?,
            false => Vec::new(),
        };
        let model = Measured::new(task, &set.targets, set.network(), &set.groups);
        Ok(SetReport { name: set.name.clone(), model, floors: floors(task, set), published })
    }
}

/// The figures of a set's floors.
fn floors(task: Task, set: &Predictions) -> Vec<Floor> {
    let floor = |probe: &Probe| Floor { probe: probe.name.clone(), figures: set.figures(task, probe) };
    set.scores.iter().skip(1).map(floor).collect()
}

/// What a network says of the rows: probabilities, or levels.
pub fn scores(replica: &Replica, rows: &[Row]) -> Vec<f64> {
    let inputs: Vec<Input> = rows.iter().map(|row| row.input.clone()).collect();
    let of = |output: f32| match replica.encoder.task() {
        Task::Expression => f64::from(output),
        Task::TargetSite | Task::PreMirna => f64::from(probability(output)),
    };
    replica.score(&inputs).into_iter().map(of).collect()
}

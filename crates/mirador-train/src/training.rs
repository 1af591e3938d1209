//! `mirador-train train`: a recipe and a dataset in, an audited weights folder out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mirador_models::tasks::{DECISION_THRESHOLD, Task};
use mirador_models::{Model, ModelId, Replica, Tensors, find, sha256, sha256_of};
use tch::Device;

use crate::data::{files, prepare};
use crate::experiment::{Experiment, Row, Scored, is_constant, labelled, scores, targets};
use crate::experiments::open;
use crate::learn::calibration::calibrate;
use crate::learn::checkpoint::{Checkpoint, Epoch, State};
use crate::learn::fit::{Run, encode};
use crate::learn::mean::join;
use crate::pretrain;
use crate::recipe::{RESTARTS, Recipe, Roots, Stage, starts};
use crate::results::card::card;
use crate::results::default::{contest, hold_to_baselines};
use crate::results::folder;
use crate::results::predictions::{self, Predictions};
use crate::results::published_tools::published_tools;
use crate::results::report::{FoldRows, MeasuredBaseline, Report, SeedReport, SetReport, Start};
use crate::stats::metrics::{AtThreshold, Measured, metrics};

/// Where everything is.
pub struct Training {
    /// How to train.
    pub recipe: Recipe,
    /// What `prepare` wrote.
    pub dataset: PathBuf,
    /// The public files, for published tools' scores; left out when absent.
    pub public_data: PathBuf,
    /// Recipes, weights and checkpoints.
    pub roots: Roots,
    /// Where the network runs.
    pub device: Device,
    /// The command as typed, for the card.
    pub command: String,
}

impl Training {
    /// Trains every seed and fold that is not done yet, keeps the best by validation or the one that the recipe ships,
    /// measures once and writes the folder.
    pub fn run(&self) -> Result<Report> {
        let recipe = &self.recipe;
        let model = find(&recipe.model).with_context(|| format!("no model {:?}", recipe.model))?;
        prepare::ensure(recipe.data.dataset(), &self.public_data, &self.dataset)?;
        let digest = sha256(&self.dataset).context("`mirador-train prepare` makes the dataset")?;
        let experiment = open(recipe, &self.dataset)?;
        let (tensors, started) = self.start()?.unzip();
        let started = started.unwrap_or_default();
        let fingerprint = self.fingerprint(&digest, &started)?;
        let data = Data { training: self, model, experiment: &*experiment, tensors, fingerprint };
        let (shared, start) = data.shared()?.unzip();
        let mut runs = Vec::new();
        for &seed in &recipe.seeds {
            for fold in 0..experiment.folds().len() {
                runs.push(data.train(seed, fold, start.as_ref())?);
            }
        }
        let may_be_shipped = |run: &SeedReport| {
            experiment.shipped_fold().is_none_or(|fold| run.fold == fold)
                && recipe.shipped_seed.is_none_or(|seed| run.seed == seed)
        };
        let shipped = (0..runs.len())
            .filter(|&run| may_be_shipped(&runs[run].report))
            .max_by(|&a, &b| runs[a].report.validation().total_cmp(&runs[b].report.validation()))
            .with_context(|| {
                let ran: Vec<u64> = runs.iter().map(|run| run.report.seed).collect();
                format!("shipped_seed: no run is of this seed, since its network died: name one of {ran:?}")
            })?;
        let best = &runs[shipped];
        let replica = Replica::new(model, &recipe.options, self.device)?;
        best.weights.clone().load_into(&replica.store)?;
        eprintln!("measuring seed {} and its baselines", best.report.seed);
        // By place: a fold whose network died has another seed.
        let folds = experiment.folds().len();
        let of_seed = &runs[shipped / folds * folds..][..folds];
        let (sets, training_audit) = data.sets(&replica, best.report.fold, of_seed)?;
        let chosen = sets.iter().find(|set| set.name == contest(model.task).0);
        let (own, baselines) = chosen.map_or((&[][..], &[][..]), |set| (&set.model.metrics, &set.baselines));
        let default_although = hold_to_baselines(recipe, model.task, own, baselines)?;
        let report = Report {
            command: self.command.clone(),
            dataset_sha256: digest,
            preparation: fs::read_to_string(self.dataset.with_extension("log"))
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect(),
            parameters: replica.trainable_parameters(),
            default_although,
            started,
            folds: data.fold_rows(),
            shared: shared.unwrap_or_default(),
            sets,
            training_audit,
            seeds: runs.iter().map(|run| run.report.clone()).collect(),
            shipped,
        };
        let card = card(recipe, &report, &experiment.description())?;
        folder::write_trained(&self.roots, recipe, &replica, &report, &card)?;
        Ok(report)
    }

    /// The tensors that the recipe starts from, and whose they are.
    fn start(&self) -> Result<Option<(Tensors, Vec<Start>)>> {
        let Recipe { start_from, start_parts: parts, mean_of, .. } = &self.recipe;
        if !mean_of.is_empty() {
            let members = mean_of.iter().map(|member| self.version(&member.version));
            let (tensors, starts): (Vec<Tensors>, Vec<Start>) =
                members.collect::<Result<Vec<_>>>()?.into_iter().unzip();
            let shares = mean_of.iter().map(|member| member.share as f32).collect();
            return Ok(Some((join(tensors, shares)?, starts)));
        }
        let Some(id) = start_from else { return Ok(None) };
        let (mut tensors, start) = self.version(id)?;
        if !parts.is_empty() {
            tensors.retain(|name| parts.iter().any(|part| name.starts_with(part)));
        }
        Ok(Some((tensors, vec![start])))
    }

    /// A version's tensors; it is trained first where it is not there.
    fn version(&self, id: &ModelId) -> Result<(Tensors, Start)> {
        let path = self.roots.recipe(id);
        let file = if pretrain::is_made_by(id) {
            pretrain::ensure(&path, &self.public_data, &self.roots.runs, self.device)?
        } else {
            let recipe = self.roots.read(id)?;
            let folder = self.roots.folder(&recipe);
            let file = folder.join("model.safetensors");
            if !file.is_file() || !recipe.made(&folder) {
                eprintln!("{} starts from {id}, which is trained first", self.recipe.id());
                self.of_another(recipe).run()?;
            }
            file
        };
        let start = Start { version: id.clone(), sha256: sha256(&file)? };
        Ok((Tensors::read(&file)?, start))
    }

    /// This training for another recipe, on its own dataset.
    fn of_another(&self, recipe: Recipe) -> Self {
        Self {
            dataset: files::beside(&self.dataset, recipe.data.dataset()),
            public_data: self.public_data.clone(),
            roots: self.roots.clone(),
            device: self.device,
            command: recipe.command(),
            recipe,
        }
    }

    /// Tells this recipe on this dataset from others. The list of seeds may grow, and notes may change.
    fn fingerprint(&self, dataset: &str, starts: &[Start]) -> Result<String> {
        let recipe = self.recipe.of_one_seed();
        let starts: String = starts.iter().map(|start| start.sha256.as_str()).collect();
        Ok(sha256_of((serde_json::to_string(&recipe)? + dataset + &starts).as_bytes()))
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.roots.runs_of(&self.recipe).join(name)
    }
}

/// What all runs of one training share.
struct Data<'a> {
    training: &'a Training,
    model: &'static Model,
    experiment: &'a dyn Experiment,
    /// What every network starts from, beside its seed.
    tensors: Option<Tensors>,
    fingerprint: String,
}

/// A run that is done.
struct Trained {
    report: SeedReport,
    weights: Tensors,
    /// Whether its units died: it says one thing of every validation row.
    is_dead: bool,
    /// By test.
    scores: Vec<Vec<f64>>,
}

impl Data<'_> {
    /// The size of each fold, where there are folds of classes.
    fn fold_rows(&self) -> Vec<FoldRows> {
        let folds = self.experiment.folds();
        let has_some = folds.len() > 1 && self.model.task.has_two_classes();
        folds.iter().filter(|_| has_some).map(FoldRows::new).collect()
    }

    /// A network as its seed starts it.
    fn fresh(&self, seed: u64) -> Result<Replica> {
        tch::manual_seed(i64::try_from(seed)?);
        let mut replica = Replica::new(self.model, &self.training.recipe.options, self.training.device)?;
        replica.encoder = replica.encoder.remembering();
        if let Some(tensors) = &self.tensors {
            tensors.load_part_into(&replica.store).context("the part that the recipe starts from")?;
        }
        Ok(replica)
    }

    /// Runs the stages that all seeds share: one network, seed 0. `None` where the recipe has none.
    fn shared(&self) -> Result<Option<(Vec<Epoch>, Tensors)>> {
        let stages = &self.training.recipe.shared_stages;
        if stages.is_empty() {
            return Ok(None);
        }
        let replica = self.fresh(0)?;
        let state = self.fit(stages, (0, 0), &self.training.folder("shared"), &replica)?;
        Ok(Some((state.history, Tensors::of(&replica.store))))
    }

    /// Trains one seed on one fold, or goes on with it, or finds it done. A network whose units all died says the
    /// same of every row; it is started again from another seed.
    fn train(&self, seed: u64, fold: usize, start: Option<&Tensors>) -> Result<Trained> {
        for seed in starts(seed) {
            let trained = self.attempt(seed, fold, start)?;
            if !trained.is_dead {
                return Ok(trained);
            }
            eprintln!(
                "seed {}: the network's output is constant; another seed is taken",
                trained.report.seed
            );
        }
        anyhow::bail!(
            "seed {seed}: the network's output is constant after {RESTARTS} more starts; change the recipe"
        )
    }

    fn attempt(&self, seed: u64, fold: usize, start: Option<&Tensors>) -> Result<Trained> {
        let replica = self.fresh(seed)?;
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
        let validation = &self.experiment.folds()[fold].validation;
        calibrate(&replica, validation);
        let is_dead = is_constant(&scores(&replica, validation));
        let task = self.model.task;
        let tests = &self.experiment.folds()[fold].tests;
        let scores: Vec<Vec<f64>> = tests.iter().map(|(_, rows)| scores(&replica, rows)).collect();
        let metrics = |((name, rows), scores): (&(String, Vec<Row>), &Vec<f64>)| {
            let metrics = metrics(task, &targets(rows), scores).into_iter();
            (name.clone(), metrics.map(|metric| metric.is_finite().then_some(metric)).collect())
        };
        let calls = |((name, rows), scores): (&(String, Vec<Row>), &Vec<f64>)| {
            let labels: Vec<bool> = rows.iter().map(Row::label).collect();
            (name.clone(), AtThreshold::new(&labels, scores, DECISION_THRESHOLD))
        };
        let of_classes = if task.has_two_classes() { &tests[..] } else { &[] };
        let calls = of_classes.iter().zip(&scores).map(calls).collect();
        let tests = tests.iter().zip(&scores).map(metrics).collect();
        let (best, history) = (state.best.unwrap_or(0), state.history);
        let report = SeedReport { seed, fold, best, history, tests, calls };
        Ok(Trained { report, weights: Tensors::of(&replica.store), is_dead, scores })
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

    /// Every set with its baselines: validation by the shipped weights; each test by the run that did not see it, all
    /// folds together, baselines fitted on each fold's own training rows. Each row's scores are kept beside the
    /// checkpoints. Also what the baselines say of the shipped fold's training rows themselves.
    fn sets(
        &self,
        replica: &Replica,
        shipped: usize,
        runs: &[Trained],
    ) -> Result<(Vec<SetReport>, Vec<MeasuredBaseline>)> {
        let (mut validation, mut tests, mut audit) = (Predictions::default(), Vec::new(), Vec::new());
        for run in runs {
            let rows = &self.experiment.folds()[run.report.fold];
            let fitted = self.experiment.baselines(&rows.train);
            let set = |name: &str, rows: &[Row], network: Vec<f64>| {
                Predictions::new(
                    name,
                    rows,
                    network,
                    fitted.iter().map(|baseline| baseline.score(rows)).collect(),
                )
            };
            for (index, (name, rows)) in rows.tests.iter().enumerate() {
                if tests.len() == index {
                    tests.push(Predictions::default());
                }
                tests[index].extend(set(name, rows, run.scores[index].clone()));
            }
            if run.report.fold == shipped {
                validation = set("validation", &rows.validation, scores(replica, &rows.validation));
                audit = baselines(self.model.task, &set("train", &rows.train, Vec::new()));
            }
        }
        let mut sets = vec![validation];
        // A test may have rows in no fold at all.
        sets.extend(tests.into_iter().filter(|set| !set.targets.is_empty()));
        predictions::write(&self.training.roots, &self.training.recipe, &sets)?;
        Ok((sets.iter().map(|set| self.measure(set)).collect::<Result<_>>()?, audit))
    }

    fn measure(&self, set: &Predictions) -> Result<SetReport> {
        let (task, data) = (self.model.task, &self.training.public_data);
        // A part of a test has no published scores of its rows.
        let is_whole = self.training.recipe.data.part().is_none();
        let published = match task == Task::TargetSite && data.is_dir() && is_whole {
            true => published_tools(data, set)?,
            false => Vec::new(),
        };
        let model = Measured::new(task, &set.targets, &set.network, &set.groups);
        Ok(SetReport { name: set.name.clone(), model, baselines: baselines(task, set), published })
    }
}

/// The metrics of a set's baselines.
fn baselines(task: Task, set: &Predictions) -> Vec<MeasuredBaseline> {
    let measure =
        |scored: &Scored| MeasuredBaseline { name: scored.baseline, metrics: set.metrics(task, scored) };
    set.baselines.iter().map(measure).collect()
}

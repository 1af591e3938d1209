//! `recipes/<model>/<version>.json`: how a version is trained. The trainer reads it and never writes it; a copy stands
//! beside the weights that it made.

mod data;
mod fit;
mod roots;
mod stage;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use mirador_models::tasks::Task;
use mirador_models::{ModelId, Options, find};
use serde::{Deserialize, Serialize};

pub use data::{
    Data, Experiments, GeneSplit, Genes, HairpinSplit, IsomirReads, PreMirnas, ReadSplit, SiteRows,
    SiteSplit, TargetSites, TaughtPairs,
};
pub use fit::Fit;
pub use roots::{Roots, mark, unmark};
pub use stage::{EpochMetric, OptimizerKind, Schedule, Stage};

/// A whole training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What a reader of the card should know beside the metrics; training does not depend on it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notes: Vec<String>,
    /// Name in `mirador_models::MODELS`.
    pub model: String,
    /// Folder under `weights/<model>/`.
    pub version: String,
    /// Whether its weights go where the server finds them; a network that is only measured stays among the runs.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub serve: bool,
    /// Kept in `config.json`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default: bool,
    /// Why it is the default although a baseline of it is better, for the card; see `results::default`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default_although: Option<String>,
    /// Kept in `config.json`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default_version: bool,
    /// The model's own switches.
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Options,
    /// The rows to train and measure on.
    pub data: Data,
    /// The validation metric that chooses the epoch, and among the seeds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub choose_by: EpochMetric,
    /// The version whose tensors the network starts from, as far as it has variables of their names. It is trained
    /// first where it is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start_from: Option<ModelId>,
    /// Beginnings of the names of variables that are taken from there; none: all that it has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub start_parts: Vec<String>,
    /// Versions that were trained apart on one aligner, and each one's part in the mean of their logits. In place of
    /// stages; the model's `members` say how each is built.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mean_of: Vec<Member>,
    /// Trained once, before the seeds part; may be empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shared_stages: Vec<Stage>,
    /// One run each; the best by validation is shipped (but see `shipped_seed`), all are reported. None beside a fit.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// The one of them that is shipped, though another may be better by validation: where weights are served already, they
    /// stay under their name while seeds are added.
    #[serde(default, skip_serializing_if = "is_default")]
    pub shipped_seed: Option<u64>,
    /// Trained by each seed, one after the other; validation chooses the epoch within the last. None where there is a fit,
    /// or where a seed's network is solved for in closed form.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// In place of seeds and stages, for what is fitted in closed form.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fit: Option<Fit>,
    /// The file that it was read from, to the byte: the file may have changed when training ends.
    #[serde(skip)]
    text: String,
}

/// A version in a mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The version.
    pub version: ModelId,
    /// Factor of its logit.
    pub share: f64,
}

fn yes() -> bool {
    true
}

/// The highest seed.
const LAST_SEED: u64 = 1_000_000;

/// What is added to a seed whose network died.
const RESTART: u64 = 1000;

/// Seeds that are tried in place of one whose network died.
pub const RESTARTS: u64 = 20;

/// A seed, then those that are tried in its place.
pub fn starts(seed: u64) -> impl Iterator<Item = u64> {
    (0..=RESTARTS).map(move |restart| seed + RESTART * restart)
}

/// Whether a seed's run may be that of another, or is.
fn may_become(seed: u64, other: u64) -> bool {
    starts(seed).any(|start| start == other)
}

/// Left out where a recipe is written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Recipe {
    /// Reads a recipe; a wrong or unknown field is named, and what its task does not use.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("recipe {}", path.display()))?;
        let recipe = Self::parse(&text).with_context(|| path.display().to_string())?;
        Ok(Self { text, ..recipe })
    }

    /// Whether what was measured by another recipe is this one's too: it has the same seeds, in this order.
    pub fn measures_as(&self, other: &Self) -> bool {
        self.seeds == other.seeds
            && self.shipped_seed == other.shipped_seed
            && self.of_one_seed() == other.of_one_seed()
    }

    /// What a seed's training depends on: not on notes, on the other seeds, nor on how the version is served.
    pub fn of_one_seed(&self) -> Self {
        Self {
            notes: Vec::new(),
            seeds: Vec::new(),
            shipped_seed: None,
            serve: true,
            default: false,
            default_version: false,
            default_although: None,
            text: String::new(),
            ..self.clone()
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let recipe: Self = serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text))?;
        let model = find(&recipe.model).with_context(|| format!("no model {:?}", recipe.model))?;
        let (task, of_data) = (model.task, recipe.data.task());
        ensure!(
            of_data == task,
            "{} answers {}, and the data are of {}",
            model.name,
            task.name(),
            of_data.name()
        );
        recipe.check_fit(task)?;
        recipe.check_seeds()?;
        let keeps_last = recipe.stages.last().is_some_and(|stage| stage.keep_last);
        let nothing_chooses = matches!(&recipe.data, Data::PreMirnas(data) if data.validation_trained);
        ensure!(
            !nothing_chooses || keeps_last,
            "rows that were trained on cannot choose: keep_last has to be set"
        );
        for stage in recipe.shared_stages.iter().chain(&recipe.stages) {
            ensure!(stage.batch > 1, "a batch needs two rows at least");
            ensure!(stage.rows.is_none() || task == Task::TargetSite, "rows are drawn of target sites only");
            let rows = stage.rows.unwrap_or_default();
            let is_taught = matches!(recipe.data, Data::TaughtPairs(_));
            ensure!(rows.random == 0 || is_taught, "random sites are drawn beside taught pairs only");
            let cut =
                SiteRows { random: rows.random, cut: rows.cut, cropped: rows.cropped, ..SiteRows::default() };
            ensure!(
                !is_taught || rows == cut,
                "taught pairs are cut, cropped and joined by random ones, and no more"
            );
        }
        Ok(recipe)
    }

    /// No run stands for two seeds, and the shipped seed is one that may be run.
    fn check_seeds(&self) -> Result<()> {
        for (index, &seed) in self.seeds.iter().enumerate() {
            ensure!(seed <= LAST_SEED, "seeds: {seed} is above {LAST_SEED}");
            let earlier =
                self.seeds[..index].iter().find(|&&one| may_become(one, seed) || may_become(seed, one));
            if let Some(earlier) = earlier {
                bail!(
                    "seeds: {earlier} and {seed} may be one run: where a seed's network dies, the seed plus {RESTART} \
                     takes its place, then plus {}, ...",
                    2 * RESTART
                );
            }
        }
        let Some(shipped) = self.shipped_seed else { return Ok(()) };
        ensure!(
            self.seeds.iter().any(|&seed| may_become(seed, shipped)),
            "shipped_seed: {shipped} is none of the seeds {:?}",
            self.seeds
        );
        Ok(())
    }

    /// A recipe has stages of epochs, or a fit.
    fn check_fit(&self, task: Task) -> Result<()> {
        let Some(fit) = &self.fit else {
            ensure!(task != Task::Repression, "repression is fitted in closed form: its recipe needs a fit");
            ensure!(!self.seeds.is_empty(), "a recipe needs a seed");
            let without_epochs = find(&self.model).is_some_and(|model| model.adapt_is_all);
            let ways = [!self.stages.is_empty(), !self.mean_of.is_empty(), without_epochs];
            ensure!(
                ways.iter().filter(|way| **way).count() == 1
                    && (self.shared_stages.is_empty() || !without_epochs),
                "a recipe has stages, or a mean of versions; a network that is fitted in closed form has neither"
            );
            return Ok(());
        };
        ensure!(task == Task::Repression, "{} is trained by stages, not by a fit", task.name());
        let is_loop_free =
            [self.seeds.is_empty(), self.stages.is_empty(), self.shared_stages.is_empty()] == [true; 3];
        ensure!(
            is_loop_free && self.start_from.is_none() && is_default(&self.choose_by),
            "a fit has no seeds, stages, choice among epochs or start"
        );
        fit.check()
    }

    /// What it is called.
    pub fn id(&self) -> ModelId {
        ModelId::new(&self.model, &self.version)
    }

    /// The command that trains it.
    pub fn command(&self) -> String {
        command(&self.id())
    }
}

/// The command that trains a version.
pub fn command(ModelId { name, version }: &ModelId) -> String {
    format!("mirador-train train --model {name} --version {version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_committed_recipe_is_read() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes"));
        let mut read = 0;
        let mut defaults = Vec::new();
        for model in fs::read_dir(root).unwrap() {
            let mut default_versions = Vec::new();
            for file in fs::read_dir(model.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                if path.ends_with("deepmirnatar/pretrained.json") {
                    continue; // of `pretrain`
                }
                let recipe = Recipe::read(&path).unwrap();
                assert!(
                    path.ends_with(format!("{}/{}.json", recipe.model, recipe.version)),
                    "{}",
                    path.display()
                );
                default_versions.extend(recipe.default_version.then(|| recipe.id()));
                defaults.extend(recipe.default.then(|| (find(&recipe.model).unwrap().task, recipe.id())));
                read += 1;
            }
            assert!(
                default_versions.len() <= 1,
                "each is the version of its model's name: {default_versions:?}"
            );
        }
        assert!(read >= 51, "{read} recipes");
        defaults.sort_by_key(|(task, _)| *task as u8);
        assert!(defaults.windows(2).all(|two| two[0].0 != two[1].0), "each answers its task: {defaults:?}");
    }

    #[test]
    fn the_copy_beside_the_weights_is_the_recipe() {
        let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let roots =
            Roots { recipes: root.join("recipes"), weights: root.join("weights"), runs: root.join("runs") };
        for weights in mirador_models::WeightsDir::scan(&roots.weights).unwrap() {
            let id = ModelId::new(&weights.config.model, &weights.config.version);
            let (recipe, copy) = (roots.read(&id).unwrap(), Recipe::beside(&weights.path).unwrap());
            assert_eq!(copy, recipe, "{id}");
        }
    }

    #[test]
    fn rows_that_are_trained_on_do_not_choose() {
        let recipe = |keep_last: bool| {
            Recipe::parse(&format!(
                r#"{{"model": "premirna_cnn_lstm", "version": "a", "seeds": [1],
                    "data": {{"pre_mirnas": {{"split": "folds", "validation_trained": true}}}},
                    "stages": [{{"epochs": 1, "batch": 2, "learning_rate": 0.1, "keep_last": {keep_last}}}]}}"#
            ))
        };
        assert!(recipe(true).is_ok());
        assert!(recipe(false).unwrap_err().to_string().contains("keep_last"));
    }

    #[test]
    fn a_fit_stands_in_place_of_stages() {
        let recipe = |model: &str, data: &str, rest: &str| {
            let fit =
                r#"{"ridge": 100.0, "ridge_sites": 1.0, "clip": 5.0, "curve": [2], "draws": 1, "seed": 1}"#;
            Recipe::parse(&format!(
                r#"{{"model": "{model}", "version": "a", "data": {{{data}}}, "fit": {fit}{rest}}}"#
            ))
        };
        let experiments = r#""repression": {"dataset": "own"}"#;
        let read = recipe("repression", experiments, "").unwrap();
        assert_eq!(read.data.dataset(), "own");
        assert_eq!(Recipe::parse(&serde_json::to_string(&read).unwrap()).unwrap(), read);
        let refused = |model, data, rest| recipe(model, data, rest).unwrap_err().to_string();
        assert!(refused("repression", experiments, r#", "seeds": [1]"#).contains("no seeds"));
        assert!(refused("repression", experiments, r#", "start_from": "dmiso@paper""#).contains("or start"));
        let hairpins = r#""pre_mirnas": {"split": "folds"}"#;
        assert_eq!(
            refused("premirna_cnn_lstm", hairpins, ""),
            "pre_mirna is trained by stages, not by a fit"
        );
    }

    #[test]
    fn a_run_stands_for_one_seed() {
        let recipe = |seeds: &str| {
            let text = format!(
                r#"{{"model": "premirna_cnn_lstm", "version": "a", "data": {{"pre_mirnas": {{"split": "folds"}}}},
                    "seeds": {seeds}, "stages": [{{"epochs": 1, "batch": 2, "learning_rate": 0.1}}]}}"#
            );
            Recipe::parse(&text).map_err(|error| error.to_string())
        };
        let one = recipe("[1]").unwrap();
        let served_otherwise =
            recipe(r#"[1], "serve": false, "default_version": true, "notes": ["n"]"#).unwrap();
        assert!(one.measures_as(&served_otherwise), "trained alike");
        assert!(recipe(r#"[1, 2], "shipped_seed": 2"#).is_ok());
        assert!(recipe(r#"[1, 3], "shipped_seed": 1003"#).is_ok(), "what stands in for a dead network");
        for (seeds, why) in [
            (r#"[1, 2], "shipped_seed": 3"#, "shipped_seed: 3 is none of the seeds [1, 2]"),
            (r#"[1], "shipped_seed": "1""#, "shipped_seed: invalid type"),
            ("[1, 2, 1]", "seeds: 1 and 1 may be one run"),
            ("[2001, 1]", "seeds: 2001 and 1 may be one run"),
            ("[1, 20000000000000]", "seeds: 20000000000000 is above 1000000"),
            ("[1, -2]", "seeds[1]: invalid value"),
        ] {
            let refused = recipe(seeds).unwrap_err();
            assert!(refused.starts_with(why), "{seeds}: {refused}");
        }
    }

    #[test]
    fn what_a_task_does_not_use_is_refused() {
        let recipe = |model: &str, data: &str, rows: &str| {
            let text = format!(
                r#"{{"model": "{model}", "version": "a", "data": {data}, "seeds": [1],
                    "stages": [{{"epochs": 1, "batch": 2, "learning_rate": 0.1{rows}}}]}}"#
            );
            Recipe::parse(&text).map_err(|error| error.to_string())
        };
        let sites = r#"{"target_sites": {"dataset": "d", "split": "paper"}}"#;
        let hairpins = r#"{"pre_mirnas": {"split": "folds"}}"#;
        assert!(recipe("dmiso", sites, r#", "rows": {"teacher": 0.5}"#).is_ok());
        assert!(recipe("premirna_cnn_lstm", hairpins, "").is_ok());
        let refused = |model, data, rows| recipe(model, data, rows).unwrap_err();
        assert_eq!(
            refused("premirna_cnn_lstm", hairpins, r#", "rows": {"teacher": 0.5}"#),
            "rows are drawn of target sites only"
        );
        let taught = r#"{"taught_pairs": {}}"#;
        assert!(recipe("dmiso", taught, r#", "rows": {"cut": 0.5, "random": 7}"#).is_ok());
        assert!(refused("dmiso", taught, r#", "rows": {"predicted": 0.5}"#).contains("and no more"));
        assert!(refused("dmiso", sites, r#", "rows": {"random": 7}"#).contains("taught pairs only"));
        let experiments = r#"{"repression": {"dataset": "repression"}}"#;
        assert!(refused("repression", experiments, "").contains("needs a fit"));
        assert!(refused("dmiso", hairpins, "").starts_with("dmiso answers target_site"));
        assert!(
            refused("dmiso", r#"{"pre_mirnas": {"split": "paper"}}"#, "").contains("unknown variant `paper`")
        );
        assert!(
            refused("premirna_cnn_lstm", r#"{"pre_mirnas": {"split": "folds", "unseen_sources": []}}"#, "")
                .contains("unknown field `unseen_sources`")
        );
    }
}

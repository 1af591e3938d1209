//! The trainer's command line.

mod compare;
mod evaluate;
mod import;
mod interpret;
mod matrix;
mod prepare;
mod rival;
mod select_mirnas;
mod side_by_side;
mod speed;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use mirador_models::device::{DeviceChoice, Precision, set_threads};
use mirador_models::{ModelId, Options, WeightsDir, own_weights_root, weights_root};

use crate::data::files::file as dataset_file;
use crate::pretrain;
use crate::recipe::{Recipe, Roots};
use crate::reports::{Runs, reproduce};
use crate::repression::Fitting;
use crate::training::Training;
use select_mirnas::{Residuals, Rule};

/// Prepares data, trains, evaluates, audits and imports weights, offline.
#[derive(Parser, Debug)]
#[command(name = "mirador-train", version)]
pub struct Cli {
    /// Where networks run: auto, cpu or cuda:N
    #[arg(long, env = "MIRADOR_DEVICE", default_value = "auto", global = true)]
    device: DeviceChoice,
    /// Threads for one libtorch operation
    #[arg(long, env = "MIRADOR_THREADS", default_value_t = 1, global = true)]
    threads: usize,
    /// Folder that holds MODEL/VERSION/ for each model [default: ./weights, else, where weights are only read,
    /// ../share/mirador/weights beside the program's own folder]
    #[arg(long, env = "MIRADOR_WEIGHTS_DIR", global = true)]
    weights_dir: Option<PathBuf>,
    /// Root of the recipes: MODEL/VERSION.json for each version
    #[arg(long, env = "MIRADOR_RECIPES_DIR", default_value = "recipes", global = true)]
    recipes_dir: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Public files → one dataset file
    Prepare(prepare::Prepare),
    /// What DeepmiRNATar learns before any label, by recipes/deepmirnatar/pretrained.json; goes on where a killed run
    /// stopped
    Pretrain {
        /// Folder of the public files
        #[arg(long, default_value = "../shared/data")]
        data: PathBuf,
        /// Root of the checkpoints
        #[arg(long, default_value = "runs")]
        runs: PathBuf,
    },
    /// Train by a recipe, or fit where the recipe has a fit; goes on where a killed run stopped
    Train {
        /// Model name
        #[arg(long)]
        model: String,
        /// Version: its recipe is MODEL/VERSION.json below --recipes-dir. Weights that are not to be served go to
        /// measured/ below --runs
        #[arg(long, default_value = "balanced")]
        version: String,
        /// The dataset file that `prepare` wrote [default: the recipe's, below data/]
        #[arg(long)]
        dataset: Option<PathBuf>,
        /// The public files, for published tools' scores beside ours; left out where absent
        #[arg(long, default_value = "../shared/data")]
        data: PathBuf,
        /// Root of the checkpoints
        #[arg(long, default_value = "runs")]
        runs: PathBuf,
    },
    /// The miRNAs that miREx or AbsCorr should read, as JSON on standard output
    SelectMirnas {
        /// A recipe of a network without miRNAs, whose errors are correlated with each miRNA's targets
        #[arg(long, default_value = "recipes/xpresso/public_windows.json")]
        recipe: PathBuf,
        /// What is correlated
        #[arg(long, value_parser = Rule::NAMES, default_value = "mirex")]
        rule: String,
        /// How many
        #[arg(long, default_value_t = 10)]
        count: usize,
        /// The dataset file that `prepare` wrote [default: the recipe's, below data/]
        #[arg(long)]
        dataset: Option<PathBuf>,
        /// A dataset of the same genes whose targets are correlated in place of the dataset's own: a control
        #[arg(long)]
        targets: Option<PathBuf>,
        /// Root of the checkpoints
        #[arg(long, default_value = "runs")]
        runs: PathBuf,
    },
    /// A paper's whole protocol and its report; goes on where a killed run stopped
    Reproduce {
        /// The paper, or `unbiased`: every target-site model where shortcuts are gone. Its template is PAPER.md below
        /// --templates
        paper: String,
        /// Write the report from what is trained already
        #[arg(long)]
        without_training: bool,
        /// Folder of the public files
        #[arg(long, default_value = "../shared/data")]
        data: PathBuf,
        /// Root of the checkpoints
        #[arg(long, default_value = "runs")]
        runs: PathBuf,
        /// Root of the reports
        #[arg(long, default_value = "reports")]
        reports: PathBuf,
        /// Root of their templates
        #[arg(long, default_value = "reports/templates")]
        templates: PathBuf,
    },
    /// Metrics of served weights on a labelled TSV
    Evaluate {
        /// Model name, or name@version
        #[arg(long)]
        model: String,
        /// A TSV with columns mirna, site, label
        file: PathBuf,
        /// Only rows with this value, e.g. source=hejret2023_test
        #[arg(long)]
        only: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// A published network of target sites beside ours, on the validation and test rows of ours
    Rival(rival::MeasureRival),
    /// Networks, authors' weights and baselines on the same test rows, by stratum
    SideBySide(side_by_side::MeasureSideBySide),
    /// Other networks of target sites, also with their authors' weights, on the tests of one of ours; reports read the result
    Compare(compare::Compare),
    /// miRNAs against genes: every window of each 3'UTR by several networks; reports read the result
    Matrix(matrix::Against),
    /// The baselines: what each sequence alone, the seed and an untrained aligner reach
    Audit {
        /// Labelled rows that the probes are fitted on
        #[arg(long)]
        train: PathBuf,
        /// Labelled rows that they are scored on
        file: PathBuf,
        /// Only rows of FILE with this value, e.g. source=hejret2023_test
        #[arg(long)]
        only: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What a network of target sites has learned, from a whole data set, and its report
    Interpret(interpret::Interpret),
    /// The authors' published file → a weights folder
    Import {
        /// Model name
        #[arg(long)]
        model: String,
        /// Version to write
        #[arg(long, default_value = "published")]
        version: String,
        /// A safetensors file under the published names
        file: PathBuf,
        /// The model's own switches, as JSON
        #[arg(long, default_value = "{}", value_parser = parse_options)]
        options: Options,
    },
    /// Rows per second by batch size, and of one training epoch
    Speed {
        /// Model name
        #[arg(long)]
        model: String,
        /// The model's own switches, as JSON
        #[arg(long, default_value = "{}", value_parser = parse_options)]
        options: Options,
    },
}

fn parse_options(text: &str) -> Result<Options, serde_json::Error> {
    serde_json::from_str(text)
}

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> Result<()> {
        set_threads(self.threads);
        let open = |device: &DeviceChoice| device.open_one(Precision::Fp32);
        match self.command {
            Command::Prepare(prepare) => prepare.run(),
            Command::Pretrain { data, runs } => {
                let recipe = self.recipes_dir.join("deepmirnatar").join("pretrained.json");
                pretrain::deepmirnatar(&recipe, &data, &runs, self.device.open_one(Precision::Fp32)?)
            }
            Command::Train { model, version, dataset, data, runs } => {
                let weights = own_weights_root(self.weights_dir);
                let roots = Roots { recipes: self.recipes_dir, weights, runs };
                let recipe = roots.read(&ModelId::new(&model, &version))?;
                let dataset = dataset.unwrap_or_else(|| dataset_file(recipe.data.dataset()));
                if recipe.fit.is_some() {
                    Fitting { recipe, dataset, public_data: data, roots }.run()?;
                    return Ok(());
                }
                let (command, device) = (recipe.command(), self.device.open_one(Precision::Fp32)?);
                Training { recipe, dataset, public_data: data, roots, device, command }.run()?;
                Ok(())
            }
            Command::SelectMirnas { recipe, rule, count, dataset, targets, runs } => {
                let recipe = Recipe::read(&recipe)?;
                let dataset = dataset.unwrap_or_else(|| dataset_file(recipe.data.dataset()));
                let device = self.device.open_one(Precision::Fp32)?;
                let residuals = Residuals::out_of_fold(&recipe, &dataset, targets.as_deref(), &runs, device)?;
                let selected = residuals.select(rule.parse()?, count);
                selected.iter().for_each(|(name, correlation)| eprintln!("{name}\t{correlation:.4}"));
                let names: Vec<&String> = selected.iter().map(|(name, _)| name).collect();
                println!("{}", serde_json::to_string(&names)?);
                Ok(())
            }
            Command::Reproduce { paper, without_training, data, runs, reports, templates } => {
                let weights = own_weights_root(self.weights_dir);
                let roots = Roots { recipes: self.recipes_dir, weights, runs };
                let (device, train) = (self.device.open_one(Precision::Fp32)?, !without_training);
                reproduce(&paper, Runs { roots, templates, reports, data, device, train })
            }
            Command::Evaluate { model, file, only, json } => {
                let rows = evaluate::read(&file, condition(only)?.as_ref())?;
                let measured = evaluate::evaluate(
                    &find_weights(self.weights_dir.as_deref(), &model)?,
                    self.device.open_one(Precision::Fp32)?,
                    &rows,
                )?;
                match json {
                    true => println!("{}", serde_json::to_string_pretty(&measured)?),
                    false => evaluate::print(&measured),
                }
                Ok(())
            }
            Command::Rival(rival) => rival.run(self.weights_dir.as_deref(), open(&self.device)?),
            Command::SideBySide(question) => {
                question.run(self.recipes_dir, own_weights_root(self.weights_dir), open(&self.device)?)
            }
            Command::Compare(compare) => compare.run(self.weights_dir.as_deref(), open(&self.device)?),
            Command::Matrix(matrix) => matrix.run(self.weights_dir.as_deref(), open(&self.device)?),
            Command::Audit { train, file, only, json } => {
                let train = evaluate::read(&train, None)?;
                let baselines = evaluate::audit(&train, &evaluate::read(&file, condition(only)?.as_ref())?);
                match json {
                    true => println!("{}", serde_json::to_string_pretty(&baselines)?),
                    false => evaluate::print_baselines(&baselines),
                }
                Ok(())
            }
            Command::Interpret(interpret) => {
                let only = condition(interpret.only.clone())?;
                interpret.run(self.weights_dir.as_deref(), self.device.open_one(Precision::Fp32)?, only)
            }
            Command::Import { model, version, file, options } => {
                import::import(&model, &file, &version, &options, &own_weights_root(self.weights_dir))
            }
            Command::Speed { model, options } => {
                speed::speed(&model, &options, self.device.open_one(Precision::Fp32)?)
            }
        }
    }
}

fn condition(only: Option<String>) -> Result<Option<(String, String)>> {
    let parse = |text: String| {
        let (column, value) =
            text.split_once('=').with_context(|| format!("--only {text}: use COLUMN=VALUE"))?;
        Ok((column.to_owned(), value.to_owned()))
    };
    only.map(parse).transpose()
}

/// Weights that are only read.
fn find_weights(named: Option<&Path>, name: &str) -> Result<WeightsDir> {
    let (model, version) =
        name.split_once('@').map_or((name, None), |(model, version)| (model, Some(version)));
    let matches = |found: &WeightsDir| {
        found.config.model == model
            && version.map_or(found.config.default_version, |version| found.config.version == version)
    };
    let all = WeightsDir::scan(&weights_root(named)?)?;
    let names: Vec<String> = all.iter().map(|weights| weights.config.id().to_string()).collect();
    let names = names.join(", ");
    all.into_iter().find(matches).with_context(|| format!("no weights {name}; there are {names}"))
}

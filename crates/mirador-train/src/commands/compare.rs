//! `mirador-train compare`: other networks of target sites on the test rows of a version of ours.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use mirador_models::tasks::Task;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Replica, WeightsDir, sha256};
use tch::Device;

use crate::data::target_sites::dataset::{Split, read};
use crate::data::{files, prepare};
use crate::experiment::{Experiment, FittedBaseline, Row, groups, scores, targets};
use crate::experiments::open;
use crate::published::published;
use crate::recipe::{Data, Recipe};
use crate::results;
use crate::results::comparison::{CalledSet, Compared, ComparedBaseline, ComparedSet, Comparison};
use crate::stats::metrics::{AtThreshold, Measured, metrics};
use crate::stats::ranking::most_accurate_threshold;

/// What `compare` takes.
#[derive(Args, Debug)]
pub(super) struct Compare {
    /// The version whose tests these are, name@version
    tests_of: String,
    /// A test; may be given more than once
    #[arg(long = "set", required = true)]
    sets: Vec<String>,
    /// A network of ours, name@version; may be given more than once
    #[arg(long = "with")]
    with: Vec<String>,
    /// The authors' weights, FILE=name@version, where the version says how the network is built and what it is trained on;
    /// may be given more than once
    #[arg(long)]
    authors: Vec<String>,
    /// Folder of the public files, of which datasets are made where they are not there
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Root of the reports: the result goes to compared/NAME-VERSION.json
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
}

/// A network that is measured.
struct Network {
    weights: WeightsDir,
    replica: Replica,
    of_authors: bool,
    sha256: String,
}

impl Compare {
    /// Measures and writes the result.
    pub(super) fn run(self, weights: Option<&Path>, device: Device) -> Result<()> {
        let ours = super::find_weights(weights, &self.tests_of)?;
        let recipe = Recipe::beside(&ours.path)?;
        let dataset = self.dataset(recipe.data.dataset())?;
        let experiment = open(&recipe, &dataset)?;
        let fold = experiment.folds().first().context("the recipe has no rows")?;
        let mut others = Vec::new();
        for name in &self.with {
            let found = super::find_weights(weights, name)?;
            let (replica, sha256) = (found.load(device)?, found.config.sha256.clone());
            others.push(Network { weights: found, replica, of_authors: false, sha256 });
        }
        for named in &self.authors {
            let (file, name) = named
                .rsplit_once('=')
                .with_context(|| format!("--authors {named}: use FILE=NAME@VERSION"))?;
            let (file, found) = (Path::new(file), super::find_weights(weights, name)?);
            let replica = published(&found.config.model, file, &found.config.options, device)?;
            others.push(Network { weights: found, replica, of_authors: true, sha256: sha256(file)? });
        }
        let mut networks = Vec::new();
        for network in &others {
            ensure!(network.replica.encoder.task() == Task::TargetSite, "pairs are scored here");
            networks.push(self.measure(network, &fold.tests)?);
        }
        let baselines = self.baselines(&*experiment)?;
        let tests_of = ours.config.id();
        let path = Comparison::path(&self.reports, &tests_of);
        let (command, dataset_sha256) = (self.command(), sha256(&dataset)?);
        results::write(&path, &Comparison { command, tests_of, dataset_sha256, baselines, networks })
    }

    fn dataset(&self, name: &str) -> Result<PathBuf> {
        let file = files::file(name);
        prepare::ensure(name, &self.data, &file)?;
        Ok(file)
    }

    fn measure(&self, network: &Network, tests: &[(String, Vec<Row>)]) -> Result<Compared> {
        let recipe = Recipe::beside(&network.weights.path)?;
        ensure!(matches!(recipe.data, Data::TargetSites(_)), "{} has no pairs of its own", recipe.id());
        let own: HashSet<Pair> = read(&self.dataset(recipe.data.dataset())?)?
            .into_iter()
            .filter(|row| row.split != Split::Test)
            .map(|row| row.pair)
            .collect();
        let set = |name: &String| {
            let (_, rows) =
                tests.iter().find(|(of, _)| of == name).with_context(|| format!("no test {name}"))?;
            let (in_own, others): (Vec<Row>, Vec<Row>) =
                rows.iter().cloned().partition(|row| own.contains(row.pair()));
            let others_measured =
                (!in_own.is_empty() && !others.is_empty()).then(|| measured(&network.replica, &others));
            let all = measured(&network.replica, rows);
            println!(
                "{}{}, {name}: {} rows, {} of them in its own data; {}",
                recipe.id(),
                if network.of_authors { " (authors)" } else { "" },
                rows.len(),
                in_own.len(),
                all.metrics
                    .iter()
                    .map(|metric| format!("{} {}", metric.name, metric.value))
                    .collect::<String>(),
            );
            Ok(ComparedSet { name: name.clone(), all, in_own_data: in_own.len(), others: others_measured })
        };
        Ok(Compared {
            version: recipe.id(),
            of_authors: network.of_authors,
            sha256: network.sha256.clone(),
            dataset: recipe.data.dataset().to_owned(),
            sets: self.sets.iter().map(set).collect::<Result<_>>()?,
        })
    }

    fn baselines(&self, experiment: &dyn Experiment) -> Result<Vec<ComparedBaseline>> {
        let fold = experiment.folds().first().context("the recipe has no rows")?;
        let validation: Vec<bool> = fold.validation.iter().map(Row::label).collect();
        let of = |baseline: FittedBaseline<'_>| {
            let threshold = most_accurate_threshold(&validation, &baseline.score(&fold.validation).scores);
            let sets = fold.tests.iter().filter(|(name, _)| self.sets.contains(name)).map(|(name, rows)| {
                let scores = baseline.score(rows).scores;
                let metrics = metrics(Task::TargetSite, &targets(rows), &scores).into_iter();
                let labels: Vec<bool> = rows.iter().map(Row::label).collect();
                CalledSet {
                    name: name.clone(),
                    metrics: metrics.map(|metric| metric.is_finite().then_some(metric)).collect(),
                    at_threshold: AtThreshold::new(&labels, &scores, threshold),
                    called: scores.iter().filter(|&&score| score >= threshold).count(),
                }
            });
            ComparedBaseline { name: baseline.baseline, sets: sets.collect() }
        };
        Ok(experiment.baselines(&fold.train).into_iter().map(of).collect())
    }

    /// The command that gives this result, with files as they lie beside the project.
    fn command(&self) -> String {
        let mut words = vec!["mirador-train compare".to_owned(), self.tests_of.clone()];
        words.extend(self.sets.iter().map(|set| format!("--set {set}")));
        words.extend(self.with.iter().map(|name| format!("--with {name}")));
        words.extend(self.authors.iter().map(|named| format!("--authors {named}")));
        words.join(" ")
    }
}

fn measured(replica: &Replica, rows: &[Row]) -> Measured {
    Measured::new(Task::TargetSite, &targets(rows), &scores(replica, rows), &groups(rows))
}

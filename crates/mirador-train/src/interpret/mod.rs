//! `mirador-train interpret`: what a network of target sites has learned, from a whole data set: masks, regions, pairing,
//! inner layers, kernels and double mutants (Gu et al. 2021; Talukder et al. 2022).
//!
//! A run is written to `runs/interpretation/<name>.json` ([`results`]); a report ([`page`]) reads such files only, so that
//! its sentences can change without a network.

pub mod curves;
pub mod gradients;
pub mod kernels;
pub mod moments;
pub mod page;
pub mod pairing;
mod pictures;
pub mod regions;
pub mod rescue;
pub mod results;
pub mod rows;
pub mod scorer;
pub mod units;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use mirador_models::interpret::Change;
use mirador_models::tasks::Task;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Replica, sha256};

use self::moments::Moments;
use self::results::{ClassResults, Results};
use self::rows::Class;
use self::scorer::Scorer;

/// What is interpreted, and how much of it.
pub struct Run {
    /// The results' name.
    pub name: String,
    /// `model@version`, or the model and the file of its authors' weights.
    pub network: String,
    /// The model's name.
    pub model: String,
    /// SHA-256 of the weights.
    pub weights_sha256: String,
    /// A labelled TSV.
    pub dataset: PathBuf,
    /// Only rows with this value in this column.
    pub only: Option<(String, String)>,
    /// Most rows of each class for regions and pairing.
    pub rows: Option<usize>,
    /// Most of these for masks, double mutants and gradients.
    pub sample: usize,
    /// Most of these for correlations of inner layers.
    pub unit_rows: usize,
    /// What was typed.
    pub command: String,
    /// Root of what is written.
    pub runs: PathBuf,
}

impl Run {
    /// Interprets a network and writes what was found.
    pub fn interpret(&self, replica: &Replica) -> Result<Results> {
        ensure!(replica.encoder.task() == Task::TargetSite, "{} does not score target sites", self.network);
        let start = Instant::now();
        let classes = rows::read(&self.dataset, self.only.as_ref(), self.rows)?;
        let found: Vec<ClassResults> = classes.iter().map(|class| self.class(replica, class)).collect();
        let only = self.only.as_ref().map_or(String::new(), |(column, value)| format!(", {column} {value}"));
        let file = self.dataset.file_name().unwrap_or_default().to_string_lossy();
        let kernels = (self.model == "dmiso").then(|| kernels::kernels(replica, &classes[0].pairs)).flatten();
        if let Some(kernels) = &kernels {
            kernels.write(&results::path(&self.runs, &self.name).with_extension(""))?;
        }
        let results = Results {
            name: self.name.clone(),
            network: self.network.clone(),
            weights_sha256: self.weights_sha256.clone(),
            dataset: format!("{file}{only}"),
            dataset_sha256: sha256(&self.dataset)?,
            command: self.command.clone(),
            tests: found.iter().map(|class| class.regions.len()).sum(),
            classes: found,
            kernels,
            seconds: start.elapsed().as_secs_f64(),
        };
        results.write(&self.runs)?;
        Ok(results)
    }

    fn class(&self, replica: &Replica, class: &Class) -> ClassResults {
        let (scorer, pairs) = (Scorer(replica), &class.pairs);
        let what = |step: &str| format!("{}, {}, {step}", self.name, class.name);
        let sample = &pairs[..pairs.len().min(self.sample)];
        let duplexes = pairing::fold(pairs);
        let regions = regions::regions(&scorer, &what("regions"), pairs);
        let mut original = Moments::default();
        original.extend(regions.original.iter().copied());
        let mut energy = Moments::default();
        energy.extend(duplexes.iter().flatten().map(|duplex| duplex.energy));
        ClassResults {
            name: class.name.to_owned(),
            available: class.available,
            rows: pairs.len(),
            sample: sample.len(),
            probability: original.mean(),
            probability_error: original.error(),
            permuted: permuted(&scorer, &what("permuted sites"), pairs),
            pairing: pairing::pairing(pairs, &duplexes, &regions.of_rows),
            regions: regions.effects,
            seed_letters: pairing::seed_letters(pairs),
            energy: energy.mean(),
            without_duplex: duplexes.iter().filter(|duplex| duplex.is_none()).count(),
            units: units::units(replica, pairs, &duplexes, self.unit_rows),
            rescue: (!sample.is_empty())
                .then(|| rescue::rescued(&scorer, &what("double mutants"), sample, &duplexes)),
            gradients: gradients::gradients(replica, sample),
            curves: match sample {
                [] => Vec::new(),
                _ => curves::curves(&scorer, &what("masks"), sample),
            },
        }
    }
}

/// The mean probability with each miRNA beside the next row's site. Rows stand in an order drawn by lot.
fn permuted(scorer: &Scorer<'_>, what: &str, pairs: &[Pair]) -> f64 {
    let partner = |row: usize| pairs[(row + 1) % pairs.len()].site.clone();
    let others: Vec<Pair> = pairs
        .iter()
        .enumerate()
        .map(|(row, pair)| Pair { mirna: pair.mirna.clone(), site: partner(row) })
        .collect();
    let mut mean = Moments::default();
    scorer.each(what, &others, |_| Vec::<Change>::new(), |_, scores| mean.push(f64::from(scores[0])));
    mean.mean()
}

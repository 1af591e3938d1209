//! `mirador-train side-by-side`: networks, authors' weights and what needs no training on the same test rows, whole and by
//! stratum; where each puts a site among others of its 3'UTR; what abundance adds; which miRNAs a network answers alike.
//! A plan in `reports/templates/side_by_side/NAME.json` says what; the result is `reports/side_by_side/NAME.json`.

mod abundance;
mod clusters;
mod plan;
mod ranked;
mod scorers;
mod strata;

pub use plan::Plan;

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use mirador_models::sha256;
use mirador_models::tasks::Task;
use tch::Device;

use self::scorers::{Judge, judges};
use self::strata::Strata;
use crate::data::target_sites::dataset::Example;
use crate::data::target_sites::prepare::HEJRET_TEST;
use crate::data::target_sites::reads::{READS_TEST, test_reads};
use crate::data::{files, prepare};
use crate::experiment::{Experiment, Row, groups, targets};
use crate::experiments::open;
use crate::experiments::target_sites::with_permuted;
use crate::recipe::Roots;
use crate::results;
use crate::results::predictions::{self, Predictions};
use crate::results::side_by_side::{ReachedHere, Scorer, SetBeside, SideBySide, command};
use crate::stats::metrics::{AtThreshold, with_intervals};

/// A stratum with fewer rows, or fewer rows of a class, is left out.
const LEAST_ROWS: usize = 40;
const LEAST_OF_CLASS: usize = 10;

/// Where everything is.
pub struct Comparison {
    /// The plan's name.
    pub name: String,
    /// What is asked.
    pub plan: Plan,
    /// Recipes, weights, runs.
    pub roots: Roots,
    /// The public files.
    pub data: PathBuf,
    /// Authors' weights.
    pub reference: PathBuf,
    /// Root of the reports.
    pub reports: PathBuf,
    /// Where networks run.
    pub device: Device,
}

/// A test's rows, by name.
type Test = (String, Vec<Row>);

impl Comparison {
    /// Measures, and writes the result.
    pub fn run(&self) -> Result<SideBySide> {
        let recipe = self.roots.read(&self.plan.rows)?;
        ensure!(recipe.data.task() == Task::TargetSite, "{} does not score target sites", recipe.id());
        let dataset = files::file(recipe.data.dataset());
        prepare::ensure(recipe.data.dataset(), &self.data, &dataset)?;
        let experiment = open(&recipe, &dataset)?;
        let tests = self.tests(&*experiment)?;
        let judges = judges(self, &*experiment)?;
        let strata = Strata::new(&self.data, &experiment.folds()[0].train)?;
        let mut sets = Vec::new();
        for (name, rows) in &tests {
            let scores: Vec<ScoresOf<'_>> =
                judges.iter().map(|judge| (judge, judge.score(name, rows))).collect();
            let whole = |of: &(&Judge<'_>, Vec<f64>)| of.1.len() == rows.len();
            ensure!(scores.iter().all(whole), "{name}: the held-out scores are of other rows");
            let by_stratum = self.plan.strata.contains(name);
            let wanted = strata.of(rows).into_iter().filter(|one| one.kind.is_empty() || by_stratum);
            sets.extend(wanted.filter_map(|stratum| beside(name, rows, &scores, stratum)));
            println!("{name}: {} rows by {} scorers", rows.len(), judges.len());
        }
        let ranked = ranked::ranked(self, &tests, &judges)?;
        let compared = SideBySide {
            command: command(&self.name),
            rows: recipe.id(),
            dataset_sha256: sha256(&dataset)?,
            scorers: judges.iter().map(|judge| judge.scorer.clone()).collect(),
            sets,
            ranked,
            abundance: self.plan.abundance.then(|| abundance::abundance(self, &*experiment)).transpose()?,
            clusters: clusters::clusters(self, &*experiment, &tests, &judges)?,
        };
        results::write(&SideBySide::path(&self.reports, &self.name), &compared)?;
        Ok(compared)
    }

    /// The plan's tests, all folds together; and, beside Hejret 2023's, its reads as they were read.
    fn tests(&self, experiment: &dyn Experiment) -> Result<Vec<Test>> {
        let mut tests: Vec<Test> = Vec::new();
        for (name, rows) in experiment.folds().iter().flat_map(|fold| &fold.tests) {
            match tests.iter_mut().find(|test| test.0 == *name) {
                Some(test) => test.1.extend(rows.iter().cloned()),
                None => tests.push((name.clone(), rows.clone())),
            }
        }
        if self.plan.tests.iter().any(|name| name == READS_TEST) {
            let rows =
                tests.iter().find(|test| test.0 == HEJRET_TEST).context("rows without Hejret's test")?;
            let positives: Vec<_> = rows.1.iter().filter(|row| row.label()).map(Row::pair).collect();
            let reads: Vec<Example> = test_reads(&self.data, &positives)?;
            let reads = with_permuted(reads, &mut strata::lot())?;
            tests.push((READS_TEST.to_owned(), reads.into_iter().map(Row::from).collect()));
        }
        let wanted = &self.plan.tests;
        tests.retain(|test| !test.1.is_empty() && (wanted.is_empty() || wanted.contains(&test.0)));
        ensure!(!tests.is_empty(), "{} has no such tests", self.plan.rows);
        Ok(tests)
    }
}

/// A judge and its scores of a test.
type ScoresOf<'a> = (&'a Judge<'a>, Vec<f64>);

/// What everybody reaches on some rows of a test; none where they are too few.
fn beside(test: &str, rows: &[Row], scores: &[ScoresOf<'_>], stratum: strata::Stratum) -> Option<SetBeside> {
    let kept: Vec<Row> = stratum.rows.iter().map(|&row| rows[row].clone()).collect();
    let positives = kept.iter().filter(|row| row.label()).count();
    if kept.len() < LEAST_ROWS || positives.min(kept.len() - positives) < LEAST_OF_CLASS {
        return None;
    }
    let (targets, groups) = (targets(&kept), groups(&kept));
    let labels: Vec<bool> = kept.iter().map(Row::label).collect();
    let reached = scores.iter().map(|(judge, scores)| {
        let scores: Vec<f64> = stratum.rows.iter().map(|&row| scores[row]).collect();
        let Scorer { name, threshold, .. } = &judge.scorer;
        ReachedHere {
            scorer: name.clone(),
            metrics: with_intervals(Task::TargetSite, &targets, &scores, &groups),
            at_threshold: AtThreshold::new(&labels, &scores, *threshold),
        }
    });
    Some(SetBeside {
        test: test.to_owned(),
        reached: reached.collect(),
        kind: stratum.kind,
        stratum: stratum.name,
        rows: kept.len(),
        positives,
    })
}

impl Comparison {
    /// The held-out scores that training kept, of a recipe with folds.
    fn held_out(&self) -> Result<Vec<Predictions>> {
        let recipe = self.roots.read(&self.plan.rows)?;
        predictions::read(&self.roots, &recipe)?
            .with_context(|| format!("no scores of its rows are here: `{}` writes them", recipe.command()))
    }
}

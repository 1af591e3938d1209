//! `mirador-train reproduce PAPER`: a paper's whole protocol, and `reports/PAPER.md` with its figures beside ours and
//! the floors.

mod deepmirnatar;
mod dmiso;
mod drawing;
mod mirex;
mod mitar;
mod page;
mod pairmap;
mod premirna;
mod runs;
mod unbiased;

use anyhow::{Context, Result};

use mirador_models::find;
use runs::Finished;
pub use runs::Runs;

use crate::results::report::{SetReport, mean_and_range};
use crate::stats::metrics::names;

/// Writes a report.
type Report = fn(&mut Runs) -> Result<()>;

/// The reports by name: a paper's, and every target-site model on the two bias-corrected tests.
const REPORTS: [(&str, Report); 7] = [
    ("dmiso", dmiso::report),
    ("mitar", mitar::report),
    ("deepmirnatar", deepmirnatar::report),
    ("premirna-cnn-lstm", premirna::report),
    ("mirex", mirex::report),
    ("pairmap", pairmap::report),
    ("unbiased", unbiased::report),
];

/// Their names.
pub fn reports() -> [&'static str; 7] {
    REPORTS.map(|(name, _)| name)
}

/// Trains what is missing (unless `runs` forbids) and writes the report.
pub fn reproduce(name: &str, runs: &mut Runs) -> Result<()> {
    let report = REPORTS.iter().find(|report| report.0 == name);
    report.with_context(|| format!("no report {name:?}; there are {}", reports().join(", ")))?.1(runs)
}

/// Header of a table of a task's figures.
fn header<'a>(finished: &Finished, first: &'a str) -> Vec<&'a str> {
    let names = find(&finished.recipe.model).map_or(&[][..], |model| names(model.task));
    [first].into_iter().chain(names.iter().copied()).collect()
}

/// One row for a network on a test: over all runs where there are several, else with its interval.
fn network(name: &str, finished: &Finished, set: &SetReport) -> Vec<String> {
    let figures = set.model.figures.iter().enumerate().map(|(index, figure)| {
        let runs = finished.by_run(&set.name, index);
        if runs.len() > 1 { mean_and_range(runs.into_iter()) } else { figure.value.to_string() }
    });
    [name.to_owned()].into_iter().chain(figures).collect()
}

/// [`network`], with what its figures are: of validation rows there is no mean, each seed chose by them.
fn this_network(finished: &Finished, set: &SetReport) -> Vec<String> {
    let name = match finished.by_run(&set.name, 0).len() {
        0 | 1 => "this network".into(),
        seeds => format!("this network, mean (range) of {seeds} seeds"),
    };
    network(&name, finished, set)
}

/// One row for each floor of a set.
fn floors(set: &SetReport) -> impl Iterator<Item = Vec<String>> {
    set.floors.iter().map(|floor| {
        let figures = floor.figures.iter().map(|figure| figure.value.to_string());
        [format!("*{}*", floor.probe)].into_iter().chain(figures).collect()
    })
}

/// A row of a paper's figures; what it does not give is a dash.
fn printed(name: &str, figures: &[&str]) -> Vec<String> {
    [name].into_iter().chain(figures.iter().copied()).map(str::to_owned).collect()
}

//! `mirador-train reproduce PAPER`: a paper's whole protocol, and `reports/PAPER.md` with its figures beside ours and
//! the floors.

mod deepmirnatar;
mod dmiso;
mod drawing;
mod mirex;
mod mitar;
mod page;
mod premirna;
mod runs;
mod unbiased;

use anyhow::Result;

use runs::Finished;
pub use runs::Runs;

use super::metrics::names;
use super::report::{SetReport, mean_and_range};
use crate::models::find;

/// A report.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
pub enum Paper {
    /// DMISO (Talukder et al. 2022)
    Dmiso,
    /// miTAR (Gu et al. 2021)
    Mitar,
    /// DeepmiRNATar (2024)
    Deepmirnatar,
    /// The CNN-LSTM for pre-miRNAs (Tasdelen & Sen 2021)
    PremirnaCnnLstm,
    /// miREx on Xpresso
    Mirex,
    /// Every target-site model on the two bias-corrected tests
    Unbiased,
}

/// Trains what is missing (unless `runs` forbids) and writes the report.
pub fn reproduce(paper: Paper, runs: &mut Runs) -> Result<()> {
    match paper {
        Paper::Dmiso => dmiso::report(runs),
        Paper::Mitar => mitar::report(runs),
        Paper::Deepmirnatar => deepmirnatar::report(runs),
        Paper::PremirnaCnnLstm => premirna::report(runs),
        Paper::Mirex => mirex::report(runs),
        Paper::Unbiased => unbiased::report(runs),
    }
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

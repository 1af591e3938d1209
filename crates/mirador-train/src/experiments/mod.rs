//! What each task adds to the loop.

pub mod expression;
pub mod pre_mirnas;
pub mod target_sites;

use std::path::Path;

use anyhow::{Result, bail};

use crate::data::target_sites::{dataset, taught};
use crate::experiment::Experiment;
use crate::recipe::{Data, Recipe};

/// Reads a recipe's dataset file.
pub fn open(recipe: &Recipe, path: &Path) -> Result<Box<dyn Experiment>> {
    Ok(match &recipe.data {
        Data::TaughtPairs(_) => Box::new(target_sites::Taught::new(taught::read(path)?)?),
        Data::TargetSites(data) => Box::new(target_sites::Examples::new(dataset::read(path)?, data)?),
        Data::IsomirReads(data) => Box::new(target_sites::Reads::new(dataset::read(path)?, data.split)?),
        Data::PreMirnas(data) => Box::new(pre_mirnas::Folds::open(path, data)?),
        Data::Expression(data) => Box::new(expression::Genes::open(path, data.split)?),
        Data::Repression(_) => bail!("{} is fitted in closed form and has no rows for the loop", recipe.id()),
    })
}

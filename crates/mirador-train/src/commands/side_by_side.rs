//! `mirador-train side-by-side`: networks and baselines on the same rows, by stratum.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use tch::Device;

use crate::recipe::Roots;
use crate::side_by_side::{Comparison, Plan};

/// What `side-by-side` takes.
#[derive(Args, Debug)]
pub(super) struct MeasureSideBySide {
    /// The plan: side_by_side/NAME.json below --templates
    name: String,
    /// Folder of the public files, of which the dataset is made where it is not there
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Folder of the authors' weights
    #[arg(long, default_value = "../shared/reference")]
    reference: PathBuf,
    /// Root of the checkpoints, and of the networks that are only measured
    #[arg(long, default_value = "runs")]
    runs: PathBuf,
    /// Root of the reports: the result goes to side_by_side/NAME.json
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
    /// Root of their templates
    #[arg(long, default_value = "reports/templates")]
    templates: PathBuf,
}

impl MeasureSideBySide {
    /// Measures and writes the result.
    pub(super) fn run(self, recipes: PathBuf, weights: PathBuf, device: Device) -> Result<()> {
        let plan = Plan::read(&self.templates, &self.name)?;
        let roots = Roots { recipes, weights, runs: self.runs };
        let Self { name, data, reference, reports, .. } = self;
        Comparison { name, plan, roots, data, reference, reports, device }.run()?;
        Ok(())
    }
}

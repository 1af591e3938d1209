//! `mirador-train interpret`: what a network has learned, from a whole data set, and its report.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use mirador_models::{Options, Replica, WeightsDir, sha256};
use tch::Device;

use crate::interpret::{Run, page};
use crate::published::published;

/// What `interpret` takes.
#[derive(Args, Debug)]
pub(super) struct Interpret {
    /// Model name, or name@version
    model: String,
    /// A TSV with columns mirna, site, label; without it, only the report is written again
    #[arg(long)]
    dataset: Option<PathBuf>,
    /// Only rows with this value, e.g. source=deepmirtar
    #[arg(long)]
    pub only: Option<String>,
    /// The authors' weights in place of ours: a safetensors file under the published names
    #[arg(long)]
    published: Option<PathBuf>,
    /// The model's own switches for --published, as JSON
    #[arg(long, default_value = "{}", value_parser = super::parse_options)]
    options: Options,
    /// Name of the results below RUNS/interpretation/ [default: the model, the version and the data set]
    #[arg(long)]
    name: Option<String>,
    /// Most rows of each label, drawn with a fixed seed [default: all]
    #[arg(long)]
    rows: Option<usize>,
    /// Most of these for masks, double mutants and gradients, which score hundreds of variants of a row
    #[arg(long, default_value_t = 500)]
    sample: usize,
    /// Most of these for correlations of inner layers, which are all held in memory
    #[arg(long, default_value_t = 4000)]
    unit_rows: usize,
    /// Root of the results
    #[arg(long, default_value = "runs")]
    runs: PathBuf,
    /// Root of the reports
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
    /// Root of their templates
    #[arg(long, default_value = "reports/templates")]
    templates: PathBuf,
}

impl Interpret {
    /// Interprets a network, if there is a data set, and writes its model's report, if there is a template.
    pub(super) fn run(
        self,
        weights: Option<&Path>,
        device: Device,
        only: Option<(String, String)>,
    ) -> Result<()> {
        let (model, version) = self
            .model
            .split_once('@')
            .map_or((&*self.model, None), |(model, version)| (model, Some(version)));
        if let Some(dataset) = &self.dataset {
            let (replica, network, digest) = match &self.published {
                Some(_) if version.is_some() => bail!("--published takes the place of a version"),
                Some(file) => {
                    let replica = published(model, file, &self.options, device)?;
                    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
                    (replica, format!("{model}, published {stem}"), sha256(file)?)
                }
                None => ours(&super::find_weights(weights, &self.model)?, device)?,
            };
            let run = Run {
                name: self.name.clone().unwrap_or_else(|| name(&network, dataset)),
                network,
                model: model.to_owned(),
                weights_sha256: digest,
                dataset: dataset.clone(),
                only,
                rows: self.rows,
                sample: self.sample,
                unit_rows: self.unit_rows,
                command: self.command(dataset),
                runs: self.runs.clone(),
            };
            run.interpret(&replica)?;
        }
        page::write(model, &self.templates, &self.runs, &self.reports)
    }

    /// The command that gives these results, with files as they lie beside the project.
    fn command(&self, dataset: &Path) -> String {
        let file = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut words = vec!["mirador-train interpret".to_owned(), self.model.clone()];
        words.push(format!("--dataset data/{}", file(dataset)));
        words.extend(self.only.iter().map(|only| format!("--only {only}")));
        words.extend(
            self.published.iter().map(|path| format!("--published ../shared/reference/{}", file(path))),
        );
        if !self.options.is_empty() {
            words.push(format!("--options '{}'", serde_json::json!(self.options)));
        }
        words.extend(self.name.iter().map(|name| format!("--name {name}")));
        words.extend(self.rows.map(|rows| format!("--rows {rows}")));
        words.push(format!("--sample {} --unit-rows {}", self.sample, self.unit_rows));
        words.join(" ")
    }
}

/// The default name of results: letters, digits and hyphens.
fn name(network: &str, dataset: &Path) -> String {
    let set = dataset.file_stem().unwrap_or_default().to_string_lossy();
    format!("{network}-{set}").replace(['@', '_', ' ', ',', '.'], "-").replace("--", "-")
}

fn ours(weights: &WeightsDir, device: Device) -> Result<(Replica, String, String)> {
    let replica = weights.load(device)?;
    weights.golden()?.verify(&replica)?;
    Ok((replica, weights.config.id().to_string(), weights.config.sha256.clone()))
}

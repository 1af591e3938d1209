//! What a comparison asks.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::{ModelId, Options};
use serde::Deserialize;

/// `reports/templates/side_by_side/NAME.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// A version, on whose test rows all are measured.
    pub rows: ModelId,
    /// Tests of it that take part; none: all. `hejret2023_reads` are the positives of Hejret 2023's test as they were read, with
    /// their sites permuted.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Versions of ours that score. Where the rows' own version was trained in folds, its held-out scores are taken.
    #[serde(default)]
    pub networks: Vec<ModelId>,
    /// Authors' networks that score.
    #[serde(default)]
    pub published: Vec<Published>,
    /// Tests that are also measured by stratum.
    #[serde(default)]
    pub strata: Vec<String>,
    /// Tests whose sites are ranked among other windows of their 3'UTRs.
    #[serde(default)]
    pub ranked: Vec<String>,
    /// Whether abundances are put beside the held-out logit of the rows' own version.
    #[serde(default)]
    pub abundance: bool,
    /// The test whose miRNAs are put into clusters by what masks do to the first network.
    #[serde(default)]
    pub clusters: Option<String>,
}

/// An authors' network.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// What tables call it.
    pub name: String,
    /// The model that the weights fit.
    pub model: String,
    /// The file below the folder of authors' weights.
    pub file: String,
    /// The model's own switches.
    #[serde(default)]
    pub options: Options,
}

impl Plan {
    /// Reads the plan of this name below the templates.
    pub fn read(templates: &Path, name: &str) -> Result<Self> {
        let path = templates.join("side_by_side").join(format!("{name}.json"));
        let text = fs::read_to_string(&path).with_context(|| format!("no plan {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_committed_plan_is_read() {
        let templates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../reports/templates"));
        let mut read = 0;
        for file in fs::read_dir(templates.join("side_by_side")).unwrap() {
            let path = file.unwrap().path();
            Plan::read(templates, path.file_stem().unwrap().to_str().unwrap()).unwrap();
            read += 1;
        }
        assert!(read > 0);
    }
}

//! What one run found, as `runs/interpretation/<name>.json` keeps it: a report can be written again without a network.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::curves::StrandCurves;
use super::gradients::Gradients;
use super::kernels::Kernels;
use super::pairing::{Pairing, SeedLetter};
use super::regions::RegionEffect;
use super::rescue::Rescue;
use super::units::Correlations;

/// One network on one data set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The file's name.
    pub name: String,
    /// `model@version`, or the model and the file of its authors' weights.
    pub network: String,
    /// SHA-256 of the weights.
    pub weights_sha256: String,
    /// The data set's file name, and what was kept of it.
    pub dataset: String,
    /// SHA-256 of the data set.
    pub dataset_sha256: String,
    /// What was typed.
    pub command: String,
    /// Mann–Whitney tests of the run; the bound of each is .05 divided by it.
    pub tests: usize,
    /// Positives, then negatives, where there are some.
    pub classes: Vec<ClassResults>,
    /// Kernels as motifs, of DMISO.
    pub kernels: Option<Kernels>,
    /// Wall-clock time, s.
    pub seconds: f64,
}

/// What was found in the rows of one label.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ClassResults {
    /// `positives` or `negatives`.
    pub name: String,
    /// Rows of this label in the data set.
    pub available: usize,
    /// Rows of the regions and of the pairing.
    pub rows: usize,
    /// Rows of the masks and of the double mutants, the first of those.
    pub sample: usize,
    /// Mean probability of the rows as they are.
    pub probability: f64,
    /// Standard error of that mean.
    pub probability_error: f64,
    /// Mean probability with the sites permuted among the rows: the true pairing is gone.
    pub permuted: f64,
    /// Regions, alone, together, and with G in place of N.
    pub regions: Vec<RegionEffect>,
    /// Masks along both strands; empty where none were asked for.
    pub curves: Vec<StrandCurves>,
    /// Pairing by region.
    pub pairing: Vec<Pairing>,
    /// Letters of the seed.
    pub seed_letters: Vec<SeedLetter>,
    /// Mean free energy of the duplexes, kcal/mol.
    pub energy: f64,
    /// Rows without a stable duplex.
    pub without_duplex: usize,
    /// Correlations of inner layers with the energy.
    pub units: Vec<Correlations>,
    /// Double mutants; none where none were asked for.
    pub rescue: Option<Rescue>,
    /// Integrated gradients; none where the network reads whole letters only.
    pub gradients: Option<Gradients>,
}

/// Where results of a name lie.
pub fn path(runs: &Path, name: &str) -> PathBuf {
    runs.join("interpretation").join(format!("{name}.json"))
}

impl Results {
    /// Writes the file.
    pub fn write(&self, runs: &Path) -> Result<()> {
        let path = path(runs, &self.name);
        fs::create_dir_all(path.with_file_name("")).with_context(|| path.display().to_string())?;
        fs::write(&path, serde_json::to_string(self)?).with_context(|| path.display().to_string())?;
        println!("wrote {}", path.display());
        Ok(())
    }

    /// Reads a file; none where there is none.
    pub fn read(runs: &Path, name: &str) -> Result<Option<Self>> {
        let path = path(runs, name);
        if !path.is_file() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        Ok(Some(serde_json::from_str(&text).with_context(|| path.display().to_string())?))
    }

    /// The rows of one label.
    pub fn class(&self, name: &str) -> Option<&ClassResults> {
        self.classes.iter().find(|class| class.name == name)
    }
}

//! The dataset files by name, and what makes each from the public files.

use std::path::Path;

use anyhow::{Context, Result};

use super::files::{beside, log};
use super::target_sites::{prepare as target_sites, published, reads, taught, teaching, transcripts};
use super::{expression, pre_mirnas, repression};

/// Writes a dataset from the public files below a folder; says what was done, in words.
type Prepare = fn(data: &Path, out: &Path) -> Result<Vec<String>>;

const DATASETS: [(&str, Prepare); 14] = [
    ("target-sites", target_sites::target_sites),
    ("all-target-sites", target_sites::all_target_sites),
    ("teaching-pairs", teaching::teaching_pairs),
    ("taught-pairs", taught::taught_pairs),
    ("isomir-reads", reads::isomir_reads),
    ("transcript-sites", transcripts::transcript_sites),
    ("deepmirnatar", |data, out| published::prepare_deepmirnatar(data, out, false)),
    ("deepmirnatar-raw", |data, out| published::prepare_deepmirnatar(data, out, true)),
    ("mitar-deepmirtar", published::prepare_mitar_deepmirtar),
    ("mitar-miraw", published::prepare_mitar_miraw),
    ("mitar", published::prepare_mitar),
    ("pre-mirnas", pre_mirnas::prepare::pre_mirnas),
    ("expression", expression::prepare::public),
    ("repression", repression::prepare::public),
];

/// Their names.
pub fn names() -> [&'static str; 14] {
    DATASETS.map(|(name, _)| name)
}

/// Makes the dataset that a recipe names, unless it is there. One step may write several: `expression` writes
/// `expression_86` beside it.
pub fn ensure(dataset: &str, data: &Path, out: &Path) -> Result<()> {
    if out.is_file() || !data.is_dir() {
        return Ok(());
    }
    let name = dataset.replace('_', "-");
    let makes = |known: &&str| name == **known || name.starts_with(&format!("{known}-"));
    let known = names().into_iter().filter(makes).max_by_key(|known| known.len());
    let known = known.with_context(|| format!("no dataset {dataset:?}"))?;
    prepare(known, data, &beside(out, known))
}

/// Makes a dataset.
pub fn prepare(name: &str, data: &Path, out: &Path) -> Result<()> {
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let found = DATASETS.iter().find(|dataset| dataset.0 == name);
    log(
        out,
        &found.with_context(|| format!("no dataset {name:?}; there are {}", names().join(", ")))?.1(
            data, out,
        )?,
    )
}

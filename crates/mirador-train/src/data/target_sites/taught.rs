//! Pairs with a teacher's opinion: what `teaching` draws, labelled by the published miRBind2. It was trained on 2.5 million
//! pairs of an experiment whose rows are not at hand.

use std::path::Path;

use anyhow::Result;
use indicatif::ProgressIterator;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Options, sha256};
use serde::{Deserialize, Serialize};
use tch::Device;

use super::teaching;
use crate::data::files::{beside, log};
use crate::data::tsv::{self, parse_pair};
use crate::published::published;

/// The teacher, and its published weights beside the folder of the public files.
pub const TEACHER: &str = "mirbind2";
const WEIGHTS: &str = "../reference/mirbind2.safetensors";
/// Pairs that the teacher sees at once.
const BATCH: usize = 512;

#[derive(Serialize, Deserialize)]
struct Record {
    mirna: String,
    site: String,
    logit: f32,
}

/// Writes `out`: columns mirna, site and the teacher's logit. On one core it takes some twenty minutes.
pub fn taught_pairs(data: &Path, out: &Path) -> Result<Vec<String>> {
    let pairs = beside(out, "teaching-pairs");
    if !pairs.is_file() {
        log(&pairs, &teaching::teaching_pairs(data, &pairs)?)?;
    }
    let weights = data.join(WEIGHTS);
    let teacher = published(TEACHER, &weights, &Options::new(), Device::Cpu)?;
    let pairs = teaching::read(&pairs)?;
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(out)?;
    for pairs in pairs.chunks(BATCH).progress() {
        let inputs: Vec<Input> = pairs.iter().map(|pair| pair.clone().into()).collect();
        for (pair, logit) in pairs.iter().zip(teacher.score(&inputs)) {
            // Three decimals: what differs between processors is smaller.
            let logit = (logit * 1000.0).round() / 1000.0;
            writer.serialize(Record { mirna: pair.mirna.to_string(), site: pair.site.to_string(), logit })?;
        }
    }
    writer.flush()?;
    drop(writer);
    Ok(vec![
        format!("{} pairs labelled by {TEACHER}, SHA-256 of its weights {}", pairs.len(), sha256(&weights)?),
        format!("{} rows in {}, SHA-256 {}", pairs.len(), out.display(), sha256(out)?),
    ])
}

/// Pairs and logits of a file that [`taught_pairs`] wrote.
pub fn read(path: &Path) -> Result<Vec<(Pair, f32)>> {
    tsv::read(path, |Record { mirna, site, logit }| Ok((parse_pair(&mirna, &site)?, logit)))
}

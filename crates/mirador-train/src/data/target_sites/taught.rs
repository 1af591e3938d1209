//! Pairs with a teacher's opinion: what `teaching` draws, labelled by the published miRBind2. It was trained on 2.5 million
//! pairs of an experiment whose rows are not at hand.

use std::path::Path;

use anyhow::{Context, Result};
use indicatif::ProgressIterator;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Options, Replica, Tensors, find, sha256};
use serde::{Deserialize, Serialize};
use tch::Device;

use super::teaching;
use crate::data::files::{beside, log};
use crate::data::tsv::{self, parse_pair};

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
    let teacher = teacher(&weights)?;
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

fn teacher(weights: &Path) -> Result<Replica> {
    let model = find(TEACHER).with_context(|| format!("no model {TEACHER}"))?;
    let convert = model.from_published.with_context(|| format!("{TEACHER} has no published weights"))?;
    let replica = Replica::new(model, &Options::new(), Device::Cpu)?;
    let unreadable = || format!("{}: the published {TEACHER} as safetensors", weights.display());
    Tensors::read(weights)
        .and_then(convert)
        .and_then(|tensors| tensors.load_into(&replica.store))
        .with_context(unreadable)?;
    Ok(replica)
}

/// Pairs and logits of a file that [`taught_pairs`] wrote.
pub fn read(path: &Path) -> Result<Vec<(Pair, f32)>> {
    tsv::read(path, |Record { mirna, site, logit }| Ok((parse_pair(&mirna, &site)?, logit)))
}

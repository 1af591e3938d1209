//! What DeepmiRNATar learns before any label: word2vec over miRNAs, BERT over 3'UTRs. Both are frozen afterwards.

mod markov;
mod masked_lm;
mod masks;
mod run;
mod text;
mod word2vec;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use mirador_models::networks::deepmirnatar::WORD2VEC;
use mirador_models::networks::deepmirnatar::kmers::kmers;
use mirador_models::{ModelId, Tensors, sha256, write_json};
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

pub use run::Settings;

use crate::data::sources::Tally;
use masked_lm::{Guesses, MaskedLm};
use text::Text;

const SEED: u64 = 1;

/// `pretrained.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// What was chosen.
    pub settings: Settings,
    /// What was read.
    pub text: Vec<String>,
    /// Digest of the text.
    pub text_sha256: String,
    /// The miRNA's vectors.
    pub word2vec: word2vec::Summary,
    /// Steps of the masked language model, and the mean training loss since the entry before.
    pub losses: Vec<(usize, f64)>,
    /// The steps of pre-training.
    pub steps: usize,
    /// How long they took.
    pub seconds: f64,
    /// On held-out 3'UTR windows.
    pub held_out: Guesses,
    /// A chain that knows the three letters before each letter, on the same.
    pub markov: Guesses,
    /// Digest of `pretrained.safetensors`.
    pub sha256: String,
}

/// Whether a version is made here, by a recipe that holds [`Settings`].
pub fn is_made_by(id: &ModelId) -> bool {
    (id.name.as_str(), id.version.as_str()) == ("deepmirnatar", "pretrained")
}

/// The pre-trained weights, made now where they are not there.
pub fn ensure(recipe: &Path, data: &Path, runs: &Path, device: Device) -> Result<PathBuf> {
    let file = runs.join("deepmirnatar").join("pretrained.safetensors");
    if !file.is_file() {
        deepmirnatar(recipe, data, runs, device)?;
    }
    Ok(file)
}

/// Writes `pretrained.safetensors`, under the names of the network's frozen variables, and `pretrained.json`.
pub fn deepmirnatar(recipe: &Path, data: &Path, runs: &Path, device: Device) -> Result<()> {
    let place = || recipe.display().to_string();
    let settings: Settings =
        serde_json::from_str(&fs::read_to_string(recipe).with_context(place)?).with_context(place)?;
    let mut tally = Tally::default();
    let text = Text::read(data, &mut tally)?;
    tally.0.iter().for_each(|line| println!("{line}"));
    let sentences: Vec<Vec<i64>> = text.mirnas.iter().map(|mirna| kmers(mirna)).collect();
    let (vectors, word2vec) = word2vec::train(&sentences, SEED);
    println!("word2vec: losses {:.3?}", word2vec.losses);

    let folder = runs.join("deepmirnatar");
    tch::manual_seed(SEED as i64);
    let model = MaskedLm::new(settings.layers, device);
    let text_sha256 = text.sha256();
    let state = run::train(&model, &text.windows, &settings, &text_sha256, &folder.join("pretraining"))?;
    let (held_out, markov) = model.measure(&text.windows, &text.held_out, settings.mask_run);
    println!("held out: {held_out:?}; Markov chain: {markov:?}");

    let tensors = frozen(&vectors, &model);
    let file = folder.join("pretrained.safetensors");
    tensors.write(&file)?;
    let report = Report {
        settings,
        text: tally.0,
        text_sha256,
        word2vec,
        losses: state.history,
        steps: state.step,
        seconds: state.seconds,
        held_out,
        markov,
        sha256: sha256(&file)?,
    };
    write_json(&folder.join("pretrained.json"), &report)?;
    println!("wrote {}", file.display());
    Ok(())
}

/// Under the names of the network's frozen variables.
fn frozen(vectors: &[f32], model: &MaskedLm) -> Tensors {
    let vectors = Tensor::from_slice(vectors).view([-1, WORD2VEC]);
    let mut tensors = Tensors::copy([("word2vec".to_owned(), vectors)]);
    tensors.extend_with("bert.", Tensors::of(&model.store).split_off("bert."));
    tensors
}

#[cfg(test)]
mod tests {
    use mirador_models::networks::deepmirnatar;
    use mirador_models::{Options, Replica};

    use super::*;

    #[test]
    fn the_network_takes_all_that_was_learnt() {
        let replica = Replica::new(&deepmirnatar::MODEL, &Options::new(), Device::Cpu).unwrap();
        let (vectors, _) = word2vec::train(&[(5..40).collect()], SEED);
        let model = MaskedLm::new(6, Device::Cpu);
        frozen(&vectors, &model).load_part_into(&replica.store).unwrap();
        let variables = replica.store.variables();
        let learnt = model.store.variables();
        for (name, variable) in variables.iter().filter(|(_, variable)| !variable.requires_grad()) {
            let same = learnt.get(name).is_none_or(|learnt| *learnt == *variable);
            assert!(same && (name == "word2vec" || learnt.contains_key(name)), "{name}");
        }
        assert_eq!(variables["word2vec"].double_value(&[3, 5]), f64::from(vectors[3 * 34 + 5]));
    }
}

//! The network of Fig. 1.

use tch::nn::{self, Init, ModuleT};
use tch::{Kind, Tensor};

use super::cell::BiLstm;
use super::{IDS, Switches};
use crate::networks::layers::{conv1d, dense};
use crate::{Layers, LoadError, Network, Options};

const EMBEDDED: i64 = 5;
const KERNELS: i64 = 320;
const KERNEL_WIDTH: i64 = 12;
const UNITS: i64 = 32;

#[derive(Debug)]
struct Mitar {
    embedding: nn::Embedding,
    conv: nn::Conv1D,
    bilstm: BiLstm,
    dense: nn::Linear,
    output: nn::Linear,
    switches: Switches,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let embedding =
        nn::EmbeddingConfig { ws_init: Init::Uniform { lo: -0.05, up: 0.05 }, ..Default::default() };
    Ok(Box::new(Mitar {
        embedding: nn::embedding(path / "embedding", IDS, EMBEDDED, embedding),
        conv: conv1d(path / "conv", EMBEDDED, KERNELS, KERNEL_WIDTH),
        bilstm: BiLstm::new(&(path / "bilstm"), KERNELS, UNITS),
        dense: dense(path / "dense", 2 * UNITS, 16),
        output: dense(path / "output", 16, 1),
        switches: LoadError::options(options)?,
    }))
}

/// What the layers give.
struct Stages {
    /// The convolution after ReLU: (n, 320, 68), or 55 positions.
    maps: Tensor,
    /// Last states of both directions: (n, 64).
    states: Tensor,
    /// The dense layer after ReLU: (n, 16).
    dense: Tensor,
    /// The logit: (n, 1).
    output: Tensor,
}

impl Mitar {
    /// The letters' vectors: (n, 79, 5), or 66 letters.
    fn vectors(&self, input: &Tensor) -> Tensor {
        input.to_kind(Kind::Int64).apply(&self.embedding)
    }

    fn run(&self, vectors: &Tensor, train: bool) -> Stages {
        let drop = self.switches.dropout;
        let maps = vectors
            .transpose(1, 2)
            .apply(&self.conv) // (n, 320, 68)
            .relu();
        let merged = maps
            .dropout(drop, train)
            .max_pool1d(2, 2, 0, 1, false) // (n, 320, 34)
            .dropout(drop, train)
            .transpose(1, 2);
        let states = self.bilstm.last_states(&merged); // (n, 64)
        let dense = states.dropout(drop, train).apply(&self.dense).relu(); // (n, 16)
        let output = dense.dropout(drop, train).apply(&self.output); // (n, 1)
        Stages { maps, states, dense, output }
    }
}

impl Layers for Mitar {
    fn stages(&self, input: &Tensor) -> Vec<(&'static str, Tensor)> {
        let Stages { maps, states, dense, .. } = self.run(&self.vectors(input), false);
        vec![("maps", maps), ("states", states), ("dense", dense)]
    }

    fn embed(&self, input: &Tensor) -> Option<Tensor> {
        Some(self.vectors(input))
    }

    fn forward_embedded(&self, embedded: &Tensor) -> Option<Tensor> {
        Some(self.run(embedded, false).output)
    }
}

impl ModuleT for Mitar {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        self.run(&self.vectors(input), train).output
    }
}

//! The network of Fig. 1B. Where the paper is silent (batch normalisation, order of ReLU and pooling) it follows
//! the released code. L1 is taken of both convolutions and of the first dense layer.

use serde::Deserialize;
use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::{MIRNA_ROWS, SITE_ROWS};
use crate::networks::layers::{batch_norm, conv1d, dense};
use crate::networks::lstm::Lstm;
use crate::{Layers, LoadError, Network, Options};

const KERNELS: i64 = 10;
const KERNEL_WIDTH: i64 = 8;
const POOL: i64 = 4;
const UNITS: i64 = 10;
const STEPS: i64 = MIRNA_ROWS as i64 + SITE_ROWS as i64 - 2 * (KERNEL_WIDTH - 1 + POOL - 1);

/// Dropout after the merged maps, the LSTM and the dense layer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    dropout: [f64; 3],
}

impl Default for Switches {
    fn default() -> Self {
        Self { dropout: [0.25, 0.5, 0.5] }
    }
}

#[derive(Debug)]
struct Dmiso {
    conv_mirna: nn::Conv1D,
    conv_site: nn::Conv1D,
    norm_merged: nn::BatchNorm,
    lstm: Lstm,
    norm_lstm: nn::BatchNorm,
    dense: nn::Linear,
    norm_dense: nn::BatchNorm,
    output: nn::Linear,
    norm_output: nn::BatchNorm,
    switches: Switches,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    Ok(Box::new(Dmiso {
        conv_mirna: conv1d(path / "conv_mirna", 4, KERNELS, KERNEL_WIDTH),
        conv_site: conv1d(path / "conv_site", 4, KERNELS, KERNEL_WIDTH),
        norm_merged: batch_norm(path / "norm_merged", KERNELS),
        lstm: Lstm::both_ways(&(path / "lstm"), KERNELS, UNITS),
        norm_lstm: batch_norm(path / "norm_lstm", 2 * UNITS),
        dense: dense(path / "dense", STEPS * 2 * UNITS, 100),
        norm_dense: batch_norm(path / "norm_dense", 100),
        output: dense(path / "output", 100, 1),
        norm_output: batch_norm(path / "norm_output", 1),
        switches: LoadError::options(options)?,
    }))
}

impl Layers for Dmiso {
    fn embed(&self, input: &Tensor) -> Option<Tensor> {
        Some(input.view([-1, (MIRNA_ROWS + SITE_ROWS) as i64, 4]))
    }

    fn forward_embedded(&self, embedded: &Tensor) -> Option<Tensor> {
        Some(self.forward_t(&embedded.flatten(1, 2), false))
    }
}

impl ModuleT for Dmiso {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let [merged, lstm, dense] = self.switches.dropout;
        let (mirna, site) = (MIRNA_ROWS as i64, SITE_ROWS as i64);
        let branch = |first: i64, rows: i64, conv: &nn::Conv1D| {
            input
                .narrow(1, first * 4, rows * 4)
                .view([-1, rows, 4])
                .transpose(1, 2) // (n, 4, rows)
                .apply(conv)
                .relu()
                .max_pool1d(POOL, 1, 0, 1, false) // (n, 10, rows − 10)
        };
        Tensor::cat(&[branch(0, mirna, &self.conv_mirna), branch(mirna, site, &self.conv_site)], 2) // (n, 10, 70)
            .apply_t(&self.norm_merged, train)
            .dropout(merged, train)
            .transpose(1, 2) // (n, 70, 10)
            .apply(&self.lstm) // (n, 70, 20)
            .transpose(1, 2)
            .apply_t(&self.norm_lstm, train)
            .transpose(1, 2)
            .dropout(lstm, train)
            .flatten(1, 2) // (n, 1400), time-major
            .apply(&self.dense) // (n, 100)
            .apply_t(&self.norm_dense, train)
            .relu()
            .dropout(dense, train)
            .apply(&self.output) // (n, 1)
            .apply_t(&self.norm_output, train)
    }
}

//! The network, as the authors' released code and weights have it.

use tch::nn::{self, BatchNormConfig, ConvConfig, Init, LinearConfig, ModuleT};
use tch::{Device, Kind, Tensor};

use super::{MIRNA_ROWS, SITE_ROWS};
use crate::{Layers, LoadError, Network, Options};

/// States of a pair of letters: 4 × the miRNA's + the site's; one that the authors never use; one for a pair with an N.
const STATES: i64 = 18;
const WITH_N: i64 = STATES - 1;
/// The states behind what lies outside the grid.
const CELLS: i64 = 1 + STATES;
/// Values of a pair.
const EMBEDDED: i64 = 8;
const KERNELS: [i64; 3] = [128, 64, 32];
/// Rows and columns of the first kernel, and how many of them may lie outside the grid.
const FIRST: i64 = 6;
const OUTSIDE: i64 = 2;
/// Cells under it.
const UNDER: i64 = FIRST * FIRST;
/// Where it stands, along the miRNA and along the site.
const PLACES: [i64; 2] =
    [MIRNA_ROWS as i64 + 2 * OUTSIDE - FIRST + 1, SITE_ROWS as i64 + 2 * OUTSIDE - FIRST + 1];
/// Rows and columns of the other kernels.
const WIDTH: i64 = 3;
const UNITS: i64 = 30;
const SLOPE: f64 = 0.1;
const DROPOUT: f64 = 0.2;
/// Inputs that a core runs at once: the maps of many more leave its cache and take twice as long.
const AT_ONCE: i64 = 16;

#[derive(Debug)]
struct Mirbind2 {
    pair_weight: Tensor,  // (8, 18)
    pair_bias: Tensor,    // (8)
    first_weight: Tensor, // (128, 8, 6, 6)
    first_bias: Tensor,   // (128)
    second: nn::Conv2D,
    third: nn::Conv2D,
    norms: [nn::BatchNorm; 3],
    dense: nn::Linear,
    norm_dense: nn::BatchNorm,
    output: nn::Linear,
}

pub(super) fn build(path: &nn::Path, _: &Options) -> Result<Network, LoadError> {
    let [first, second, third] = KERNELS;
    let conv = |name: &str, channels_in, channels| {
        nn::conv2d(path / name, channels_in, channels, WIDTH, ConvConfig { padding: 1, ..Default::default() })
    };
    let norm = BatchNormConfig { ws_init: Init::Const(1.0), ..Default::default() };
    // Each of three poolings halves rows and columns.
    let [rows, columns] = PLACES.map(|places| places / 8);
    let (pair, conv1) = (path / "pair", path / "conv1");
    Ok(Box::new(Mirbind2 {
        pair_weight: pair.kaiming_uniform("weight", &[EMBEDDED, STATES]),
        pair_bias: pair.zeros("bias", &[EMBEDDED]),
        first_weight: conv1.kaiming_uniform("weight", &[first, EMBEDDED, FIRST, FIRST]),
        first_bias: conv1.zeros("bias", &[first]),
        second: conv("conv2", first, second),
        third: conv("conv3", second, third),
        norms: [("norm1", first), ("norm2", second), ("norm3", third)]
            .map(|(name, channels)| nn::batch_norm2d(path / name, channels, norm)),
        dense: nn::linear(path / "dense", third * rows * columns, UNITS, LinearConfig::default()),
        norm_dense: nn::batch_norm1d(path / "norm_dense", UNITS, norm),
        output: nn::linear(path / "output", UNITS, 1, LinearConfig::default()),
    }))
}

impl Layers for Mirbind2 {}

impl ModuleT for Mirbind2 {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let inputs = input.size()[0].max(1);
        // Training normalises over the whole batch.
        let at_once = if train || input.device() != Device::Cpu { inputs } else { AT_ONCE };
        let table = self.table();
        let outputs: Vec<Tensor> =
            input.split(at_once, 0).iter().map(|part| self.run(&table, part, train)).collect();
        Tensor::cat(&outputs, 0)
    }
}

impl Mirbind2 {
    /// What a cell adds to the first convolution, by its place under the kernel and its state: (36 × 19, 128). With so
    /// few states, adding up these vectors takes less than half as long as the convolution.
    fn table(&self) -> Tensor {
        let pairs = &self.pair_weight + self.pair_bias.unsqueeze(1);
        let added = self
            .first_weight
            .permute([2, 3, 0, 1]) // (6, 6, 128, 8)
            .matmul(&pairs.constant_pad_nd([1, 0])) // (6, 6, 128, 19)
            .transpose(2, 3)
            .reshape([UNDER * CELLS, KERNELS[0]]);
        added + &self.first_bias / UNDER as f64
    }

    /// Inputs (n, 78) to (n, 1).
    fn run(&self, table: &Tensor, input: &Tensor, train: bool) -> Tensor {
        let [rows, columns] = PLACES;
        let seen = seen(&cells(input));
        let starts = Tensor::arange(seen.size()[0], (Kind::Int64, input.device())) * UNDER;
        let (sums, ..) = Tensor::embedding_bag(
            table,
            &seen.flatten(0, -1),
            &starts,
            false,
            0,
            false,
            None::<Tensor>,
            false,
        );
        let after = |maps: Tensor, norm: &nn::BatchNorm| {
            // The authors pool last; the larger of two values is so before the ReLU as well.
            let pooled = maps.apply_t(norm, train).max_pool2d(2, 2, 0, 1, false);
            leaky_relu(&pooled).dropout(DROPOUT, train)
        };
        let maps = sums.view([-1, rows, columns, KERNELS[0]]).permute([0, 3, 1, 2]); // (n, 128, 27, 49)
        let maps = after(maps, &self.norms[0]).apply(&self.second); // (n, 64, 13, 24)
        let maps = after(maps, &self.norms[1]).apply(&self.third); // (n, 32, 6, 12)
        let units = after(maps, &self.norms[2]) // (n, 32, 3, 6)
            .flatten(1, 3)
            .apply(&self.dense)
            .apply_t(&self.norm_dense, train); // (n, 30)
        leaky_relu(&units).apply(&self.output)
    }
}

/// Inputs (n, 78) as cells with what lies outside the grid, (n, 32, 54): 0 outside, else 1 + state.
fn cells(input: &Tensor) -> Tensor {
    let letters = input.to_kind(Kind::Int64);
    let mirna = letters.narrow(1, 0, MIRNA_ROWS as i64).unsqueeze(2);
    let site = letters.narrow(1, MIRNA_ROWS as i64, SITE_ROWS as i64).unsqueeze(1);
    let with_n = (&mirna * &site).eq(0);
    let states = (mirna - 1) * 4 + (site - 1); // (n, 28, 50)
    (states.masked_fill(&with_n, WITH_N) + 1).constant_pad_nd([OUTSIDE; 4])
}

/// The rows of the table that each place of the kernel sees: (n × 27 × 49, 36).
fn seen(cells: &Tensor) -> Tensor {
    let places = Tensor::arange(UNDER, (Kind::Int64, cells.device())) * CELLS;
    cells.unfold(1, FIRST, 1).unfold(2, FIRST, 1).reshape([-1, UNDER]) + places
}

fn leaky_relu(values: &Tensor) -> Tensor {
    values.maximum(&(values * SLOPE))
}

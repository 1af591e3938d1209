//! Sizes that several parts of the network share, and the positions that two of them add.

use tch::{Device, Kind, Tensor};

/// Values of a word between the layers.
pub(super) const MODEL: i64 = 64;
/// Decoder modules (the paper's "4 layers").
pub(super) const MODULES: usize = 4;
/// Values of BERT's hidden state at each word of the site.
pub const HIDDEN: i64 = 96;
/// Values of a word2vec vector, one for each word of the miRNA.
pub const WORD2VEC: i64 = 34;

/// (positions, values): sines, then cosines, of rates from 1 down to 1 / `longest` a position.
pub(super) fn sinusoids([positions, values]: [i64; 2], longest: f64, device: Device) -> Tensor {
    let kind = (Kind::Float, device);
    let rates = (Tensor::arange(values / 2, kind) * (-2.0 * longest.ln() / values as f64)).exp();
    let angles = Tensor::arange(positions, kind).unsqueeze(1) * rates; // (positions, values / 2)
    Tensor::cat(&[angles.sin(), angles.cos()], 1)
}

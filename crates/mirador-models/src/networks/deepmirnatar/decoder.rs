//! The miRNA's words look at the site's: attention with a convolution beside it (paper: "spatial convolution
//! attention", SCA).

use tch::Tensor;
use tch::nn::{self, Init};

use super::attention::{Attention, FeedForward};
use super::dimensions::MODEL;
use super::mask::Mask;
use crate::networks::layers::{conv1d, layer_norm};

/// One of the four modules: state (n, t, 64) and memory (n, s, 64) to a new state.
#[derive(Debug)]
pub(super) struct Decoder {
    attention: Attention,
    convolution: Option<Convolution>,
    norm_attention: nn::LayerNorm,
    feed_forward: FeedForward,
    norm_feed_forward: nn::LayerNorm,
    dropout: f64,
}

/// β · a convolution of width 3.
#[derive(Debug)]
struct Convolution {
    filters: nn::Conv1D,
    beta: Tensor,
}

impl Decoder {
    pub(super) fn new(path: nn::Path, spatial: bool, dropout: f64) -> Self {
        Self {
            attention: Attention::new(&path / "attention", dropout),
            convolution: spatial.then(|| Convolution {
                filters: conv1d(&path / "convolution", MODEL, MODEL, 3),
                beta: path.var("beta", &[1], Init::Const(1.0)),
            }),
            norm_attention: layer_norm(&path / "norm_attention", MODEL),
            feed_forward: FeedForward::new(&path / "feed_forward", dropout),
            norm_feed_forward: layer_norm(path / "norm_feed_forward", MODEL),
            dropout,
        }
    }

    pub(super) fn forward_t(
        &self,
        (state, real): (&Tensor, &Mask),
        (memory, seen): (&Tensor, &Mask),
        train: bool,
    ) -> Tensor {
        let mut found = self.attention.forward_t(state, memory, seen, train);
        if let Some(Convolution { filters, beta }) = &self.convolution {
            let near = real.cut(state).transpose(1, 2).constant_pad_nd([1, 1]).apply(filters); // (n, 64, t)
            found += near.transpose(1, 2) * beta;
        }
        let state = (state + found.dropout(self.dropout, train)).apply(&self.norm_attention);
        let fed = state.apply_t(&self.feed_forward, train).dropout(self.dropout, train);
        (state + fed).apply(&self.norm_feed_forward)
    }
}

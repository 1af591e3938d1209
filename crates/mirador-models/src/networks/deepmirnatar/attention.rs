//! Attention of eight heads and the feed-forward layer that follows it.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::dimensions::MODEL;
use super::mask::Mask;
use crate::networks::layers::dense;

const HEADS: i64 = 8;
const FEED_FORWARD: i64 = 256;

/// (n, t, 64) looks at (n, s, 64), gives (n, t, 64).
#[derive(Debug)]
pub(super) struct Attention {
    query: nn::Linear,
    key: nn::Linear,
    value: nn::Linear,
    output: nn::Linear,
    dropout: f64,
}

impl Attention {
    pub(super) fn new(path: nn::Path, dropout: f64) -> Self {
        let [query, key, value, output] =
            ["query", "key", "value", "output"].map(|name| dense(&path / name, MODEL, MODEL));
        Self { query, key, value, output, dropout }
    }

    pub(super) fn forward_t(&self, state: &Tensor, memory: &Tensor, seen: &Mask, train: bool) -> Tensor {
        let split = |values: Tensor| {
            let (rows, steps, _) = values.size3().expect("(n, t, 64)");
            values.view([rows, steps, HEADS, MODEL / HEADS]).transpose(1, 2) // (n, 8, t, 8)
        };
        let [query, key, value] =
            [state.apply(&self.query), memory.apply(&self.key), memory.apply(&self.value)].map(split);
        let dropout = if train { self.dropout } else { 0.0 };
        let seen = Some(seen.keys());
        Tensor::scaled_dot_product_attention(&query, &key, &value, seen, dropout, false, None, false)
            .transpose(1, 2)
            .reshape(state.size())
            .apply(&self.output)
    }
}

/// 64 → 256 → 64 for each word by itself.
#[derive(Debug)]
pub(super) struct FeedForward {
    inner: nn::Linear,
    outer: nn::Linear,
    dropout: f64,
}

impl FeedForward {
    pub(super) fn new(path: nn::Path, dropout: f64) -> Self {
        Self {
            inner: dense(&path / "inner", MODEL, FEED_FORWARD),
            outer: dense(path / "outer", FEED_FORWARD, MODEL),
            dropout,
        }
    }
}

impl ModuleT for FeedForward {
    fn forward_t(&self, state: &Tensor, train: bool) -> Tensor {
        state.apply(&self.inner).relu().dropout(self.dropout, train).apply(&self.outer)
    }
}

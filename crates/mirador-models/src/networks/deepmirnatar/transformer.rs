//! The paper's comparison: an ordinary Transformer, four encoder layers on the site, four decoder layers on the
//! miRNA.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::attention::{Attention, FeedForward};
use super::dimensions::{HIDDEN, MODEL, MODULES, WORD2VEC, sinusoids};
use super::mask::Mask;
use crate::networks::layers::{dense, layer_norm};

/// The slowest sinusoid's positions in a radian.
const LONGEST: f64 = 10_000.0;

/// Features of both to the miRNA's last state.
#[derive(Debug)]
pub(super) struct Transformer {
    mirna: nn::Linear,
    site: nn::Linear,
    encoder: Vec<Layer>,
    decoder: Vec<Layer>,
    dropout: f64,
}

impl Transformer {
    pub(super) fn new(path: &nn::Path, dropout: f64) -> Self {
        let layers = |name: &str, cross: bool| {
            (0..MODULES).map(|index| Layer::new(path / format!("{name}_{index}"), cross, dropout)).collect()
        };
        Self {
            mirna: dense(path / "mirna", WORD2VEC, MODEL),
            site: dense(path / "site", HIDDEN, MODEL),
            encoder: layers("encoder", false),
            decoder: layers("decoder", true),
            dropout,
        }
    }

    pub(super) fn forward_t(
        &self,
        (mirna, mirna_mask): (&Tensor, &Mask),
        (site, site_mask): (&Tensor, &Mask),
        train: bool,
    ) -> Tensor {
        let place = |features: &Tensor, dense: &nn::Linear| {
            let placed = features.dropout(self.dropout, train).apply(dense);
            (&placed + sinusoids([placed.size()[1], MODEL], LONGEST, placed.device()))
                .dropout(self.dropout, train)
        };
        let memory = self
            .encoder
            .iter()
            .fold(place(site, &self.site), |state, layer| layer.forward_t((&state, site_mask), None, train));
        self.decoder.iter().fold(place(mirna, &self.mirna), |state, layer| {
            layer.forward_t((&state, mirna_mask), Some((&memory, site_mask)), train)
        })
    }
}

#[derive(Debug)]
struct Layer {
    own: Attention,
    norm_own: nn::LayerNorm,
    cross: Option<(Attention, nn::LayerNorm)>,
    feed_forward: FeedForward,
    norm_feed_forward: nn::LayerNorm,
    dropout: f64,
}

impl Layer {
    fn new(path: nn::Path, cross: bool, dropout: f64) -> Self {
        Self {
            own: Attention::new(&path / "own", dropout),
            norm_own: layer_norm(&path / "norm_own", MODEL),
            cross: cross
                .then(|| (Attention::new(&path / "cross", dropout), layer_norm(&path / "norm_cross", MODEL))),
            feed_forward: FeedForward::new(&path / "feed_forward", dropout),
            norm_feed_forward: layer_norm(path / "norm_feed_forward", MODEL),
            dropout,
        }
    }

    fn forward_t(
        &self,
        (state, real): (&Tensor, &Mask),
        memory: Option<(&Tensor, &Mask)>,
        train: bool,
    ) -> Tensor {
        let found = self.own.forward_t(state, state, real, train).dropout(self.dropout, train);
        let mut state = (state + found).apply(&self.norm_own);
        if let (Some((attention, norm)), Some((memory, seen))) = (&self.cross, memory) {
            let found = attention.forward_t(&state, memory, seen, train).dropout(self.dropout, train);
            state = (state + found).apply(norm);
        }
        let fed = self.feed_forward.forward_t(&state, train).dropout(self.dropout, train);
        (state + fed).apply(&self.norm_feed_forward)
    }
}

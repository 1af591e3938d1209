//! The network of the paper, and its ablations by switches.

use serde::Deserialize;
use tch::nn::{self, ModuleT};
use tch::{Kind, Tensor};

use super::decoder::Decoder;
use super::dimensions::{HIDDEN, MODEL, MODULES, WORD2VEC};
use super::encoder::{self, Encoder, Recurrence};
use super::features::Features;
use super::mask::{Mask, trim};
use super::transformer::Transformer;
use super::{MIRNA_WORDS, SITE_WORDS};
use crate::networks::layers::dense;
use crate::{Layers, LoadError, Network, Options};

const HEAD: i64 = 256;

/// What a version may leave out or exchange; the paper's network by default.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    bert: BertSwitches,
    attention: AttentionKind,
    text_cnn: bool,
    recurrent: Recurrence,
    plain_transformer: bool,
    /// Everywhere in the part that is trained.
    dropout: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct BertSwitches {
    layers: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AttentionKind {
    SpatialConv,
    Standard,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            bert: BertSwitches::default(),
            attention: AttentionKind::SpatialConv,
            text_cnn: true,
            recurrent: Recurrence::Lstm,
            plain_transformer: false,
            dropout: 0.1,
        }
    }
}

impl Default for BertSwitches {
    fn default() -> Self {
        Self { layers: 6 }
    }
}

#[derive(Debug)]
struct DeepMirnaTar {
    features: Features,
    body: Body,
    hidden: nn::Linear,
    output: nn::Linear,
}

/// Between the features and the head.
#[derive(Debug)]
enum Body {
    Paper { mirna: Box<Encoder>, site: Box<Encoder>, decoders: Vec<Decoder> },
    Transformer(Transformer),
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let spatial = switches.attention == AttentionKind::SpatialConv;
    let dropout = switches.dropout;
    if !(0.0..1.0).contains(&dropout) {
        return Err(LoadError::Options(format!("dropout {dropout} is not in [0, 1)")));
    }
    let kind = encoder::Kind { text_cnn: switches.text_cnn, recurrence: switches.recurrent, dropout };
    let encoder = |name: &str, inputs: i64| Box::new(Encoder::new(path / name, inputs, kind));
    let body = match switches.plain_transformer {
        true => Body::Transformer(Transformer::new(path, dropout)),
        false => Body::Paper {
            mirna: encoder("mirna", WORD2VEC),
            site: encoder("site", HIDDEN),
            decoders: (0..MODULES)
                .map(|index| Decoder::new(path / format!("decoder_{index}"), spatial, dropout))
                .collect(),
        },
    };
    Ok(Box::new(DeepMirnaTar {
        features: Features::new(path, switches.bert.layers),
        body,
        hidden: dense(path / "hidden", MODEL, HEAD),
        output: dense(path / "output", HEAD, 2),
    }))
}

impl Layers for DeepMirnaTar {
    fn remember_frozen(&self) {
        self.features.remember();
    }
}

impl ModuleT for DeepMirnaTar {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let words = input.to_kind(Kind::Int64);
        let mirna = trim(&words.narrow(1, 0, MIRNA_WORDS as i64)); // (n, t)
        let site = trim(&words.narrow(1, MIRNA_WORDS as i64, SITE_WORDS as i64)); // (n, s)
        let (mirna_mask, site_mask) = (Mask::of(&mirna), Mask::of(&site));
        let (mirna, site) = (self.features.mirna(&mirna), self.features.site(&site)); // (n, t, 34), (n, s, 96)
        let state = self.body.forward_t((&mirna, &mirna_mask), (&site, &site_mask), train); // (n, t, 64)
        let share = mirna_mask
            .only_real(&state.norm_scalaropt_dim(2, [-1], false)) // (n, t)
            .softmax(-1, Kind::Float);
        let logits = (state * share.unsqueeze(-1))
            .sum_dim_intlist(1, false, Kind::Float) // (n, 64)
            .apply(&self.hidden)
            .relu()
            .apply(&self.output); // (n, 2)
        logits.narrow(1, 1, 1) - logits.narrow(1, 0, 1)
    }
}

impl Body {
    fn forward_t(&self, mirna: (&Tensor, &Mask), site: (&Tensor, &Mask), train: bool) -> Tensor {
        match self {
            Body::Paper { mirna: of_mirna, site: of_site, decoders } => {
                let memory = of_site.forward_t(site.0, site.1, train);
                let state = of_mirna.forward_t(mirna.0, mirna.1, train);
                decoders.iter().fold(state, |state, decoder| {
                    decoder.forward_t((&state, mirna.1), (&memory, site.1), train)
                })
            }
            Body::Transformer(transformer) => transformer.forward_t(mirna, site, train),
        }
    }
}

//! One RNA's words in order: TextCNN and a bidirectional LSTM (paper: "encoder"), 64 values a word.

use serde::Deserialize;
use tch::Tensor;
use tch::nn::{self, Module, RNN};

use super::dimensions::MODEL;
use super::mask::Mask;
use crate::networks::layers::{conv1d, dense, gru, layer_norm};
use crate::networks::lstm::Lstm;

const FILTERS: i64 = 128;
const WIDTHS: [i64; 3] = [1, 3, 5];
const UNITS: i64 = MODEL / 2;

/// What reads the words in both directions.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Recurrence {
    /// The paper's choice.
    #[default]
    Lstm,
    /// The paper's comparison.
    Gru,
    /// Left out.
    None,
}

/// What both RNAs' encoders have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) text_cnn: bool,
    pub(super) recurrence: Recurrence,
    /// Dropout of the features, in training.
    pub(super) dropout: f64,
}

/// (n, t, inputs) to (n, t, 64).
#[derive(Debug)]
pub(super) struct Encoder {
    words: Words,
    recurrent: Recurrent,
    norm: nn::LayerNorm,
    dropout: f64,
}

#[derive(Debug)]
enum Words {
    TextCnn { filters: Vec<(i64, nn::Conv1D)>, dense: nn::Linear },
    Dense(nn::Linear),
}

#[derive(Debug)]
enum Recurrent {
    Lstm { forward: Lstm, backward: Lstm },
    Gru { forward: nn::GRU, backward: nn::GRU },
    None,
}

impl Encoder {
    pub(super) fn new(path: nn::Path, inputs: i64, kind: Kind) -> Self {
        let Kind { text_cnn, recurrence, dropout } = kind;
        let words = match text_cnn {
            true => Words::TextCnn {
                filters: WIDTHS
                    .map(|width| (width, conv1d(&path / format!("filters_{width}"), inputs, FILTERS, width)))
                    .into(),
                dense: dense(&path / "dense", 3 * FILTERS, MODEL),
            },
            false => Words::Dense(dense(&path / "dense", inputs, MODEL)),
        };
        let [forward, backward] = ["forward", "backward"].map(|name| &path / name);
        let recurrent = match recurrence {
            Recurrence::Lstm => Recurrent::Lstm {
                forward: Lstm::one_way(&forward, MODEL, UNITS),
                backward: Lstm::one_way(&backward, MODEL, UNITS),
            },
            Recurrence::Gru => {
                Recurrent::Gru { forward: gru(forward, MODEL, UNITS), backward: gru(backward, MODEL, UNITS) }
            }
            Recurrence::None => Recurrent::None,
        };
        Self { words, recurrent, norm: layer_norm(path / "norm", MODEL), dropout }
    }

    pub(super) fn forward_t(&self, features: &Tensor, mask: &Mask, train: bool) -> Tensor {
        let words = mask.cut(&features.dropout(self.dropout, train));
        let words = self.words.forward(&words); // (n, t, 64)
        let states = match &self.recurrent {
            Recurrent::Lstm { forward, backward } => {
                both_ways(|words| words.apply(forward), |words| words.apply(backward), &words, mask)
            }
            Recurrent::Gru { forward, backward } => {
                both_ways(|words| forward.seq(words).0, |words| backward.seq(words).0, &words, mask)
            }
            Recurrent::None => words,
        };
        states.apply(&self.norm)
    }
}

impl Module for Words {
    fn forward(&self, words: &Tensor) -> Tensor {
        match self {
            Words::TextCnn { filters, dense } => {
                let words = words.transpose(1, 2); // (n, inputs, t)
                let map = |(width, filters): &(i64, nn::Conv1D)| {
                    words.constant_pad_nd([width / 2, width / 2]).apply(filters).relu() // (n, 128, t)
                };
                let maps: Vec<Tensor> = filters.iter().map(map).collect();
                Tensor::cat(&maps, 1).transpose(1, 2).apply(dense)
            }
            Words::Dense(dense) => words.apply(dense),
        }
    }
}

/// The second half reads each row from its own last word.
fn both_ways(
    forward: impl Fn(&Tensor) -> Tensor,
    backward: impl Fn(&Tensor) -> Tensor,
    words: &Tensor,
    mask: &Mask,
) -> Tensor {
    let back = mask.reverse(&backward(&mask.reverse(words)));
    Tensor::cat(&[forward(words), back], 2)
}

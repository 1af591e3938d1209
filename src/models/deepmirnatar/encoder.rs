//! One RNA's words in order: TextCNN and a bidirectional LSTM (paper: "encoder"), 64 values a word.

use serde::Deserialize;
use tch::Tensor;
use tch::nn::{self, Module, RNN};

use super::mask::Mask;
use super::network::{DROPOUT, MODEL};
use crate::models::layers::{conv1d, dense, gru, layer_norm, lstm};

const FILTERS: i64 = 128;
const WIDTHS: [i64; 3] = [1, 3, 5];
const UNITS: i64 = MODEL / 2;

/// What reads the words in both directions.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    /// The paper's choice.
    #[default]
    Lstm,
    /// Its comparison.
    Gru,
    /// Left out.
    None,
}

/// (n, t, inputs) to (n, t, 64).
#[derive(Debug)]
pub struct Encoder {
    words: Words,
    recurrent: Recurrent,
    norm: nn::LayerNorm,
}

#[derive(Debug)]
enum Words {
    TextCnn { filters: [nn::Conv1D; 3], dense: nn::Linear },
    Dense(nn::Linear),
}

#[derive(Debug)]
enum Recurrent {
    Lstm { forward: nn::LSTM, backward: nn::LSTM },
    Gru { forward: nn::GRU, backward: nn::GRU },
    None,
}

impl Encoder {
    pub fn new(path: nn::Path, inputs: i64, text_cnn: bool, recurrence: Recurrence) -> Self {
        let words = match text_cnn {
            true => Words::TextCnn {
                filters: WIDTHS
                    .map(|width| conv1d(&path / format!("filters_{width}"), inputs, FILTERS, width)),
                dense: dense(&path / "dense", 3 * FILTERS, MODEL),
            },
            false => Words::Dense(dense(&path / "dense", inputs, MODEL)),
        };
        let [forward, backward] = ["forward", "backward"].map(|name| &path / name);
        let recurrent = match recurrence {
            Recurrence::Lstm => Recurrent::Lstm {
                forward: lstm(forward, MODEL, UNITS),
                backward: lstm(backward, MODEL, UNITS),
            },
            Recurrence::Gru => {
                Recurrent::Gru { forward: gru(forward, MODEL, UNITS), backward: gru(backward, MODEL, UNITS) }
            }
            Recurrence::None => Recurrent::None,
        };
        Self { words, recurrent, norm: layer_norm(path / "norm", MODEL) }
    }

    pub fn forward_t(&self, features: &Tensor, mask: &Mask, train: bool) -> Tensor {
        let words = mask.cut(&features.dropout(DROPOUT, train));
        let words = self.words.forward(&words); // (n, t, 64)
        let states = match &self.recurrent {
            Recurrent::Lstm { forward, backward } => both_ways(forward, backward, &words, mask),
            Recurrent::Gru { forward, backward } => both_ways(forward, backward, &words, mask),
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
                let maps = [0, 1, 2].map(|at| {
                    let side = WIDTHS[at] / 2;
                    words.constant_pad_nd([side, side]).apply(&filters[at]).relu() // (n, 128, t)
                });
                Tensor::cat(&maps, 1).transpose(1, 2).apply(dense)
            }
            Words::Dense(dense) => words.apply(dense),
        }
    }
}

/// The second half reads each row from its own last word.
fn both_ways<R: RNN>(forward: &R, backward: &R, words: &Tensor, mask: &Mask) -> Tensor {
    let back = mask.reverse(&backward.seq(&mask.reverse(words)).0);
    Tensor::cat(&[forward.seq(words).0, back], 2)
}

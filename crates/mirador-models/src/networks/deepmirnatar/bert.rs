//! The site's words in their context: BERT over 4-mers, 96 values a word. Pre-trained on 3'UTRs
//! (`mirador-train pretrain deepmirnatar`), then frozen.

use tch::nn::{self, Init, Module};
use tch::{Kind, Tensor};

use super::dimensions::{HIDDEN, sinusoids};
use super::kmers::{FIRST, LAST, PAD, VOCABULARY};
use super::mask::Mask;

/// Words and the two tokens round them.
const POSITIONS: i64 = 52;
const HEADS: i64 = 12;
const FEED_FORWARD: i64 = 384;
/// Epsilon of the layer normalisations.
pub const EPSILON: f64 = 1e-12;
const DROPOUT: f64 = 0.1;
/// Deviation of the words' and positions' first values.
const WORD_SIZE: f64 = 0.02;
const LONGEST_TURN: f64 = 1_000.0;

/// The variables carry no gradient unless pre-training asks for it.
#[derive(Debug)]
pub struct Bert {
    words: Tensor,     // (261, 96)
    positions: Tensor, // (52, 96)
    norm: Norm,
    layers: Vec<Layer>,
}

impl Bert {
    /// As pre-training starts it: words from N(0, .02²), matrices from N(0, 1 / fan in) (BERT's .02 is made for 768
    /// values and stalls with 96), positions as sinusoids of the words' size, which makes neighbours easy to find; the
    /// rest 0, norms 1.
    pub fn new(path: &nn::Path, layers: usize) -> Self {
        Self {
            words: matrix(path, "words", [VOCABULARY, HIDDEN], WORD_SIZE),
            positions: positions(path),
            norm: Norm::new(&(path / "norm")),
            layers: (0..layers).map(|index| Layer::new(&(path / format!("layer_{index}")))).collect(),
        }
    }

    /// The table of its words, (261, 96): pre-training reads its answers off the same.
    pub fn words(&self) -> &Tensor {
        &self.words
    }

    /// Last hidden states (n, t + 2, 96) of words (n, t); those of `[CLS]` and of what follows a row's last word
    /// included.
    pub fn forward_t(&self, words: &Tensor, train: bool) -> Tensor {
        let tokens = enclose(words); // (n, t + 2)
        let seen = Mask::of(&tokens).keys();
        let embedded = Tensor::embedding(&self.words, &tokens, -1, false, false)
            + self.positions.narrow(0, 0, tokens.size()[1]);
        let embedded = embedded.apply(&self.norm).dropout(DROPOUT, train);
        self.layers.iter().fold(embedded, |hidden, layer| layer.forward_t(&hidden, &seen, train))
    }

    /// Last hidden states of the words alone: (n, t, 96).
    pub fn features(&self, words: &Tensor) -> Tensor {
        self.forward_t(words, false).narrow(1, 1, words.size()[1])
    }
}

/// `[CLS]` before each row's words and `[SEP]` after its last: (n, t) to (n, t + 2).
fn enclose(words: &Tensor) -> Tensor {
    let rows = words.size()[0];
    let column = |token: i64| Tensor::full([rows, 1], token, (Kind::Int64, words.device()));
    let after_last = (Mask::of(words).lengths() + 1).unsqueeze(1);
    Tensor::cat(&[column(FIRST), words.shallow_clone(), column(PAD)], 1).scatter_value(1, &after_last, LAST)
}

#[derive(Debug)]
struct Layer {
    query_key_value: nn::Linear,
    attended: nn::Linear,
    norm_attention: Norm,
    inner: nn::Linear,
    outer: nn::Linear,
    norm_feed_forward: Norm,
}

impl Layer {
    fn new(path: &nn::Path) -> Self {
        Self {
            query_key_value: linear(path / "query_key_value", HIDDEN, 3 * HIDDEN),
            attended: linear(path / "attended", HIDDEN, HIDDEN),
            norm_attention: Norm::new(&(path / "norm_attention")),
            inner: linear(path / "inner", HIDDEN, FEED_FORWARD),
            outer: linear(path / "outer", FEED_FORWARD, HIDDEN),
            norm_feed_forward: Norm::new(&(path / "norm_feed_forward")),
        }
    }

    fn forward_t(&self, hidden: &Tensor, seen: &Tensor, train: bool) -> Tensor {
        let (rows, steps, _) = hidden.size3().expect("(n, t, 96)");
        let heads = hidden
            .apply(&self.query_key_value) // (n, t, 288)
            .view([rows, steps, 3, HEADS, HIDDEN / HEADS])
            .permute([2, 0, 3, 1, 4]); // (3, n, 12, t, 8)
        let [query, key, value] = [0, 1, 2].map(|part| heads.get(part));
        // No dropout on the attention weights: with it libtorch leaves its fused path.
        let attended =
            Tensor::scaled_dot_product_attention(&query, &key, &value, Some(seen), 0.0, false, None, false)
                .transpose(1, 2)
                .reshape([rows, steps, HIDDEN])
                .apply(&self.attended)
                .dropout(DROPOUT, train);
        let hidden = (hidden + attended).apply(&self.norm_attention);
        let fed = hidden
            .apply(&self.inner) // (n, t, 384)
            .gelu("none")
            .apply(&self.outer)
            .dropout(DROPOUT, train);
        (hidden + fed).apply(&self.norm_feed_forward)
    }
}

/// Layer normalisation whose variables want no gradient.
#[derive(Debug)]
struct Norm {
    weight: Tensor,
    bias: Tensor,
}

impl Norm {
    fn new(path: &nn::Path) -> Self {
        Self { weight: path.ones_no_train("weight", &[HIDDEN]), bias: path.zeros_no_train("bias", &[HIDDEN]) }
    }
}

impl Module for Norm {
    fn forward(&self, values: &Tensor) -> Tensor {
        values.layer_norm([HIDDEN], Some(&self.weight), Some(&self.bias), EPSILON, true)
    }
}

fn matrix(path: &nn::Path, name: &str, shape: [i64; 2], deviation: f64) -> Tensor {
    let mut matrix = path.zeros_no_train(name, &shape);
    tch::no_grad(|| matrix.init(Init::Randn { mean: 0.0, stdev: deviation }));
    matrix
}

/// Sinusoids of the words' size.
fn positions(path: &nn::Path) -> Tensor {
    let mut positions = path.zeros_no_train("positions", &[POSITIONS, HIDDEN]);
    let waves = sinusoids([POSITIONS, HIDDEN], LONGEST_TURN, path.device());
    tch::no_grad(|| positions.copy_(&(waves * (WORD_SIZE * std::f64::consts::SQRT_2))));
    positions
}

fn linear(path: nn::Path, inputs: i64, outputs: i64) -> nn::Linear {
    let ws = matrix(&path, "weight", [outputs, inputs], (inputs as f64).powf(-0.5));
    nn::Linear { ws, bs: Some(path.zeros_no_train("bias", &[outputs])) }
}

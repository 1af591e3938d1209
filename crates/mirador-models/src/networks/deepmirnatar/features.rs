//! What both frozen tables make of the tokens: 34 values for a word of the miRNA, 96 for one of the site.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tch::nn::{self, Init};
use tch::{Device, Kind, Tensor};

use super::bert::Bert;
use super::dimensions::{HIDDEN, WORD2VEC};
use super::kmers::{DISTINCT, PAD, WORDS};

/// Hidden states (t, 96) by a site's words.
type Known = Arc<Mutex<HashMap<Vec<i64>, Tensor>>>;

/// What the process knows by the frozen weights that it trained with last, and what tells these from others: seeds and
/// recipes that start from the same pre-trained part compute each site once.
static NEWEST: Mutex<Option<(Tensor, Known)>> = Mutex::new(None);

/// The frozen part of the network.
#[derive(Debug)]
pub(super) struct Features {
    word2vec: Tensor, // (256, 34)
    bert: Bert,
    /// Only where a trainer asked for it.
    known: OnceCell<Known>,
}

impl Features {
    /// Under the names that pre-training writes.
    pub(super) fn new(path: &nn::Path, layers: usize) -> Self {
        let mut word2vec = path.zeros_no_train("word2vec", &[DISTINCT, WORD2VEC]);
        let limit = 0.5 / WORD2VEC as f64;
        tch::no_grad(|| word2vec.init(Init::Uniform { lo: -limit, up: limit }));
        Self { word2vec, bert: Bert::new(&(path / "bert"), layers), known: OnceCell::new() }
    }

    /// Words (n, t) to (n, t, 34). A word with an `N` is 0, as is padding.
    pub(super) fn mirna(&self, words: &Tensor) -> Tensor {
        let place = (words - WORDS).clamp_min(0);
        Tensor::embedding(&self.word2vec, &place, -1, false, false) * words.ge(WORDS).unsqueeze(-1)
    }

    /// Keeps the hidden states of every site from now on.
    pub(super) fn remember(&self) {
        self.known.get_or_init(|| {
            let weights = self.of_every_word();
            let mut newest = NEWEST.lock().unwrap_or_else(PoisonError::into_inner);
            match &*newest {
                Some((of, known)) if of.device() == weights.device() && of.equal(&weights) => known.clone(),
                _ => newest.insert((weights, Known::default())).1.clone(),
            }
        });
    }

    /// The hidden states of every word there is: other weights give others.
    fn of_every_word(&self) -> Tensor {
        let words = Tensor::arange_start(WORDS, WORDS + DISTINCT, (Kind::Int64, self.bert.words().device()));
        tch::no_grad(|| self.bert.features(&words.view([-1, 32]))) // (8, 32, 96)
    }

    /// Words (n, t) to (n, t, 96). What stands past a row's end means nothing.
    pub(super) fn site(&self, words: &Tensor) -> Tensor {
        let _no_grad = tch::no_grad_guard();
        match self.known.get() {
            Some(known) => self.remembered(&mut known.lock().unwrap_or_else(PoisonError::into_inner), words),
            None => self.bert.features(words),
        }
    }

    /// Each site by itself: bit for bit the same, whatever was beside it when it was first seen. A resumed run
    /// depends on that.
    fn remembered(&self, known: &mut HashMap<Vec<i64>, Tensor>, words: &Tensor) -> Tensor {
        let (rows, steps) = words.size2().expect("(n, t)");
        let features = Tensor::zeros([rows, steps, HIDDEN], (Kind::Float, words.device()));
        let mut all = vec![PAD; words.numel()];
        words.to_device(Device::Cpu).contiguous().copy_data(&mut all, words.numel());
        for (row, words) in all.chunks(steps as usize).enumerate() {
            let words: Vec<i64> = words.iter().copied().take_while(|&word| word != PAD).collect();
            let length = words.len() as i64;
            let of_site = known.entry(words).or_insert_with_key(|words| {
                let words = Tensor::from_slice(words).to_device(features.device());
                self.bert.features(&words.unsqueeze(0)).squeeze_dim(0).contiguous() // (t, 96)
            });
            features.get(row as i64).narrow(0, 0, length).copy_(of_site);
        }
        features
    }
}

//! Pre-training of the site's BERT: it guesses hidden words of 3'UTRs from their neighbours.

use mirador_models::networks::deepmirnatar::HIDDEN;
use mirador_models::networks::deepmirnatar::bert::{Bert, EPSILON};
use mirador_models::networks::deepmirnatar::kmers::{PAD, VOCABULARY, WORDS, kmers};
use mirna::Rna;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::nn::{self, Init, VarStore};
use tch::{Device, Kind, Reduction, Tensor};

use super::markov::Markov;
use super::masks::{draw, hide};

/// Held-out windows at once.
const BATCH: usize = 256;

/// BERT and the head that names the hidden words; the head is dropped afterwards.
#[derive(Debug)]
pub(super) struct MaskedLm {
    /// `bert.…` and `head.…`.
    pub store: VarStore,
    bert: Bert,
    dense: nn::Linear,
    norm: nn::LayerNorm,
    bias: Tensor,
}

/// Rows of words as they are shown, and what is hidden.
#[derive(Debug)]
pub(super) struct Batch {
    words: Tensor,   // (n, t)
    places: Tensor,  // (hidden), in the flattened (n, t + 2)
    answers: Tensor, // (hidden)
}

/// How well hidden words of held-out windows are guessed.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Guesses {
    /// Hidden words.
    pub words: usize,
    /// Share of right ones among the likeliest.
    pub accuracy: f64,
    /// Mean of −ln P(the right word).
    pub loss: f64,
}

impl MaskedLm {
    /// As BERT starts.
    pub(super) fn new(layers: usize, device: Device) -> Self {
        let store = VarStore::new(device);
        let root = store.root();
        let bert = Bert::new(&(&root / "bert"), layers);
        let head = &root / "head";
        let start = Init::Randn { mean: 0.0, stdev: 0.02 };
        let start =
            nn::LinearConfig { ws_init: start, bs_init: Some(Init::Const(0.0)), ..Default::default() };
        let dense = nn::linear(&head / "dense", HIDDEN, HIDDEN, start);
        let eps = nn::LayerNormConfig { eps: EPSILON, ..Default::default() };
        let norm = nn::layer_norm(&head / "norm", vec![HIDDEN], eps);
        let bias = head.zeros("bias", &[VOCABULARY]);
        // Served, BERT is frozen; here it learns.
        for variable in store.variables().into_values() {
            let _ = variable.set_requires_grad(true);
        }
        Self { store, bert, dense, norm, bias }
    }

    /// Logits of all tokens for each hidden word: (hidden, 261). They are read off BERT's own table.
    fn logits(&self, batch: &Batch, train: bool) -> Tensor {
        self.bert
            .forward_t(&batch.words, train) // (n, t + 2, 96)
            .flatten(0, 1)
            .index_select(0, &batch.places) // (hidden, 96)
            .apply(&self.dense)
            .gelu("none")
            .apply(&self.norm)
            .linear(self.bert.words(), Some(&self.bias))
    }

    /// Mean cross-entropy of the hidden words; 0 where none is hidden.
    pub(super) fn loss(&self, batch: &Batch) -> Tensor {
        let logits = self.logits(batch, true);
        let sum = logits.cross_entropy_loss::<Tensor>(&batch.answers, None, Reduction::Sum, -100, 0.0);
        sum / batch.answers.numel().max(1) as f64
    }

    /// On held-out windows, all hidden words masked, beside a chain fitted on `text`: both see the same.
    pub(super) fn measure(&self, text: &[Rna], held_out: &[Rna], run: usize) -> (Guesses, Guesses) {
        let _no_grad = tch::no_grad_guard();
        let markov = Markov::fit(text);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let (mut own, mut baseline) = (Guesses::default(), Guesses::default());
        for windows in held_out.chunks(BATCH) {
            let rows: Vec<Row> = windows
                .iter()
                .map(|window| {
                    let words = kmers(window);
                    let places = draw(&words, run, &mut rng);
                    let posteriors = markov.posteriors(window, &places);
                    for (place, chances) in places.iter().zip(posteriors) {
                        baseline.add(&chances, (words[*place] - WORDS) as usize);
                    }
                    Row { shown: hide(&words, &places), words, places }
                })
                .collect();
            let batch = Batch::new(&rows, self.store.device());
            let chances = self.logits(&batch, false).softmax(-1, Kind::Double).to_device(Device::Cpu);
            for (index, (_, answer)) in rows.iter().flat_map(Row::hidden).enumerate() {
                let mut of_word = vec![0.0; VOCABULARY as usize];
                chances.get(index as i64).copy_data(&mut of_word, VOCABULARY as usize);
                own.add(&of_word, answer as usize);
            }
        }
        (own.mean(), baseline.mean())
    }
}

/// One row before and after words were hidden.
#[derive(Debug)]
pub(super) struct Row {
    /// As it is.
    pub words: Vec<i64>,
    /// As it is shown.
    pub shown: Vec<i64>,
    /// What is asked for.
    pub places: Vec<usize>,
}

impl Row {
    /// Place and word of everything that is asked for.
    fn hidden(&self) -> impl Iterator<Item = (usize, i64)> {
        self.places.iter().map(|&place| (place, self.words[place]))
    }
}

impl Batch {
    /// Filled with padding to the longest row.
    pub(super) fn new(rows: &[Row], device: Device) -> Self {
        let steps = rows.iter().map(|row| row.words.len()).max().unwrap_or(0);
        let mut words = vec![PAD; rows.len() * steps];
        let (mut places, mut answers) = (Vec::new(), Vec::new());
        for (index, row) in rows.iter().enumerate() {
            words[index * steps..][..row.shown.len()].copy_from_slice(&row.shown);
            for (place, answer) in row.hidden() {
                // One further: [CLS] stands before the words.
                places.push((index * (steps + 2) + place + 1) as i64);
                answers.push(answer);
            }
        }
        let tensor = |values: &[i64]| Tensor::from_slice(values).to_device(device);
        let words = tensor(&words).view([rows.len() as i64, steps as i64]);
        Self { words, places: tensor(&places), answers: tensor(&answers) }
    }
}

impl Guesses {
    fn add(&mut self, chances: &[f64], answer: usize) {
        let likeliest = chances.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(word, _)| word);
        self.words += 1;
        self.accuracy += f64::from(u8::from(likeliest == Some(answer)));
        self.loss -= chances[answer].max(f64::MIN_POSITIVE).ln();
    }

    fn mean(self) -> Self {
        let words = self.words.max(1) as f64;
        Self { words: self.words, accuracy: self.accuracy / words, loss: self.loss / words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bert_and_its_head_have_the_specified_numbers_of_parameters() {
        for (layers, expected) in [(4, 477_600), (6, 701_280), (12, 1_372_320)] {
            let model = MaskedLm::new(layers, Device::Cpu);
            let count = |part: &str| -> usize {
                let variables = model.store.variables();
                variables
                    .iter()
                    .filter(|(name, _)| name.starts_with(part))
                    .map(|(_, values)| values.numel())
                    .sum()
            };
            assert_eq!((count("bert."), count("head.")), (expected, 9_765));
        }
    }

    #[test]
    fn an_untrained_network_guesses_and_the_chain_knows() {
        tch::manual_seed(2);
        let text: Vec<Rna> =
            (0..40).map(|row| "ACGGUUCAGCAUUGC".repeat(5)[row % 15..][..53].parse().unwrap()).collect();
        let model = MaskedLm::new(1, Device::Cpu);
        let (own, baseline) = model.measure(&text, &text, 6);
        assert!(own.words > 100 && own.words == baseline.words);
        assert!((own.loss - (VOCABULARY as f64).ln()).abs() < 0.3, "{own:?}");
        assert!(baseline.accuracy > 0.9 && baseline.loss < 0.5 && own.accuracy < 0.2, "{baseline:?} {own:?}");
    }
}

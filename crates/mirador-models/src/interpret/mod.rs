//! Why this score: what changes when letters of a row are hidden, replaced, shuffled or mutated in pairs.
//!
//! [`Changes`] says which variants of a row to score, whoever scores them (the server's queue, the trainer), and turns the
//! outputs into [`Effects`]. An effect is the score of the row less that of the variant: positive where the letters
//! support what the model says. All positions count from a strand's 5' end; a row's variants depend on nothing but the row.

mod change;
mod gene;
mod masks;
mod pairs;
mod shuffle;

pub use change::{Change, variants};
pub use gene::{GeneChanges, GeneEffects, PartEffect};
pub use masks::{importance, masks};
pub use pairs::{DoubleMutant, LEAST_LOSS, rescue};

use mirna::Base;
use serde::{Deserialize, Serialize};

use crate::tasks::{Input, Task, probability};
use shuffle::{SHUFFLES, WINDOW, shuffled};

/// Longest mask of [`Method::NMask`] for one row (models of interpretation use 1 to 6, Gu et al. 2021).
pub const LONGEST_MASK: usize = 6;

/// A way to change a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Runs of 1 to 6 letters become `N`.
    NMask,
    /// Each letter becomes each of the three others.
    Substitution,
    /// Each window of 7 letters is shuffled 20 times, its pairs of neighbours kept.
    Shuffle,
    /// Each base pair is broken on one strand, on the other, and restored by both.
    DoubleMutant,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NMask, Self::Substitution, Self::Shuffle, Self::DoubleMutant];
}

/// What an effect is a difference of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Probabilities; the level itself where a model predicts one.
    #[default]
    Probability,
    /// Logits: saturated probabilities hide effects.
    Logit,
}

impl Scale {
    /// A network's output on this scale.
    pub fn of(self, task: Task, output: f32) -> f32 {
        match (self, task) {
            (Self::Probability, task) if task.has_two_classes() => probability(output),
            (Self::Logit | Self::Probability, _) => output,
        }
    }
}

/// A letter of one strand paired with a letter of another (or of the same), by strand and position from 0.
pub type PairedLetters = [(usize, usize); 2];

/// What the changes of one row belong to. Whoever scores the row as it is and with each change gets its [`Effects`].
#[derive(Clone, Debug)]
pub struct Changes {
    /// Names and letters of the strands.
    strands: Vec<(&'static str, Vec<Base>)>,
    methods: Vec<Method>,
    pairs: Vec<DoubleMutant>,
}

/// What the letters of one strand do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StrandEffects {
    /// `mirna`, `site` or `sequence`.
    pub name: &'static str,
    /// For masks of 1, 2, … letters the effect by the letter at which the mask stops, cut at both ends: strand length
    /// less one plus the mask's length. Empty where not asked for.
    pub n_mask: Vec<Vec<f32>>,
    /// One for each letter, out of all masks, see [`importance`]; empty where not asked for.
    pub importance: Vec<f32>,
    /// For each letter the effect of A, C, G and U in its place; `None` for itself. Empty where not asked for.
    pub substitution: Vec<[Option<f32>; 4]>,
    /// For each window of 7 letters the mean effect of its shuffles; empty where not asked for.
    pub shuffle: Vec<f32>,
}

/// What the letters of a row do.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// Strand by strand.
    pub strands: Vec<StrandEffects>,
    /// Each base pair mutated; empty where not asked for, or where nothing pairs.
    pub double_mutants: Vec<DoubleMutant>,
}

/// Letters in the order of [`StrandEffects::substitution`].
pub const LETTERS: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];

impl Changes {
    /// The changes of a pair or a hairpin for some methods, and what they belong to; `pairs` are the letters that pair with
    /// each other.
    pub fn new(input: &Input, methods: &[Method], pairs: &[PairedLetters]) -> (Self, Vec<Change>) {
        let strands: Vec<(&'static str, Vec<Base>)> =
            change::strands(input).into_iter().map(|(name, rna)| (name, rna.to_vec())).collect();
        let mut methods = methods.to_vec();
        methods.sort_unstable();
        methods.dedup();
        let mut changes = Vec::new();
        for (strand, (_, letters)) in strands.iter().enumerate() {
            for method in &methods {
                match method {
                    Method::NMask => mask(strand, letters, &mut changes),
                    Method::Substitution => substitute(strand, letters, &mut changes),
                    Method::Shuffle => shuffle(strand, letters, &mut changes),
                    Method::DoubleMutant => {}
                }
            }
        }
        let mutated = if methods.contains(&Method::DoubleMutant) { pairs } else { &[] };
        let mutant = |pair: &PairedLetters| {
            DoubleMutant::new(*pair, pair.map(|(strand, position)| strands[strand].1[position]))
        };
        let pairs: Vec<DoubleMutant> = mutated.iter().map(mutant).collect();
        changes.extend(pairs.iter().flat_map(DoubleMutant::changes));
        (Self { strands, methods, pairs }, changes)
    }

    /// The effects, from the outputs of the row as it is and with each change, in their order.
    ///
    /// # Panics
    /// When there are not as many outputs.
    pub fn effects(&self, task: Task, scale: Scale, outputs: &[f32]) -> Effects {
        let original = outputs[0];
        let mut rest = outputs[1..].iter().copied();
        let mut next = || rest.next().expect("an output for each change");
        let mut effect = || scale.of(task, original) - scale.of(task, next());
        let (mut strands, mut double_mutants) = (Vec::new(), self.pairs.clone());
        for (name, letters) in &self.strands {
            strands.push(StrandEffects { name, ..StrandEffects::default() });
            let effects = strands.last_mut().expect("pushed");
            for method in &self.methods {
                effects.take(*method, letters, &mut effect);
            }
        }
        // Probabilities on either scale: a rescue is a fraction of them.
        let mut probability = || Scale::Probability.of(task, next());
        for mutant in &mut double_mutants {
            let original = Scale::Probability.of(task, original);
            mutant.score(original, [probability(), probability(), probability()]);
        }
        Effects { strands, double_mutants }
    }
}

fn mask(strand: usize, letters: &[Base], changes: &mut Vec<Change>) {
    let masks = (1..=LONGEST_MASK).flat_map(|width| masks(letters.len(), width));
    changes.extend(masks.map(|range| Change::hide(strand, range)));
}

fn substitute(strand: usize, letters: &[Base], changes: &mut Vec<Change>) {
    for (position, own) in letters.iter().enumerate() {
        let others = LETTERS.iter().filter(|letter| *letter != own);
        changes.extend(others.map(|letter| Change::replace(strand, position, vec![*letter])));
    }
}

fn shuffle(strand: usize, letters: &[Base], changes: &mut Vec<Change>) {
    for (start, window) in letters.windows(WINDOW.min(letters.len())).enumerate() {
        let shuffled = shuffled(window, start);
        changes.extend(shuffled.into_iter().map(|letters| Change::replace(strand, start, letters)));
    }
}

impl StrandEffects {
    /// Takes the effects of a method's variants off `next`, in the order in which [`Changes`] made them.
    fn take(&mut self, method: Method, letters: &[Base], next: &mut impl FnMut() -> f32) {
        match method {
            Method::NMask => {
                let widths = 1..=LONGEST_MASK;
                let row = |width| masks(letters.len(), width).map(|_| next()).collect();
                self.n_mask = widths.map(row).collect();
                self.importance = importance(&self.n_mask, letters.len());
            }
            Method::Substitution => {
                let mut of = |own: &Base| LETTERS.map(|letter| (letter != *own).then(&mut *next));
                self.substitution = letters.iter().map(&mut of).collect();
            }
            Method::Shuffle => {
                let windows = letters.len() + 1 - WINDOW.min(letters.len());
                let mut mean = |_| (0..SHUFFLES).map(|_| next()).sum::<f32>() / SHUFFLES as f32;
                self.shuffle = (0..windows).map(&mut mean).collect();
            }
            Method::DoubleMutant => {}
        }
    }
}

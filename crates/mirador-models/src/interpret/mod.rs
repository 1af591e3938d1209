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

pub use change::Change;
pub use gene::{GeneChanges, GeneEffects, PartEffect};
pub use masks::{importance, masks};
pub use pairs::{DoubleMutant, LEAST_LOSS, rescue};

use mirna::Base;
use serde::{Deserialize, Serialize};

use crate::tasks::{Input, Task, probability};
use shuffle::{SHUFFLES, WINDOW, shuffled};

/// Longest mask of [`Method::NMask`] for one row (models of interpretation use 1 to 6, Liu et al. 2024).
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
            (Self::Logit, _) | (_, Task::Expression) => output,
            (Self::Probability, _) => probability(output),
        }
    }
}

/// A letter of one strand paired with a letter of another (or of the same), by strand and position from 0.
pub type PairedLetters = [(usize, usize); 2];

/// The variants of one row: which letters to change, and what each change belongs to.
#[derive(Clone, Debug)]
pub struct Changes {
    /// Names and letters of the strands.
    strands: Vec<(&'static str, Vec<Base>)>,
    methods: Vec<Method>,
    pairs: Vec<DoubleMutant>,
    changes: Vec<Change>,
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
    /// The variants of a pair or a hairpin for some methods; `pairs` are the letters that pair with each other.
    pub fn new(input: &Input, methods: &[Method], pairs: &[PairedLetters]) -> Self {
        let strands: Vec<(&'static str, Vec<Base>)> =
            change::strands(input).into_iter().map(|(name, rna)| (name, rna.to_vec())).collect();
        let mut methods = methods.to_vec();
        methods.sort_unstable();
        methods.dedup();
        let mut all = Self { strands, methods, pairs: Vec::new(), changes: Vec::new() };
        for strand in 0..all.strands.len() {
            for method in all.methods.clone() {
                match method {
                    Method::NMask => all.mask(strand),
                    Method::Substitution => all.substitute(strand),
                    Method::Shuffle => all.shuffle(strand),
                    Method::DoubleMutant => {}
                }
            }
        }
        if all.methods.contains(&Method::DoubleMutant) {
            all.mutate(pairs);
        }
        all
    }

    /// How many inputs are to be scored: the row itself and its variants.
    pub fn count(&self) -> usize {
        1 + self.changes.len()
    }

    /// The row itself, then its variants.
    pub fn variants<'a>(&'a self, input: &'a Input) -> impl Iterator<Item = Input> + 'a {
        std::iter::once(input.clone()).chain(self.changes.iter().map(|change| change.apply(input)))
    }

    /// The effects, from the outputs of [`Self::variants`] in their order.
    ///
    /// # Panics
    /// When there are not as many outputs as variants.
    pub fn effects(&self, task: Task, scale: Scale, outputs: &[f32]) -> Effects {
        assert_eq!(outputs.len(), self.count(), "an output for the row and for each variant");
        let original = outputs[0];
        let mut rest = outputs[1..].iter().copied();
        let mut effect = || scale.of(task, original) - scale.of(task, rest.next().expect("counted"));
        let (mut strands, mut double_mutants) = (Vec::new(), self.pairs.clone());
        for (name, letters) in &self.strands {
            strands.push(StrandEffects { name, ..StrandEffects::default() });
            let effects = strands.last_mut().expect("pushed");
            for method in &self.methods {
                effects.take(*method, letters, &mut effect);
            }
        }
        // Probabilities on either scale: a rescue is a fraction of them.
        let mut probability = || Scale::Probability.of(task, rest.next().expect("counted"));
        for mutant in &mut double_mutants {
            let original = Scale::Probability.of(task, original);
            mutant.score(original, [probability(), probability(), probability()]);
        }
        Effects { strands, double_mutants }
    }

    fn mask(&mut self, strand: usize) {
        let length = self.strands[strand].1.len();
        let masks = (1..=LONGEST_MASK).flat_map(|width| masks(length, width));
        self.changes.extend(masks.map(|range| Change::hide(strand, range)));
    }

    fn substitute(&mut self, strand: usize) {
        for (position, own) in self.strands[strand].1.iter().enumerate() {
            let others = LETTERS.iter().filter(|letter| *letter != own);
            self.changes.extend(others.map(|letter| Change::replace(strand, position, vec![*letter])));
        }
    }

    fn shuffle(&mut self, strand: usize) {
        let letters = &self.strands[strand].1;
        let window = WINDOW.min(letters.len());
        for (start, window) in letters.windows(window).enumerate() {
            let shuffled = shuffled(window, start);
            self.changes.extend(shuffled.into_iter().map(|letters| Change::replace(strand, start, letters)));
        }
    }

    fn mutate(&mut self, pairs: &[PairedLetters]) {
        for &pair in pairs {
            let [first, second] = pair.map(|(strand, position)| self.strands[strand].1[position]);
            let mutant = DoubleMutant::new(pair, [first, second]);
            self.changes.extend(mutant.changes());
            self.pairs.push(mutant);
        }
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

//! The contracts of the questions that mirador answers: input, limits and loss by name.

pub mod expression;
pub mod pre_mirna;
pub mod repression;
pub mod scale;
pub mod target_site;

use std::ops::RangeInclusive;

use expression::Gene;
use pre_mirna::PreMirna;
use repression::Targeted;
use target_site::Pair;

/// A question that a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Does this miRNA bind this site?
    TargetSite,
    /// Is this hairpin a mirtron or a canonical pre-miRNA?
    PreMirna,
    /// What mRNA level do this promoter, this transcript and these miRNAs imply?
    Expression,
    /// How much does this miRNA turn a gene down, by the sites on its 3'UTR?
    Repression,
}

/// One row of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// Input of [`Task::TargetSite`].
    Pair(Pair),
    /// Input of [`Task::PreMirna`].
    PreMirna(PreMirna),
    /// Input of [`Task::Expression`].
    Gene(Box<Gene>),
    /// Input of [`Task::Repression`].
    Targeted(Box<Targeted>),
}

impl Input {
    /// Letters of all its sequences.
    pub fn letters(&self) -> usize {
        match self {
            Self::Pair(pair) => pair.mirna.len() + pair.site.len(),
            Self::PreMirna(pre_mirna) => pre_mirna.sequence.len(),
            Self::Gene(gene) => gene.promoter.len(),
            Self::Targeted(targeted) => targeted.mirna.len() + targeted.utr.len(),
        }
    }
}

impl Task {
    /// The name in `/v1/models` and on the cards.
    pub fn name(self) -> &'static str {
        match self {
            Task::TargetSite => "target_site",
            Task::PreMirna => "pre_mirna",
            Task::Expression => "expression",
            Task::Repression => "repression",
        }
    }

    /// Accepted lengths of each sequence of the input, as `/v1/models` names them.
    pub fn input_lengths(self) -> Vec<(&'static str, RangeInclusive<usize>)> {
        match self {
            Task::TargetSite => {
                vec![("mirna_nt", target_site::MIRNA_LENGTHS), ("site_nt", target_site::SITE_LENGTHS)]
            }
            Task::PreMirna => vec![("pre_mirna_nt", pre_mirna::LENGTHS)],
            Task::Expression => vec![("promoter_nt", expression::PROMOTER_LENGTHS)],
            Task::Repression => {
                vec![
                    ("mirna_nt", target_site::MIRNA_LENGTHS),
                    ("transcript_nt", repression::TRANSCRIPT_LENGTHS),
                ]
            }
        }
    }

    /// Inputs that a question asks a model at least: a hairpin as it is, and without its last letters.
    pub fn inputs_asked(self) -> usize {
        match self {
            Task::PreMirna => 2,
            Task::TargetSite | Task::Expression | Task::Repression => 1,
        }
    }

    /// The loss that the training loop minimises for this task.
    pub fn loss(self) -> Loss {
        match self {
            Task::TargetSite | Task::PreMirna => Loss::BinaryCrossEntropy,
            Task::Expression | Task::Repression => Loss::MeanSquaredError,
        }
    }

    /// Whether the answer is a probability; else it is a number of its own scale.
    pub fn has_two_classes(self) -> bool {
        self.loss() == Loss::BinaryCrossEntropy
    }
}

/// Losses by name; `training` holds the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// On one logit, mean over the batch; the target may be any number in [0, 1]. Cross-entropy on two logits is the
    /// same on their difference, so a network with a softmax over two classes gives that.
    BinaryCrossEntropy,
    /// Mean over the batch.
    MeanSquaredError,
}

/// A probability from here on is a yes.
pub const DECISION_THRESHOLD: f64 = 0.5;

/// The probability that a network's logit stands for.
pub fn probability(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

impl From<Pair> for Input {
    fn from(pair: Pair) -> Self {
        Self::Pair(pair)
    }
}

impl From<PreMirna> for Input {
    fn from(pre_mirna: PreMirna) -> Self {
        Self::PreMirna(pre_mirna)
    }
}

impl From<Targeted> for Input {
    fn from(targeted: Targeted) -> Self {
        Self::Targeted(Box::new(targeted))
    }
}

impl From<Gene> for Input {
    fn from(gene: Gene) -> Self {
        Self::Gene(Box::new(gene))
    }
}

//! The contracts of the questions that mirador answers: input, prediction, loss and metrics by name.

pub mod target_site;

use std::ops::RangeInclusive;

/// A question that a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Does this miRNA bind this site?
    TargetSite,
}

impl Task {
    /// The name in `/v1/models` and on the cards.
    pub fn name(self) -> &'static str {
        match self {
            Task::TargetSite => "target_site",
        }
    }

    /// Accepted lengths of each sequence of the input, as `/v1/models` names them.
    pub fn input_lengths(self) -> Vec<(&'static str, RangeInclusive<usize>)> {
        match self {
            Task::TargetSite => {
                vec![("mirna_nt", target_site::MIRNA_LENGTHS), ("site_nt", target_site::SITE_LENGTHS)]
            }
        }
    }

    /// The loss that the training loop minimises for this task.
    pub fn loss(self) -> Loss {
        match self {
            Task::TargetSite => Loss::BinaryCrossEntropy,
        }
    }
}

/// Losses by name; `training` holds the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// On one logit, mean over the batch; the target may be any number in [0, 1].
    BinaryCrossEntropy,
}

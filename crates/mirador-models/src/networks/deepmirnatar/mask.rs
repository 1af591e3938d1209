//! Which positions of a padded batch are real. Whatever mixes positions asks it, so that a row's number does not
//! depend on the longest row beside it.

use tch::{Kind, Tensor};

use super::kmers::PAD;

/// Real positions come first in each row.
#[derive(Debug)]
pub(super) struct Mask {
    real: Tensor, // (n, t), bool
}

impl Mask {
    /// The mask of tokens (n, t).
    pub(super) fn of(tokens: &Tensor) -> Self {
        Self { real: tokens.ne(PAD) }
    }

    /// Values (n, t, c) with 0 past each row's end.
    pub(super) fn cut(&self, values: &Tensor) -> Tensor {
        values * self.real.unsqueeze(-1)
    }

    /// For attention to these positions: (n, 1, 1, t).
    pub(super) fn keys(&self) -> Tensor {
        self.real.unsqueeze(1).unsqueeze(1)
    }

    /// Scores (n, t) with −∞ past each row's end.
    pub(super) fn only_real(&self, scores: &Tensor) -> Tensor {
        scores.masked_fill(&self.real.logical_not(), f64::NEG_INFINITY)
    }

    /// How many positions of each row are real: (n).
    pub(super) fn lengths(&self) -> Tensor {
        self.real.sum_dim_intlist(1, false, Kind::Int64)
    }

    /// Values (n, t, c) with the real positions of each row in reverse order; twice gives them back.
    pub(super) fn reverse(&self, values: &Tensor) -> Tensor {
        let steps = Tensor::arange(self.real.size()[1], (Kind::Int64, self.real.device()));
        let mirrored = self.lengths().unsqueeze(1) - 1 - &steps; // (n, t), negative past the end
        let places = mirrored.where_self(&mirrored.ge(0), &steps);
        values.gather(1, &places.unsqueeze(-1).expand_as(values), false)
    }
}

/// Tokens (n, t) without the columns that are padding in every row.
pub(super) fn trim(tokens: &Tensor) -> Tensor {
    tokens.narrow(1, 0, Mask::of(tokens).lengths().max().int64_value(&[]))
}

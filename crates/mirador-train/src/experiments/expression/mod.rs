//! Expression: genes and baselines.

mod baselines;
mod boosting;
mod genes;
mod linear;
mod words;

pub use genes::Genes;

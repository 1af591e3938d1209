//! Expression: genes and baselines.

mod baselines;
mod genes;
mod linear;

pub use genes::Genes;

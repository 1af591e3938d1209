//! Pre-miRNAs: folds and baselines.

mod baselines;
mod ends;
mod folds;
mod logistic;

pub use folds::Folds;

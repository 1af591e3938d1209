//! Pre-miRNAs: folds and baselines.

mod baselines;
mod folds;
mod logistic;

pub use folds::Folds;

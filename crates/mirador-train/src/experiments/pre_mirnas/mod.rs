//! Pre-miRNAs: folds and baselines.

mod baselines;
mod ends;
mod folds;

pub use folds::Folds;

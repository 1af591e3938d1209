//! Pre-miRNAs: folds and baselines.

mod baselines;
mod classifiers;
mod ends;
mod folds;
mod rorbach;

pub use folds::Folds;

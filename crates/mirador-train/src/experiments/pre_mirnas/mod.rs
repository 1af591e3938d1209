//! Pre-miRNAs: folds and floors.

mod floors;
mod folds;
mod logistic;

pub use folds::Folds;

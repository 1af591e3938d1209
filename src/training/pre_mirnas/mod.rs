//! Pre-miRNAs: the dataset file, families, folds that share none, floors.

pub mod dataset;
mod families;
mod floors;
mod folds;
mod logistic;
pub mod prepare;
mod split;

pub use folds::Folds;

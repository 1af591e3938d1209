//! Pre-miRNAs: the dataset file, families, folds that share none.

pub mod dataset;
mod families;
pub mod prepare;
pub mod split;

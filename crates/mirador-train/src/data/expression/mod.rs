//! Expression: the dataset file, made from public tables or from a genome.

mod annotation;
pub mod dataset;
mod genome;
mod own;
mod permutation;
pub mod prepare;

pub use own::own;

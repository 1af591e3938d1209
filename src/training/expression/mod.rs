//! Expression: the dataset file, made from public tables or from a genome; floors; the choice of miRNAs.

mod annotation;
pub mod dataset;
mod floors;
mod genes;
mod genome;
mod linear;
mod own;
mod permutation;
pub mod prepare;
pub mod selection;

pub use genes::Genes;
pub use own::own;

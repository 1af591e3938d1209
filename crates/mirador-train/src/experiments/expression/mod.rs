//! Expression: genes and floors.

mod floors;
mod genes;
mod linear;

pub use genes::Genes;

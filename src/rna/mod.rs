//! Biology on letters: sequences, seed matches, duplexes. No JSON, no tensors.

pub mod duplex;
pub mod seed;
mod sequence;

pub use sequence::{Ambiguity, Base, ParseError, Rna};

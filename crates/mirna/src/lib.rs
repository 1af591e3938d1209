//! Biology on letters: sequences, seed matches, duplexes, folds. No JSON, no tensors.

pub mod duplex;
pub mod fold;
pub mod isomir;
pub mod mirbase;
mod notation;
pub mod seed;
pub mod sense;
mod sequence;
pub mod sites;
mod words;

pub use crate::notation::Notation;
pub use crate::sequence::{Base, ParseError, Rna, Unknown};

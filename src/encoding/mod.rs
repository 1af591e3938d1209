//! A sequence as numbers of fixed shape: what a network sees of the letters.

mod one_hot;

pub use one_hot::{crop_middle, one_hot};

/// One network input, and what the caller should know about how it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// As many values as the model's `input_width`, row-major.
    pub values: Vec<f32>,
    /// In plain words, e.g. which part of a long site was read.
    pub warnings: Vec<String>,
}

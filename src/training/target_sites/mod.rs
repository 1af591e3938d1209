//! Target sites: the dataset file, bias-free negatives, splits that share nothing, floors.

pub mod augment;
pub mod dataset;
mod examples;
pub mod floors;
pub mod negatives;
pub mod prepare;
pub mod published;
pub mod split;
pub mod teacher;

pub use examples::Examples;

//! Target sites: bias-free negatives, moved and cropped sites, a teacher beside the data, baselines.

pub mod augment;
pub mod baselines;
mod examples;
mod families;
mod negatives;
mod reads;
mod taught;
mod teacher;

pub use examples::{Examples, with_permuted};
pub use reads::Reads;
pub use taught::Taught;

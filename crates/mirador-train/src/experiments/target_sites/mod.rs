//! Target sites: bias-free negatives, moved and cropped sites, a teacher beside the data, floors.

pub mod augment;
mod examples;
pub mod floors;
mod negatives;
mod teacher;

pub use examples::Examples;

//! Target sites: the dataset file, its splits that share nothing, the papers' own sets.

pub mod dataset;
pub mod prepare;
pub mod published;
pub mod random;
pub mod reads;
pub mod split;
pub mod taught;
pub mod teaching;
pub mod transcripts;

//! The trainer, in one binary: each further one would link libtorch again.

// Helpers of tests are tests too, though clippy sees no #[test] on them.
#![allow(clippy::unwrap_used)]

mod genome;
mod pretraining;
mod public;
mod reports;
mod repression;
mod training;

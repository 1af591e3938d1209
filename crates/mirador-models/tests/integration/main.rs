//! The networks, in one binary: each further one would link libtorch again.

// Helpers of tests are tests too, though clippy sees no #[test] on them.
#![allow(clippy::unwrap_used)]

mod deepmirnatar;
mod goldens;
mod interpretation;
mod pairmap;
mod premirna;
mod published;
mod repression;
mod xpresso;

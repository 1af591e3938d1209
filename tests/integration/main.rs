//! The whole application, in one binary: each further one would link libtorch again.

mod parity;
mod training;

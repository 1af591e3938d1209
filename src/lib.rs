//! mirador: answers the questions of microRNA biology with libtorch networks.
//!
//! Two paths, each one way:
//! - a request: letters → [`rna`] → [`encoding`] → [`serving`] queue → a worker's [`models`] replica → JSON ([`http`]);
//! - a training run: public files → [`training`] → the same [`rna`], [`encoding`] and [`models`] → `weights/`.
//!
//! [`tasks`] names what goes in and out of each question. A module imports only from those listed before it.

pub mod rna;

pub mod encoding;
pub mod tasks;

pub mod models;

pub mod serving;
pub mod training;

pub mod config;
pub mod telemetry;

pub mod http;

/// Also libtorch's, by the feature `override`: with glibc's own, every large tensor is memory fresh from the kernel, and
/// a batch of 512 takes half as long again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

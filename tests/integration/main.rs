//! The whole application, in one binary: each further one would link libtorch again.

// Helpers of tests are tests too, though clippy sees no #[test] on them.
#![allow(clippy::unwrap_used)]

mod access;
mod app;
mod architecture;
mod asking;
mod bodies;
mod browsers;
mod columns;
mod complaints;
mod compression;
mod connections;
mod contract;
mod ending;
mod explain;
mod expression;
mod fake;
mod folding;
mod formats;
mod health;
mod inference;
mod installed;
mod isomirs;
mod jobs;
mod jobs_given_up;
mod jobs_process;
mod leaving;
mod letters;
mod metrics;
mod models;
mod offline;
mod openapi;
mod overload;
mod pairing;
mod panels;
mod peers;
mod pre_mirnas;
mod process;
mod public_files;
mod reading;
mod refusals;
mod reloads;
mod scanning;
mod scoring;
mod senses;
mod serving;
mod streams;
mod tables;
mod telemetry;
mod weights;

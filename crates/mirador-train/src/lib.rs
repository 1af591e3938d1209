//! Offline: public files → rows → a trained, audited weights folder → reports.
//!
//! [`data`] turns public files into one dataset file for a task; an [`experiment`] says what its rows are, which of them
//! choose and which measure, and what the baselines are ([`experiments`], by task). A [`training`] runs the loop of
//! [`learn`] by a [`recipe`], measures ([`stats`], [`results`]) and writes the weights folder. [`pretrain`] is what
//! DeepmiRNATar learns before; [`repression`] is fitted in closed form instead; [`reports`] repeat the papers; [`interpret`] says what a network has learned,
//! [`side_by_side`] what several reach on the same rows. The loop knows no particular network and no task.

// What a command prints is its result.
#![allow(clippy::print_stdout)]

pub mod commands;
pub mod data;
pub mod experiment;
pub mod experiments;
pub mod interpret;
pub mod learn;
pub mod pretrain;
pub mod published;
pub mod recipe;
pub mod reports;
pub mod repression;
pub mod results;
pub mod side_by_side;
pub mod stats;
pub mod training;

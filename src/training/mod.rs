//! Offline: public files → examples → a trained, audited weights folder.
//!
//! `prepare` reads [`sources`] into one dataset file for a task; an [`experiment`] says what its rows are, which of
//! them choose and which measure, and what the floors are ([`target_sites`], [`pre_mirnas`], [`expression`]). `train`
//! runs the [`fit`] loop by a [`recipe`], measures ([`metrics`]) and writes the [`card`]. The loop knows no particular
//! network and no task.

mod calibration;
pub mod card;
pub mod checkpoint;
pub mod commands;
pub mod correlation;
pub mod evaluate;
pub mod experiment;
pub mod expression;
pub mod fit;
pub mod folder;
pub mod golden;
pub mod import;
pub mod interval;
pub mod metrics;
pub mod optimizer;
pub mod pre_mirnas;
pub mod predictions;
pub mod prepare;
pub mod pretrain;
pub mod ranking;
pub mod recipe;
pub mod report;
pub mod reproduce;
pub mod sources;
pub mod speed;
pub mod target_sites;
pub mod train;
pub mod tsv;

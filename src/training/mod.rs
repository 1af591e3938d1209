//! Offline: public files → examples → a trained, audited weights folder.
//!
//! `prepare` reads [`sources`] into one [`dataset`] file, [`split`]s it by site cluster and miRNA family and keeps
//! the published tests apart; `train` draws [`negatives`], runs the [`fit`] loop by a [`recipe`], measures
//! ([`metrics`], [`audit`]) and writes the [`card`]. The loop knows no particular network.

pub mod audit;
pub mod augment;
pub mod card;
pub mod checkpoint;
pub mod commands;
pub mod dataset;
pub mod evaluate;
pub mod examples;
pub mod fit;
pub mod folder;
pub mod import;
pub mod interval;
pub mod metrics;
pub mod negatives;
pub mod optimizer;
pub mod prepare;
pub mod ranking;
pub mod recipe;
pub mod report;
pub mod sources;
pub mod speed;
pub mod split;
pub mod teacher;
pub mod train;
pub mod tsv;

//! Public files → one dataset file for each task.

pub mod expression;
pub mod files;
pub mod pre_mirnas;
pub mod prepare;
pub mod repression;
pub mod sources;
pub mod target_sites;
pub mod tsv;

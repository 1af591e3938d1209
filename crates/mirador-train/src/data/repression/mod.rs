//! Repression: the dataset, made from public tables or from tables of one's own.

pub mod dataset;
pub mod groups;
mod own;
pub mod prepare;

pub use own::own;

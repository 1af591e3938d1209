//! Answers without a server: files in, a file out, on all cores. They are those that the server gives.

mod blocks;
mod check;
mod engine;
mod genes;
mod models;
mod parallel;
mod part;
mod rows;
mod scan;

pub use check::check;
pub use rows::rows;
pub use scan::scan;

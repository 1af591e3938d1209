//! The same answers without a server: files in, a file out, on all cores.

mod blocks;
mod check;
mod engine;
mod genes;
mod models;
mod part;
mod rows;
mod scan;

pub use check::check;
pub use rows::rows;
pub use scan::scan;

//! What is said of a training: predictions, the report, the card, the weights folder.

pub mod card;
pub mod comparison;
pub mod default;
pub mod folder;
pub mod kept;
pub mod matrix;
pub mod predictions;
pub mod published_tools;
pub mod report;
pub mod rival;
pub mod side_by_side;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::write_json;
use serde::Serialize;

/// Writes what a command measured, for reports to read, and says where.
pub fn write<R: Serialize>(path: &Path, measured: &R) -> Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path)).with_context(|| path.display().to_string())?;
    write_json(path, measured)?;
    println!("wrote {}", path.display());
    Ok(())
}

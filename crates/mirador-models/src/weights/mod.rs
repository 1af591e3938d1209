//! `weights/<model>/<version>/`: read, written, held to its golden outputs.

mod folder;
mod golden;
mod golden_rows;
mod root;
mod write;

pub use folder::{WeightsConfig, WeightsDir, sha256, sha256_of};
pub use golden::{GOLDEN_TOLERANCE, Golden};
pub use golden_rows::golden_rows;
pub use root::{own_weights_root, weights_root};
pub use write::{Identity, write_folder, write_json};

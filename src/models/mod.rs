//! The networks, one folder per model, and the list [`MODELS`]: all that the rest of the house knows of them.

pub mod device;
pub mod dmiso;
mod error;
mod layers;
mod replica;
mod tensors;
mod weights;

use tch::nn;

pub use error::LoadError;
pub use replica::{GOLDEN_TOLERANCE, Golden, Replica};
pub use tensors::Tensors;
pub use weights::{WeightsConfig, WeightsDir, sha256, sha256_of};

use crate::encoding::Encoded;
use crate::tasks::{Task, target_site::Pair};

/// One kind of network: how its input is encoded and how it is built.
pub struct Model {
    /// The name in requests and of the folder under `weights/`.
    pub name: &'static str,
    /// The question it answers.
    pub task: Task,
    /// One sentence for `/v1/models`, with the paper.
    pub description: &'static str,
    /// Values in one encoded input.
    pub input_width: usize,
    /// From letters to numbers; cannot fail for a parsed pair.
    pub encode: fn(&Pair) -> Encoded,
    /// Builds the network under a path, initialised as the paper trains it, with the switches of its
    /// `config.json`.
    pub network: fn(&nn::Path, &Options) -> Result<Network, LoadError>,
    /// Variables whose absolute values the paper adds to the loss (L1).
    pub l1_variables: &'static [&'static str],
    /// Turns the tensors of the authors' published file into ours.
    pub from_published: fn(Tensors) -> Result<Tensors, LoadError>,
}

/// Layers that map (n, `input_width`) to n logits, shape (n, 1).
pub type Network = Box<dyn nn::ModuleT>;

/// A model's own switches, as they stand under `options` in `config.json`.
pub type Options = serde_json::Map<String, serde_json::Value>;

/// Every model of this build.
pub const MODELS: &[&Model] = &[&dmiso::MODEL];

/// The model with this name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().copied().find(|model| model.name == name)
}

//! The networks, one folder per model, and the list [`MODELS`]: all that the rest of the house knows of them.

pub mod abscorr;
pub mod allmirna;
pub mod deepmirnatar;
pub mod device;
pub mod dmiso;
mod encoder;
mod error;
mod golden;
mod layers;
mod lstm;
pub mod mirex;
pub mod mitar;
pub mod pairmap;
pub mod premirna_cnn_lstm;
pub mod premirna_cnn_zheng;
mod replica;
mod tensors;
mod weights;
pub mod xpresso;

use tch::{Tensor, nn};

pub use encoder::Encoder;
pub use error::LoadError;
pub use golden::{GOLDEN_TOLERANCE, Golden};
pub use replica::{Replica, Weights};
pub use tensors::Tensors;
pub use weights::{WeightsConfig, WeightsDir, sha256, sha256_of};

use crate::tasks::{Task, target_site::Pair};

/// One kind of network: how its input is encoded and how it is built.
pub struct Model {
    /// The name in requests and of the folder under `weights/`.
    pub name: &'static str,
    /// The question it answers.
    pub task: Task,
    /// One sentence for `/v1/models`, with the paper.
    pub description: &'static str,
    /// What each answer depends on and does not show; said in every reply's `warnings` and in `/v1/models`.
    pub caution: Option<&'static str>,
    /// From letters to numbers, with the switches of its `config.json`.
    pub encoder: encoder::MakeEncoder,
    /// Builds the network under a path, initialised as the paper trains it, with the switches of its
    /// `config.json`.
    pub network: fn(&nn::Path, &Options) -> Result<Network, LoadError>,
    /// Sets variables that are not trained (scalers) from the training rows: inputs (n, width) and targets (n).
    pub adapt: Option<fn(&nn::VarStore, &Tensor, &Tensor)>,
    /// Variables whose absolute values the paper adds to the loss (L1).
    pub l1_variables: &'static [&'static str],
    /// Which letters pair, by the trained weights, where the model knows.
    pub pairing: Option<MakePairing>,
    /// Turns the tensors of the authors' published file into ours, where there is one.
    pub from_published: Option<fn(Tensors) -> Result<Tensors, LoadError>>,
}

/// Layers that map (n, the encoder's `width`) to (n, 1): a logit, or the level of expression.
pub type Network = Box<dyn nn::ModuleT>;

/// Reads what it needs from a network's variables.
pub type MakePairing = fn(&nn::VarStore) -> Result<Pairing, LoadError>;

/// The pairs of a duplex as dots and brackets, the miRNA 5'→3', `&`, the site 5'→3'.
pub type Pairing = Box<dyn Fn(&Pair) -> String + Send + Sync>;

/// A model's own switches, as they stand under `options` in `config.json`.
pub type Options = serde_json::Map<String, serde_json::Value>;

/// Every model of this build.
pub const MODELS: &[&Model] = &[
    &abscorr::MODEL,
    &allmirna::MODEL,
    &deepmirnatar::MODEL,
    &dmiso::MODEL,
    &mirex::MODEL,
    &mitar::MODEL,
    &pairmap::MODEL,
    &premirna_cnn_lstm::MODEL,
    &premirna_cnn_zheng::MODEL,
    &xpresso::MODEL,
];

/// The model with this name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().copied().find(|model| model.name == name)
}

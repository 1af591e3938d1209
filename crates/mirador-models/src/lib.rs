//! The questions, the networks that answer them, and the folders of their weights: all that the server and the trainer
//! share, so that what is trained is what is served.
//!
//! [`tasks`] says what goes in and out of each question, [`encoding`] makes numbers of letters, [`networks`] has the
//! models, [`weights`] their folders; a [`Replica`] is a network with its weights on a device.

pub mod cuda;
pub mod device;
mod encoder;
pub mod encoding;
mod error;
pub mod interpret;
mod model;
mod model_id;
pub mod networks;
mod options;
mod replica;
pub mod tasks;
mod tensors;
pub mod weights;

pub use encoder::Encoder;
pub use error::LoadError;
pub use model::{
    Competition, Layers, MakePairing, MakePanels, MakeSiteEffects, Model, Network, Pairing, Panels,
    SiteEffects,
};
pub use model_id::{ModelId, NoModelId};
pub use networks::{MODELS, find};
pub use options::Options;
pub use replica::{Replica, Weights};
pub use tensors::{Array, Tensors};
pub use weights::{
    GOLDEN_TOLERANCE, Golden, Identity, WeightsConfig, WeightsDir, golden_rows, own_weights_root, sha256,
    sha256_of, weights_root, write_folder, write_json,
};

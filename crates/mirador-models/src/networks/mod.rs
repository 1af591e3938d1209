//! The networks, one folder per model, and the list [`MODELS`]: all that the rest of the house knows of them.

pub mod abscorr;
pub mod allmirna;
pub mod deepmirnatar;
pub mod dmiso;
mod genes;
pub mod hairpin;
mod layers;
mod lstm;
pub mod mirbind2;
pub mod mirex;
pub mod mitar;
pub mod pairmap;
pub mod premirna_cnn_lstm;
pub mod premirna_cnn_zheng;
pub mod promoter;
pub mod repression;
pub mod xpresso;

use crate::Model;

/// Every model of this build.
pub const MODELS: &[&Model] = &[
    &abscorr::MODEL,
    &allmirna::MODEL,
    &deepmirnatar::MODEL,
    &dmiso::MODEL,
    &hairpin::MODEL,
    &mirbind2::MODEL,
    &mirex::MODEL,
    &mitar::MODEL,
    &pairmap::MODEL,
    &premirna_cnn_lstm::MODEL,
    &premirna_cnn_zheng::MODEL,
    &promoter::MODEL,
    &repression::MODEL,
    &xpresso::MODEL,
];

/// The model with this name.
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().copied().find(|model| model.name == name)
}

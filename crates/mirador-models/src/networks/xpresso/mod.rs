//! Xpresso: promoter and transcript → mRNA level (Agarwal & Shendure, Cell Rep 2020), and what its relatives with
//! miRNAs share with it.

mod encode;
mod network;
mod promoter;
mod published;

use serde::Deserialize;

pub use network::scale_features;

use crate::Model;
use crate::tasks::Task;
use crate::tasks::expression::HalfLifeFeature;

/// Nucleotides before the start of transcription.
const UPSTREAM: usize = 7_000;
/// From the start on.
const DOWNSTREAM: usize = 3_500;
const WINDOW: usize = UPSTREAM + DOWNSTREAM;

/// The model.
pub const MODEL: Model = Model {
    name: "xpresso",
    task: Task::Expression,
    description: "Xpresso: two convolutions over 10,500 nt around the start of transcription and a dense layer that \
                  also reads features of the transcript's half-life. Agarwal & Shendure, Cell Rep 2020.",
    caution: None,
    encoder: encode::encoder,
    network: network::build,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: Some(published::convert),
    adapt: Some(network::scale),
    adapt_is_all: false,
};

/// What a version reads, and the dropout after its two hidden layers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    /// Nucleotides before the start of transcription and from it on that the training genes had: what lies beyond is
    /// read as N, since the weights there are as they were drawn.
    window: [usize; 2],
    features: Vec<HalfLifeFeature>,
    mirnas: Vec<String>,
    /// The least and the highest level that a miRNA had in training where it targets the gene, if that is known.
    levels: Option<[f32; 2]>,
    dropout: [f64; 2],
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            window: [UPSTREAM, DOWNSTREAM],
            // The published network knows no measured half-life.
            features: HalfLifeFeature::ALL[..8].to_vec(),
            mirnas: Vec::new(),
            levels: None,
            dropout: [0.00099, 0.01546],
        }
    }
}

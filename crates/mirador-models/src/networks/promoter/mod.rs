//! promoter, our own network for expression: a promoter is compared, by the words that it holds and where they lie, with
//! promoters of training genes.

mod encode;
mod fit;
mod likeness;
mod network;
mod words;

use serde::Deserialize;

use crate::Model;
use crate::tasks::Task;
use crate::tasks::expression::HalfLifeFeature;

/// Nucleotides before the start of transcription, and from it on, that are read.
const UPSTREAM: usize = 249;
const DOWNSTREAM: usize = 51;
const WINDOW: usize = UPSTREAM + DOWNSTREAM;
/// The part of them that the nearer likeness reads: it is public of most genes.
const CORE: [usize; 2] = [49, 37];
/// The least part that training shows.
const LEAST: [usize; 2] = [49, 11];

/// The model.
pub const MODEL: Model = Model {
    name: "promoter",
    task: Task::Expression,
    description: "promoter: words of one to five letters and where they lie in up to 300 nt round the start of \
                  transcription, compared with promoters of training genes, and features of the transcript's half-life. \
                  mirador's own.",
    caution: None,
    encoder: encode::encoder,
    network: network::build,
    adapt: Some(fit::fit),
    adapt_is_all: true,
    l1_variables: &[],
    pairing: None,
    site_effects: None,
    panels: None,
    from_published: None,
};

/// What a version reads, and how many promoters it compares with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    features: Vec<HalfLifeFeature>,
    /// Training promoters that the core is compared with, and those that the whole window is compared with.
    landmarks: [i64; 2],
}

impl Default for Switches {
    fn default() -> Self {
        Self { features: HalfLifeFeature::ALL[..8].to_vec(), landmarks: [1_500, 1_000] }
    }
}

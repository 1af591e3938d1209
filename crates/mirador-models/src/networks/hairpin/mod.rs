//! hairpin, our own: mirtron or canonical, by what splicing and Drosha look for. A line through numbers that people can
//! read, which turns with the length, trained on hairpins whose ends were moved: who cuts a hairpin decides where it ends.

pub mod features;
mod network;
mod structure;

use crate::encoding::Encoded;
use crate::tasks::Task;
use crate::{Encoder, Model};

/// The model.
pub const MODEL: Model = Model {
    name: "hairpin",
    task: Task::PreMirna,
    description: "hairpin: splice sites found at the ends of a hairpin, its composition and its structure of least free \
                  energy, weighed and summed; mirtron or canonical, also where the ends are cut. mirador's own.",
    caution: None,
    encoder: |_| {
        Ok(Encoder::pre_mirna([1, features::WIDTH], |hairpin| {
            Encoded::whole(features::encode(&hairpin.sequence), Vec::new())
        })
        .folding())
    },
    network: network::build,
    adapt: Some(network::adapt),
    adapt_is_all: false,
    l1_variables: &[],
    pairing: None,
    site_effects: None,
    panels: None,
    from_published: None,
};

//! pairmap, our own network for target sites: a trained aligner that weighs all alignments of a miRNA and a site, and
//! layers that read the map of pairs that it finds.

mod aligner;
mod alignment;
mod duplex;
mod energy;
mod network;
mod pairing;
mod panel;

use mirna::Base;
use mirna::seed::SiteType;
use serde::Deserialize;

use crate::encoding::Encoded;
use crate::tasks::Task;
use crate::tasks::target_site::Pair;
use crate::{Encoder, Model};

/// Room for the longest miRNA and the longest site.
const MIRNA_ROWS: usize = aligner::POSITIONS;
const SITE_ROWS: usize = 100;
/// Letters, and the seed match.
const WIDTH: usize = MIRNA_ROWS + SITE_ROWS + 1;
/// In place of a letter.
const MISSING: u8 = aligner::LETTERS as u8;

/// The model's own switches.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    /// Units of the layers that read the duplex; 0: the aligner's score is all.
    units: i64,
    /// Share of dropped values behind each.
    dropout: f64,
    /// Frequent miRNAs that compete for the site; 0: none.
    panel: i64,
}

impl Default for Switches {
    fn default() -> Self {
        Self { units: 128, dropout: 0.5, panel: 0 }
    }
}

/// The model.
pub const MODEL: Model = Model {
    name: "pairmap",
    task: Task::TargetSite,
    description: "pairmap: a trained aligner that weighs all alignments, and two dense layers over the pairs that it \
                  finds, for a miRNA or isomiR (15 to 30 nt) and a target site (6 to 100 nt). mirador's own.",
    caution: None,
    encoder: |_| Ok(Encoder::target_site([WIDTH, 1], encode)),
    network: network::build,
    adapt: Some(|store, inputs, _| panel::Panel::adapt(store, inputs)),
    adapt_is_all: false,
    l1_variables: &[],
    pairing: Some(pairing::pairing),
    site_effects: None,
    from_published: None,
};

/// The miRNA 5'→3' and the site 3'→5' as A 0, C 1, G 2, U 3, N 4, each filled with 5; then the seed match.
fn encode(pair: &Pair) -> Encoded {
    let mut values = vec![f32::from(MISSING); WIDTH];
    let (mirna, site) = values.split_at_mut(MIRNA_ROWS);
    mirna.iter_mut().zip(pair.mirna.iter()).for_each(|(value, &base)| *value = f32::from(number(base)));
    site.iter_mut().zip(pair.site.iter().rev()).for_each(|(value, &base)| *value = f32::from(number(base)));
    values[WIDTH - 1] = f32::from(SiteType::best(&pair.mirna, &pair.site) as u8);
    Encoded::whole(values, Vec::new())
}

fn number(base: Base) -> u8 {
    match base {
        Base::A => 0,
        Base::C => 1,
        Base::G => 2,
        Base::U => 3,
        Base::N => 4,
    }
}

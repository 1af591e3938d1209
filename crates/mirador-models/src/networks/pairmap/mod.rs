//! pairmap, our own network for target sites: a trained aligner that weighs all alignments of a miRNA and a site, and
//! layers that read the map of pairs that it finds.

mod aligner;
mod alignment;
mod context;
mod duplex;
mod energy;
mod member;
mod network;
mod pairing;
mod panel;

use mirna::Base;
use mirna::seed::SiteType;
use serde::Deserialize;

use crate::encoding::Encoded;
use crate::tasks::Task;
use crate::tasks::target_site::Pair;
use crate::{Encoder, LoadError, Model, Options};

/// Room for the longest miRNA and the longest site.
const MIRNA_ROWS: usize = aligner::POSITIONS;
const SITE_ROWS: usize = 100;
/// Letters, and the seed match.
const WIDTH: usize = MIRNA_ROWS + SITE_ROWS + 1;
/// In place of a letter.
const MISSING: u8 = aligner::LETTERS as u8;

/// The model's own switches.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    /// Units of the layers that read the duplex; 0: the aligner's score is all.
    units: i64,
    /// Share of dropped values behind each.
    dropout: f64,
    /// Frequent miRNAs that compete for the site; 0: none.
    panel: i64,
    /// Whether the layers read the letters too, see `context`.
    letters: bool,
    /// Whether the aligner stays as it is where training starts.
    fixed_aligner: bool,
    /// Several that were trained apart on one aligner and are averaged; each has the switches above. None: one alone.
    members: Vec<Self>,
}

impl Default for Switches {
    fn default() -> Self {
        Self { units: 128, dropout: 0.5, panel: 0, letters: false, fixed_aligner: false, members: Vec::new() }
    }
}

/// The model.
pub const MODEL: Model = Model {
    name: "pairmap",
    task: Task::TargetSite,
    description: "pairmap: a trained aligner that weighs all alignments, and two dense layers over the pairs that it \
                  finds, for a miRNA or isomiR (15 to 30 nt) and a target site (6 to 100 nt). mirador's own.",
    caution: None,
    encoder,
    network: network::build,
    adapt: Some(|store, inputs, _| panel::Panel::adapt(store, inputs)),
    adapt_is_all: false,
    l1_variables: &[],
    pairing: Some(pairing::pairing),
    panels: Some(panel::panels),
    site_effects: None,
    from_published: None,
};

fn encoder(options: &Options) -> Result<Encoder, LoadError> {
    let Switches { panel, .. } = LoadError::options(options)?;
    // Room for how the row stands to a panel of its own; as it is encoded it has none.
    let width = WIDTH + if panel > 0 { panel::OWN } else { 0 };
    Ok(Encoder::target_site([width, 1], move |pair| {
        let mut encoded = encode(pair);
        encoded.values.resize(width, 0.0);
        encoded
    }))
}

/// The miRNA 5'→3' and the site 3'→5' as A 0, C 1, G 2, U 3, N 4, each filled with 5; then the seed match.
fn encode(pair: &Pair) -> Encoded {
    let mut values = vec![f32::from(MISSING); WIDTH];
    let [mirna, site] = numbered(pair);
    let (mirnas, sites) = values.split_at_mut(MIRNA_ROWS);
    mirnas.iter_mut().zip(mirna).for_each(|(value, letter)| *value = f32::from(letter));
    sites.iter_mut().zip(site).for_each(|(value, letter)| *value = f32::from(letter));
    values[WIDTH - 1] = f32::from(SiteType::best(&pair.mirna, &pair.site) as u8);
    Encoded::whole(values, Vec::new())
}

/// The miRNA 5'→3' and the site 3'→5'.
fn numbered(pair: &Pair) -> [Vec<u8>; 2] {
    let site = pair.site.iter().rev();
    [numbers_of(&pair.mirna), site.map(|&base| number(base)).collect()]
}

fn numbers_of(bases: &[Base]) -> Vec<u8> {
    bases.iter().map(|&base| number(base)).collect()
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

//! miTAR: miRNA × target site (Gu et al., BMC Bioinformatics 2021), the network that the interpretation paper reads.

mod cell;
mod network;
mod published;

use serde::Deserialize;

use crate::encoding::{Encoded, Reading, pair_tokens};
use crate::tasks::Task;
use crate::tasks::target_site::Pair;
use crate::{Encoder, LoadError, Model, Options};

/// Letters kept of the miRNA (paper: "Data pre-processing").
const MIRNA_ROWS: usize = 26;
/// Ids: the letters and N.
const IDS: i64 = 5;

/// The model's own switches.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Switches {
    /// Letters kept of the site: 53 (DeepMirTar, and both sets together) or 40 (miRAW).
    site_rows: usize,
    /// Share of dropped values, at all four places.
    dropout: f64,
}

impl Default for Switches {
    fn default() -> Self {
        Self { site_rows: 53, dropout: 0.2 }
    }
}

/// The model.
pub const MODEL: Model = Model {
    name: "mitar",
    task: Task::TargetSite,
    description: "miTAR: embedded letters, a convolution and a bidirectional recurrent layer over a miRNA (26 nt) and a \
                  target site (53 or 40 nt). Gu et al., BMC Bioinformatics 2021.",
    caution: None,
    encoder,
    network: network::build,
    adapt: None,
    adapt_is_all: false,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: Some(published::convert),
};

fn encoder(options: &Options) -> Result<Encoder, LoadError> {
    let Switches { site_rows, .. } = LoadError::options(options)?;
    let encode = move |pair: &_| encode(pair, site_rows);
    Ok(Encoder::target_site([MIRNA_ROWS + site_rows, 1], encode).with_windows(site_rows))
}

/// Ids (N 0, A 1, U 2, C 3, G 4) of the miRNA 3'→5', filled with N, then of the site 5'→3', filled with N. N has a
/// trained vector; nothing is masked.
fn encode(pair: &Pair, site_rows: usize) -> Encoded {
    pair_tokens(pair, MIRNA_ROWS, Reading::Backward, site_rows)
}

//! miRBind2: miRNA × target site (BioGeMT, bioRxiv 2026.03.19.712027), a convolution over the grid of letter pairs.

mod network;
mod published;

use crate::encoding::{Encoded, Reading, pair_tokens};
use crate::tasks::Task;
use crate::tasks::target_site::Pair;
use crate::{Encoder, Model};

/// Letters kept of the miRNA and of the site.
const MIRNA_ROWS: usize = 28;
const SITE_ROWS: usize = 50;

/// The model.
pub const MODEL: Model = Model {
    name: "mirbind2",
    task: Task::TargetSite,
    description: "miRBind2: three convolutions over the grid of letter pairs of a miRNA (28 nt) and a target site (50 nt). \
                  BioGeMT, bioRxiv 2026.03.19.712027.",
    caution: Some(
        "mirbind2 reads sites of 50 nt, as it was trained on: a shorter one is filled with N at its 3' end and is ranked \
         less well",
    ),
    encoder: |_| Ok(Encoder::target_site([MIRNA_ROWS + SITE_ROWS, 1], encode).with_windows(SITE_ROWS)),
    network: network::build,
    adapt: None,
    adapt_is_all: false,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: Some(published::convert),
};

/// Ids (N 0, A 1, U 2, C 3, G 4) of the miRNA, then of the site; both 5'→3', filled with N at the 3' end.
fn encode(pair: &Pair) -> Encoded {
    pair_tokens(pair, MIRNA_ROWS, Reading::Forward, SITE_ROWS)
}

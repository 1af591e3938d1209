//! DMISO: miRNA or isomiR × target site (Talukder et al., Sci Rep 2022).

mod network;
mod published;

use mirna::{Base, Rna};

use crate::encoding::{Encoded, crop_middle, one_hot};
use crate::tasks::Task;
use crate::tasks::target_site::Pair;
use crate::{Encoder, Model};

/// Rows of the miRNA's and the site's map (paper: "Deep learning model").
const MIRNA_ROWS: usize = 30;
const SITE_ROWS: usize = 60;
/// Positions and letters of an input.
const SHAPE: [usize; 2] = [MIRNA_ROWS + SITE_ROWS, 4];
const ALPHABET: [Base; 4] = [Base::A, Base::U, Base::C, Base::G];

/// The model.
pub const MODEL: Model = Model {
    name: "dmiso",
    task: Task::TargetSite,
    description: "DMISO: two convolutional branches, a bidirectional LSTM and a dense layer over a miRNA or \
                  isomiR (30 nt) and a target site (60 nt). Talukder et al., Sci Rep 2022.",
    caution: None,
    encoder: |_| Ok(Encoder::target_site(SHAPE, encode)),
    network: network::build,
    adapt: None,
    adapt_is_all: false,
    l1_variables: &["conv_mirna.weight", "conv_site.weight", "dense.weight"],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: Some(published::convert),
};

/// miRNA map, then site map; both 5'→3', letters A, U, C, G, N = ¼ four times, filled with N at the 3' end.
fn encode(pair: &Pair) -> Encoded {
    let mut warnings = Vec::new();
    let mut values = Vec::with_capacity(SHAPE[0] * SHAPE[1]);
    for (name, rna, rows) in [("mirna", &pair.mirna, MIRNA_ROWS), ("site", &pair.site, SITE_ROWS)] {
        let part = crop_middle(rna.len(), rows);
        if part.len() < rna.len() {
            warnings.push(cropped(name, rna, part.start + 1, part.end));
        }
        values.extend(one_hot(&rna[part], rows, ALPHABET, 0.25));
    }
    Encoded::whole(values, warnings)
}

fn cropped(name: &str, rna: &Rna, first: usize, last: usize) -> String {
    format!("{name} of {} nt: only its middle, positions {first} to {last}, was read", rna.len())
}

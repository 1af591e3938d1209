//! The baseline of the pre-miRNA task: one convolution, mirtron or canonical (Zheng et al., Sci Rep 2019).

mod network;
mod published;

use mirna::Base;

use super::premirna_cnn_lstm;
use crate::encoding::{Encoded, one_hot};
use crate::tasks::Task;
use crate::{Encoder, Model};

/// Rows of the hairpin's map: the longest hairpin of the paper.
const ROWS: usize = 164;
const ALPHABET: [Base; 4] = [Base::A, Base::U, Base::G, Base::C];

/// The model.
pub const MODEL: Model = Model {
    name: "premirna_cnn_zheng",
    task: Task::PreMirna,
    description: "One convolution and its maximum over a hairpin (164 nt are read); mirtron or canonical. Zheng et \
                  al., Sci Rep 2019.",
    caution: Some(premirna_cnn_lstm::CAUTION),
    encoder: |_| {
        Ok(Encoder::pre_mirna([ROWS, 4], |hairpin| {
            let (letters, warnings) = premirna_cnn_lstm::both_ends(&hairpin.sequence, ROWS);
            Encoded::whole(one_hot(&letters, ROWS, ALPHABET, 0.0), warnings)
        }))
    },
    network: network::build,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: Some(published::convert),
    adapt: None,
    adapt_is_all: false,
};

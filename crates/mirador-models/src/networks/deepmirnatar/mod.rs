//! DeepmiRNATar: miRNA × target site (2024).

mod attention;
pub mod bert;
mod decoder;
mod dimensions;
mod encoder;
mod features;
pub mod kmers;
mod mask;
mod network;
mod transformer;

pub use dimensions::{HIDDEN, WORD2VEC};

use std::ops::Range;
use std::slice;

use mirna::Base;

use crate::encoding::{Encoded, windows};
use crate::tasks::Task;
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair};
use crate::{Encoder, Model};
use kmers::{PAD, WORD, kmers};

/// Letters of a site in one input.
pub const SITE_LIMIT: usize = 53;
const MIRNA_WORDS: usize = *MIRNA_LENGTHS.end() + 1 - WORD;
const SITE_WORDS: usize = SITE_LIMIT + 1 - WORD;

/// The model.
pub const MODEL: Model = Model {
    name: "deepmirnatar",
    task: Task::TargetSite,
    description: "DeepmiRNATar: word2vec for the miRNA and a small pre-trained BERT (six layers of 96 values) for the \
                  site, TextCNN and BiLSTM over each, and four modules of attention and convolution from miRNA to \
                  site. 2024.",
    caution: None,
    encoder: |_| Ok(encoder()),
    network: network::build,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: None,
    from_published: None,
    adapt: None,
    adapt_is_all: false,
};

fn encoder() -> Encoder {
    Encoder::target_site([MIRNA_WORDS + SITE_WORDS, 1], encode).with_windows(SITE_LIMIT)
}

/// 27 words of the miRNA, then 50 of the site or of a window of it; both 5'→3', filled with [`PAD`] at the 3' end.
fn encode(pair: &Pair) -> Encoded {
    let windows = windows(pair.site.len(), SITE_LIMIT);
    let mirna = padded(&pair.mirna, MIRNA_WORDS);
    let whole = 0..pair.site.len();
    let parts = if windows.is_empty() { slice::from_ref(&whole) } else { &windows };
    let of_part =
        |part: &Range<usize>| [mirna.clone(), padded(&pair.site[part.clone()], SITE_WORDS)].concat();
    Encoded { values: parts.iter().flat_map(of_part).collect(), windows, warnings: Vec::new() }
}

fn padded(bases: &[Base], words: usize) -> Vec<f32> {
    let mut values: Vec<f32> = kmers(bases).into_iter().map(|word| word as f32).collect();
    values.resize(words, PAD as f32);
    values
}

//! A miRNA and a site as one number for each letter, the site in windows where it is longer than the network reads.

use mirna::Base;

use super::{Encoded, tokens, windows};
use crate::tasks::target_site::Pair;

/// Letters with ids 1 to 4; N and what is missing at the 3' end is 0.
const ALPHABET: [Base; 4] = [Base::A, Base::U, Base::C, Base::G];

/// Which way the miRNA is read; the site is read 5'→3'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// 5'→3'.
    Forward,
    /// 3'→5'.
    Backward,
}

/// Ids (N 0, A 1, U 2, C 3, G 4) of the miRNA's 5' letters, then of the site, each filled with N; one input for each window
/// of the site.
pub fn pair_tokens(pair: &Pair, mirna_rows: usize, reading: Reading, site_rows: usize) -> Encoded {
    let kept = &pair.mirna[..pair.mirna.len().min(mirna_rows)];
    let mirna = match reading {
        Reading::Forward => tokens(kept.iter(), mirna_rows, ALPHABET),
        Reading::Backward => tokens(kept.iter().rev(), mirna_rows, ALPHABET),
    };
    let windows = windows(pair.site.len(), site_rows);
    let whole = 0..pair.site.len();
    let parts = if windows.is_empty() { std::slice::from_ref(&whole) } else { &windows };
    let mut values = Vec::with_capacity(parts.len() * (mirna_rows + site_rows));
    for part in parts {
        values.extend_from_slice(&mirna);
        values.extend(tokens(pair.site[part.clone()].iter(), site_rows, ALPHABET));
    }
    let cut = kept.len() < pair.mirna.len();
    let warning = || format!("mirna of {} nt: only its 5' {mirna_rows} nt were read", pair.mirna.len());
    Encoded { values, windows, warnings: cut.then(warning).into_iter().collect() }
}

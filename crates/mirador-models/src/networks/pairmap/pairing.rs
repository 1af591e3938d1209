//! The pairs that the aligner believes in.

use tch::nn::VarStore;

use super::aligner::{Alignment, Letters, kind};
use super::alignment::Alignment as Trained;
use super::numbered;
use crate::tasks::target_site::Pair;
use crate::{LoadError, Pairing};

/// A pair that is rarer is not shown.
const LEAST: f32 = 0.1;

/// Makes the pairing of the network with these variables.
pub(super) fn pairing(store: &VarStore) -> Result<Pairing, LoadError> {
    let aligner = Trained::of(store)?.aligner();
    Ok(Box::new(move |pair: &Pair| {
        let [mirna, site] = numbered(pair);
        let row = Letters { mirna: &mirna, site: &site };
        let alignments = aligner.align(&[row]);
        alignments.first().map_or_else(String::new, |alignment| dot_bracket(row, alignment))
    }))
}

/// The pairs of one alignment that are right most often, as dots and brackets: the miRNA 5'→3', `&`, the site 5'→3'.
fn dot_bracket(row: Letters<'_>, alignment: &Alignment) -> String {
    let (m, n) = (row.mirna.len(), row.site.len());
    let worth = |i: usize, j: usize| match kind(row.mirna[i], row.site[j]) {
        Some(_) => alignment.posterior[i * n + j],
        None => 0.0,
    };
    // best[i][j]: of the first i letters of the miRNA with the first j of the site (3'→5').
    let mut best = vec![vec![0.0f32; n + 1]; m + 1];
    for i in 0..m {
        for j in 0..n {
            let paired = if worth(i, j) > LEAST { best[i][j] + worth(i, j) } else { 0.0 };
            best[i + 1][j + 1] = paired.max(best[i][j + 1]).max(best[i + 1][j]);
        }
    }
    let (mut mirna, mut site) = (vec![b'.'; m], vec![b'.'; n]);
    let (mut i, mut j) = (m, n);
    while i > 0 && j > 0 {
        if best[i][j] == best[i - 1][j] {
            i -= 1;
        } else if best[i][j] == best[i][j - 1] {
            j -= 1;
        } else {
            (i, j) = (i - 1, j - 1);
            (mirna[i], site[n - 1 - j]) = (b'(', b')');
        }
    }
    mirna.push(b'&');
    mirna.extend(site);
    mirna.into_iter().map(char::from).collect()
}

//! One number for each letter.

use mirna::Base;

/// `rows` token ids: the index in `alphabet` + 1 for a letter, 0 for `N` and for what is missing at the 3' end. Ids
/// are small whole numbers, so that they survive as floats.
///
/// # Panics
/// When there are more letters than `rows`: crop first.
pub fn tokens<'a>(
    bases: impl ExactSizeIterator<Item = &'a Base>,
    rows: usize,
    alphabet: [Base; 4],
) -> Vec<f32> {
    assert!(bases.len() <= rows, "{} nt do not fit into {rows} rows", bases.len());
    let mut ids = vec![0.0; rows];
    for (id, base) in ids.iter_mut().zip(bases) {
        let column = alphabet.iter().position(|letter| letter == base);
        *id = column.map_or(0.0, |column| (column + 1) as f32);
    }
    ids
}

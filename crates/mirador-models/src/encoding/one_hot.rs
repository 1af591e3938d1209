//! One-hot maps and the rules that bring a sequence to a fixed length.

use std::ops::Range;

use mirna::Base;

/// The part of a sequence of `length` that a window of `limit` keeps: the middle, starting at ⌊(n − L)/2⌋.
pub fn crop_middle(length: usize, limit: usize) -> Range<usize> {
    let start = length.saturating_sub(limit) / 2;
    start..(start + limit).min(length)
}

/// A map of `rows` positions × 4 letters in the order of `alphabet`, row-major. `N`, and what is missing at the
/// 3' end, is `unknown` four times.
///
/// # Panics
/// When `bases` is longer than `rows`: crop first.
pub fn one_hot(bases: &[Base], rows: usize, alphabet: [Base; 4], unknown: f32) -> Vec<f32> {
    assert!(bases.len() <= rows, "{} nt do not fit into {rows} rows", bases.len());
    let mut row_of = [[unknown; 4]; 5];
    for (column, base) in alphabet.into_iter().enumerate() {
        row_of[base as usize] = std::array::from_fn(|other| f32::from(u8::from(other == column)));
    }
    let mut map = vec![[unknown; 4]; rows];
    map.iter_mut().zip(bases).for_each(|(row, base)| *row = row_of[*base as usize]);
    map.into_flattened()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_middle() {
        assert_eq!(crop_middle(20, 60), 0..20);
        assert_eq!(crop_middle(60, 60), 0..60);
        assert_eq!(crop_middle(61, 60), 0..60);
        assert_eq!(crop_middle(65, 60), 2..62);
    }

    proptest! {
        #[test]
        fn every_row_sums_to_one_with_n_as_a_quarter(text in "[ACGUN]{1,30}") {
            let rna: mirna::Rna = text.parse().unwrap();
            let map = one_hot(&rna, 30, [Base::A, Base::U, Base::C, Base::G], 0.25);
            prop_assert_eq!(map.len(), 120);
            for row in map.chunks(4) {
                prop_assert_eq!(row.iter().sum::<f32>(), 1.0);
            }
        }
    }
}

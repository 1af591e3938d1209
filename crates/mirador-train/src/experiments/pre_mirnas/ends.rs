//! Hairpins with their ends moved: who cuts them decides how many letters stand before and behind the stem.

use mirador_models::tasks::Input;
use mirador_models::tasks::pre_mirna::{LENGTHS, PreMirna};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::experiment::Row;

/// The row without 0 to `most` letters at either end, drawn for each; none where it would become too short.
pub(super) fn cut(row: &Row, most: usize, rng: &mut ChaCha8Rng) -> Row {
    let bases = &row.pre_mirna().sequence;
    let [first, last] = [(); 2].map(|()| rng.random_range(0..=most));
    let kept = bases.len().saturating_sub(first + last);
    let (first, kept) = if kept < *LENGTHS.start() { (0, bases.len()) } else { (first, kept) };
    let sequence = bases[first..first + kept].into();
    Row { input: Input::from(PreMirna { sequence }), ..row.clone() }
}

//! Masks of one to several letters, and what they say of each letter together (Gu et al. 2021, formulas 1 to 3).

use std::ops::Range;

/// The masks of `width` letters that slide over a strand of `length`, 5'→3': one for each letter at which a mask can stop,
/// cut at both ends, so `length + width - 1` of them.
pub fn masks(length: usize, width: usize) -> impl Iterator<Item = Range<usize>> {
    (1..length + width).map(move |stop| stop.saturating_sub(width)..stop.min(length))
}

/// The importance of each letter: the mean of its own mask's effect and of its accumulated effects among 1 to
/// `effects.len() - 1` neighbours. `effects[k - 1]` has the effects of the masks of k letters, in the order of [`masks`].
///
/// Among k neighbours to its left a letter adds what the mask of k + 1 letters that stops at it has more than the mask
/// of k letters that stops before it, to its right likewise; the accumulated effect is the mean of both. The paper's
/// formula 3 has a minus there, with which the two would cancel: a misprint.
pub fn importance(effects: &[Vec<f32>], length: usize) -> Vec<f32> {
    // The mask of `width` letters that stops at `stop`, from 1; beyond either end nothing is masked.
    let effect = |width: usize, stop: usize| {
        let place = stop.checked_sub(1)?;
        effects[width - 1].get(place).copied()
    };
    let of_letter = |letter: usize| {
        let alone = effect(1, letter).unwrap_or_default();
        let accumulated = (1..effects.len()).map(|neighbours| {
            let more = |with: usize, without: usize| {
                effect(neighbours + 1, with).unwrap_or_default()
                    - effect(neighbours, without).unwrap_or_default()
            };
            (more(letter, letter - 1) + more(letter + neighbours, letter + neighbours)) / 2.0
        });
        (alone + accumulated.sum::<f32>()) / effects.len() as f32
    };
    (1..=length).map(of_letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_stop_at_each_letter_and_are_cut_at_both_ends() {
        assert_eq!(masks(3, 1).collect::<Vec<_>>(), [0..1, 1..2, 2..3]);
        assert_eq!(masks(3, 2).collect::<Vec<_>>(), [0..1, 0..2, 1..3, 2..3]);
        assert_eq!(masks(2, 4).collect::<Vec<_>>(), [0..1, 0..2, 0..2, 0..2, 1..2]);
    }

    #[test]
    fn a_letter_that_alone_decides_has_all_the_importance() {
        // Masks that hide the third of five letters take away 1.
        let effects: Vec<Vec<f32>> = (1..=6)
            .map(|width| masks(5, width).map(|range| f32::from(u8::from(range.contains(&2)))).collect())
            .collect();
        assert_eq!(importance(&effects, 5), [0.0, 0.0, 1.0, 0.0, 0.0]);
    }
}

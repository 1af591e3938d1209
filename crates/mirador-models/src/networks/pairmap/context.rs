//! The letters of a row where the duplex puts them: what a pair of letters is worth may hang on which letters they are,
//! and on what stands beside the duplex.

use super::aligner::{Alignment, LETTERS, Letters, POSITIONS};

/// A, C, G, U; an unknown letter is none of them.
const KNOWN: usize = LETTERS - 1;
/// Positions of the miRNA whose pairs say where in the site the miRNA begins.
const SEED: std::ops::Range<usize> = 1..8;
/// Letters of the site that are told, counted from the one opposite the miRNA's first letter: towards the site's 3' end
/// and towards the 5' end.
const BEFORE: usize = 20;
const BEHIND: usize = 40;
/// Rarer pairs and rarer places are not looked at: most cells of a row say nothing.
const LEAST_PAIR: f32 = 1e-3;
const LEAST: f32 = 1e-2;
/// Numbers of a row.
pub(super) const CONTEXT: usize = (2 * POSITIONS + BEFORE + BEHIND) * KNOWN;

/// In order: the miRNA's letters by position; the letters of the site that each position is paired with, as often as it
/// is; the site's letters by their place to the seed.
pub(super) fn context(row: Letters<'_>, alignment: &Alignment) -> Vec<f32> {
    let (m, n) = (row.mirna.len(), row.site.len());
    let mut numbers = vec![0.0; CONTEXT];
    let (mirna, rest) = numbers.split_at_mut(POSITIONS * KNOWN);
    let (faced, site) = rest.split_at_mut(POSITIONS * KNOWN);
    let mut starts = vec![0.0; m + n];
    for (i, (&letter, posterior)) in row.mirna.iter().zip(alignment.posterior.chunks(n)).enumerate() {
        let letter = usize::from(letter);
        if letter < KNOWN {
            mirna[i * KNOWN + letter] = 1.0;
        }
        for (j, (&other, &paired)) in row.site.iter().zip(posterior).enumerate() {
            if paired < LEAST_PAIR {
                continue;
            }
            let other = usize::from(other);
            if other < KNOWN {
                faced[i * KNOWN + other] += paired;
            }
            if SEED.contains(&i) {
                starts[j + m - i] += paired;
            }
        }
    }
    let total: f32 = starts.iter().sum();
    for (start, share) in starts.iter().map(|start| start / total.max(LEAST)).enumerate() {
        if share < LEAST {
            continue;
        }
        for (place, numbers) in site.chunks_mut(KNOWN).enumerate() {
            // `start` counts from m before the site's 3' end.
            let at = (start + place).checked_sub(m + BEFORE);
            if let Some(&letter) = at.and_then(|at| row.site.get(at))
                && usize::from(letter) < KNOWN
            {
                numbers[usize::from(letter)] += share;
            }
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pairs of the seed, G:C at positions 2 and 3, opposite the site's letters 3 and 4 from its 3' end.
    #[test]
    fn letters_stand_where_the_duplex_puts_them() {
        let (mirna, site) = ([3, 2, 2, 0], [0, 4, 3, 1, 1, 3]);
        let row = Letters { mirna: &mirna, site: &site };
        let mut posterior = vec![0.0; mirna.len() * site.len()];
        posterior[site.len() + 3] = 0.75;
        posterior[2 * site.len() + 4] = 0.75;
        let alignment = Alignment { posterior, ..Alignment::default() };
        let numbers = context(row, &alignment);
        assert_eq!(numbers.len(), CONTEXT);
        let letter = |position: usize| numbers[position * KNOWN..(position + 1) * KNOWN].to_vec();
        assert_eq!(letter(0), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(letter(3), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(letter(POSITIONS + 1), [0.0, 0.75, 0.0, 0.0]);
        // The miRNA's first letter stands opposite the site's third, a U; the A and an N are before it, towards the 3' end.
        let at = |place: usize| letter(2 * POSITIONS + BEFORE + place);
        assert_eq!(at(0), [0.0, 0.0, 0.0, 1.0]);
        assert_eq!(at(1), [0.0, 1.0, 0.0, 0.0]);
        assert_eq!(letter(2 * POSITIONS + BEFORE - 1), [0.0; KNOWN]);
        assert_eq!(letter(2 * POSITIONS + BEFORE - 2), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(at(4), [0.0; KNOWN]);
        // Without a pair nothing says where the miRNA is.
        let nowhere = context(
            row,
            &Alignment { posterior: vec![0.0; mirna.len() * site.len()], ..Alignment::default() },
        );
        assert!(nowhere[2 * POSITIONS * KNOWN..].iter().all(|&number| number == 0.0));
    }
}

//! Words of seven letters as numbers, two bits a letter: whether a site holds one of a dozen costs a hundred nanoseconds.

use std::ops::RangeInclusive;

use crate::{Base, Rna};

const LETTERS: usize = 7;
const MASK: u16 = (1 << (2 * LETTERS)) - 1;
/// No word, and equal to none.
const NONE: u16 = u16::MAX;
/// Sites of these lengths may be miRNAs in the wrong field.
pub(crate) const MIRNA_LENGTHS: RangeInclusive<usize> = 15..=30;

/// Whether a pair would hold a 7mer: with the miRNA reversed; the site reversed, its reverse complement, its complement;
/// the miRNA's reverse complement, its complement; both swapped. A strand with an unknown letter among the seven is not
/// looked at.
pub(crate) fn found(mirna: &Rna, site: &Rna) -> [bool; 7] {
    let head = word(mirna.iter().skip(1));
    let tail = word(mirna.iter().rev().skip(1));
    let by_turn: [[u16; 2]; 6] = [
        matches(tail),
        matches(head).map(reversed),
        matches(head).map(reversed).map(complement),
        matches(head).map(complement),
        matches(complement(tail)),
        matches(complement(head)),
    ];
    let mut wanted = [NONE; 16];
    wanted.iter_mut().zip(by_turn.as_flattened()).for_each(|(wanted, word)| *wanted = *word);
    let held = held(site, wanted);
    let mut found = [false; 7];
    found.iter_mut().zip(held.chunks_exact(2)).take(6).for_each(|(found, held)| *found = held[0] | held[1]);
    if MIRNA_LENGTHS.contains(&site.len()) {
        let mut wanted = [NONE; 2];
        wanted.copy_from_slice(&matches(word(site.iter().skip(1))));
        found[6] = self::held(mirna, wanted) != [false; 2];
    }
    found
}

/// Which of these words a sequence holds.
fn held<const N: usize>(sequence: &Rna, wanted: [u16; N]) -> [bool; N] {
    let (mut code, mut known) = (0_u16, 0);
    let mut held = [0_u16; N];
    for base in sequence.iter() {
        let digit = *base as u16;
        code = (code << 2 | digit & 3) & MASK;
        known = if *base == Base::N { 0 } else { known + 1 };
        if known >= LETTERS {
            // One comparison of vector registers.
            held.iter_mut().zip(wanted).for_each(|(held, wanted)| *held |= u16::from(wanted == code));
        }
    }
    held.map(|held| held != 0)
}

/// The first seven letters; [`NONE`] where one is unknown or missing.
fn word<'a>(letters: impl Iterator<Item = &'a Base>) -> u16 {
    let (code, known) = letters
        .take(LETTERS)
        .filter(|base| **base != Base::N)
        .fold((0, 0), |(code, known), base| (code << 2 | *base as u16, known + 1));
    if known == LETTERS { code } else { NONE }
}

/// What a 7mer-m8 and a 7mer-A1 look like in a site, for a miRNA with these letters 2 to 8.
fn matches(seed: u16) -> [u16; 2] {
    match complement(reversed(seed)) {
        NONE => [NONE; 2],
        facing => [facing, facing << 2 & MASK | Base::A as u16],
    }
}

fn complement(word: u16) -> u16 {
    // A and U, C and G are 0 and 3, 1 and 2.
    if word == NONE { NONE } else { word ^ MASK }
}

fn reversed(word: u16) -> u16 {
    if word == NONE {
        return NONE;
    }
    (0..LETTERS).fold(0, |reversed, letter| reversed << 2 | word >> (2 * letter) & 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SiteType;
    use crate::sense::Turn;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_the_seed_classes_find(mirna in "[ACGU]{15,30}", site in "[ACG]{3}[ACGU]{5}[ACGUN]{0,92}") {
            let (mirna, site): (Rna, Rna) = (mirna.parse().unwrap(), site.parse().unwrap());
            for (turn, found) in Turn::ALL.into_iter().zip(found(&mirna, &site)) {
                let (mirna, turned) = turn.apply(&mirna, &site);
                let able = turn != Turn::Swapped || MIRNA_LENGTHS.contains(&site.len());
                prop_assert_eq!(found, able && SiteType::best(&mirna, &turned) >= SiteType::SevenMerA1, "{:?}", turn);
            }
        }
    }
}

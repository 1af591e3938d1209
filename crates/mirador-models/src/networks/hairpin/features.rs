//! What the network reads of a hairpin: letters of both ends, and numbers of its composition and of its structure.

use mirna::Base;
use mirna::fold::fold;

use super::structure::{Shape, share};
use crate::encoding::one_hot;

/// Letters of either end that splice sites are looked for in.
pub(super) const END: usize = 24;
/// Letters of the alphabet.
pub(super) const LETTERS: usize = 4;
/// The order in which an end's letters stand.
const ALPHABET: [Base; LETTERS] = [Base::A, Base::C, Base::G, Base::U];
/// Values of one end.
pub(super) const END_VALUES: usize = END * LETTERS;
/// Values of an input.
pub(super) const WIDTH: usize = NAMES.len() + 2 * END_VALUES;

/// Names of the numbers, in their order.
pub const NAMES: [&str; 34] = [
    "length",
    "GC",
    "A",
    "U",
    "G of the first 12",
    "G of the first 20",
    "pyrimidines of 11 before the last 3",
    "pyrimidines of 20 before the last 3",
    "A, 5' half less 3' half",
    "C, 5' half less 3' half",
    "G, 5' half less 3' half",
    "U, 5' half less 3' half",
    "starts with GU",
    "ends with AG",
    "ends with UAG or CAG",
    "free energy per nt",
    "paired",
    "unpaired 5' end",
    "unpaired 3' end",
    "unpaired 3' end less 5' end",
    "size of the loop",
    "hairpin loops",
    "interior loops and bulges",
    "longest stem",
    "unpaired within stems",
    "G:U pairs",
    "G:C pairs",
    "loop nearer to the 3' end",
    "longest gap",
    "unpaired of the 5' arm",
    "unpaired of the 3' arm",
    "A of the loop",
    "paired of the first 12",
    "paired of the last 12",
];

/// The numbers of a hairpin, in the order of [`NAMES`].
pub fn numbers(bases: &[Base]) -> [f32; NAMES.len()] {
    use Base::{A, C, G, U};
    let folded = fold(bases);
    let shape = Shape::new(bases, &folded.structure);
    let half = bases.len() / 2;
    let halves = |base: Base| share(&bases[..half], &[base]) - share(&bases[half..], &[base]);
    let first = |letters: usize| share(&bases[..letters.min(bases.len())], &[G]);
    let before = |letters: usize| {
        let end = bases.len().saturating_sub(3);
        share(&bases[end.saturating_sub(letters)..end], &[C, U])
    };
    let length = bases.len().max(1) as f64;
    [
        length / 100.0,
        share(bases, &[G, C]),
        share(bases, &[A]),
        share(bases, &[U]),
        first(12),
        first(20),
        before(11),
        before(20),
        halves(A),
        halves(C),
        halves(G),
        halves(U),
        flag(bases.starts_with(&[G, U])),
        flag(bases.ends_with(&[A, G])),
        flag(bases.ends_with(&[U, A, G]) || bases.ends_with(&[C, A, G])),
        folded.energy / length,
        shape.paired as f64 / length,
        shape.tails[0].min(20) as f64 / 10.0,
        shape.tails[1].min(20) as f64 / 10.0,
        (shape.tails[1].min(20) as f64 - shape.tails[0].min(20) as f64) / 10.0,
        shape.loop_size.min(30) as f64 / 10.0,
        shape.loops as f64,
        shape.gaps as f64 / 5.0,
        shape.longest_stem.min(20) as f64 / 10.0,
        shape.within as f64 / length,
        shape.wobbles as f64 / length,
        shape.strong as f64 / length,
        shape.middle / length - 0.5,
        shape.longest_gap.min(20) as f64 / 10.0,
        shape.arms[0],
        shape.arms[1],
        shape.loop_a,
        shape.paired_ends[0],
        shape.paired_ends[1],
    ]
    .map(|number: f64| number as f32)
}

/// The numbers, then the letters of the 5' end, then those of the 3' end, whose last letter stands last. Unknown letters at
/// an end are read as not there.
pub(super) fn encode(sequence: &[Base]) -> Vec<f32> {
    let bases = known(sequence);
    let mut values = numbers(bases).to_vec();
    let read = bases.len().min(END);
    values.extend(one_hot(&bases[..read], END, ALPHABET, 0.0));
    let missing = vec![Base::N; END - read];
    let last = [&missing, &bases[bases.len() - read..]].concat();
    values.extend(one_hot(&last, END, ALPHABET, 0.0));
    values
}

/// The letters from the first to the last that is known.
fn known(sequence: &[Base]) -> &[Base] {
    let is_known = |base: &Base| *base != Base::N;
    let Some(first) = sequence.iter().position(is_known) else { return &[] };
    let last = sequence.iter().rposition(is_known).unwrap_or(first);
    &sequence[first..=last]
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirna::Rna;

    const HAIRPIN: &str = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";

    fn encoded(letters: &str) -> Vec<f32> {
        encode(&letters.parse::<Rna>().unwrap())
    }

    #[test]
    fn unknown_ends_are_read_as_not_there() {
        let cut = &HAIRPIN[4..HAIRPIN.len() - 5];
        assert_eq!(encoded(&format!("NNNN{cut}NNNNN")), encoded(cut));
        assert_ne!(encoded(HAIRPIN), encoded(cut));
    }

    #[test]
    fn every_row_has_finite_numbers() {
        let rows =
            ["N".repeat(60), "A".repeat(40), "ANNNNU".to_owned(), "GC".repeat(100), HAIRPIN.to_owned()];
        for row in rows {
            let values = encoded(&row);
            assert_eq!(values.len(), WIDTH, "{row}");
            assert!(values.iter().all(|value| value.is_finite()), "{row}: {values:?}");
        }
    }
}

//! Families of hairpins: whatever is related must not stand on both sides of a split.

use std::collections::HashSet;

use crate::rna::{Base, Rna};

/// Hairpins that share one word of this length are related…
const LONG: usize = 22;
/// …and those that share more than half of their words of this length, counted on the one that has fewer.
const SHORT: usize = 8;

/// A family number for each hairpin: single linkage.
pub fn families(hairpins: &[&Rna]) -> Vec<usize> {
    let words = |length: usize| -> Vec<HashSet<&[Base]>> {
        hairpins.iter().map(|hairpin| hairpin.windows(length).collect()).collect()
    };
    let (long, short) = (words(LONG), words(SHORT));
    let related = |a: usize, b: usize| {
        let shared = short[a].intersection(&short[b]).count();
        2 * shared > short[a].len().min(short[b].len()) || !long[a].is_disjoint(&long[b])
    };
    let mut numbers: Vec<usize> = (0..hairpins.len()).collect();
    for a in 0..hairpins.len() {
        for b in 0..a {
            let (kept, gone) = (numbers[a].min(numbers[b]), numbers[a].max(numbers[b]));
            if kept != gone && related(a, b) {
                numbers.iter_mut().filter(|number| **number == gone).for_each(|number| *number = kept);
            }
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_relatives_over_others() {
        let one = "ACGUACGGUUACGAUCGGAUUCAGCAGUUCGA";
        let two = one[..24].to_owned() + "CCCAUGCAAAGGGUUUCUCUGAGACC";
        let three = two[20..].to_owned() + "GG";
        let other = "CUAG".repeat(10);
        let hairpins: Vec<Rna> =
            [one, &two, &other, &three].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(families(&hairpins.iter().collect::<Vec<_>>()), [0, 0, 2, 0]);
    }
}

//! Families of hairpins: whatever is related must not stand on both sides of a split.

use std::collections::{HashMap, HashSet};

use mirna::{Base, Rna};

/// Hairpins that share one word of this length are related…
const LONG: usize = 22;
/// …and those that share more than half of their words of this length, counted on the one that has fewer.
const SHORT: usize = 8;

/// A family number for each hairpin: single linkage.
pub(super) fn families(hairpins: &[&Rna]) -> Vec<usize> {
    let words: Vec<usize> =
        hairpins.iter().map(|hairpin| hairpin.windows(SHORT).collect::<HashSet<_>>().len()).collect();
    let by_short =
        shared(hairpins, SHORT).into_iter().filter(|&((a, b), count)| 2 * count > words[a].min(words[b]));
    let related = shared(hairpins, LONG).into_keys().chain(by_short.map(|(pair, _)| pair));
    let mut numbers: Vec<usize> = (0..hairpins.len()).collect();
    for (a, b) in related {
        let (kept, gone) = (numbers[a].min(numbers[b]), numbers[a].max(numbers[b]));
        numbers.iter_mut().filter(|number| **number == gone).for_each(|number| *number = kept);
    }
    numbers
}

/// How many different words of a length two hairpins share, for those that share any.
fn shared(hairpins: &[&Rna], length: usize) -> HashMap<(usize, usize), usize> {
    let mut holders: HashMap<&[Base], Vec<usize>> = HashMap::new();
    for (index, hairpin) in hairpins.iter().enumerate() {
        for word in hairpin.windows(length) {
            let holders = holders.entry(word).or_default();
            if holders.last() != Some(&index) {
                holders.push(index);
            }
        }
    }
    let mut shared = HashMap::new();
    for holders in holders.values() {
        for (place, &later) in holders.iter().enumerate() {
            for &earlier in &holders[..place] {
                *shared.entry((earlier, later)).or_default() += 1;
            }
        }
    }
    shared
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

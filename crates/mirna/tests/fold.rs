//! Energies, structures and probabilities as ViennaRNA has them: tests/vienna/golden.tsv, made by golden.py beside it.

#![allow(clippy::unwrap_used)]

use mirna::Rna;
use mirna::fold::{Accessibility, Partition, duplex, fold};

const GOLDEN: &str = include_str!("vienna/golden.tsv");

fn rows(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = GOLDEN.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(move |row| row[0] == kind).map(|row| row[1..].to_vec())
}

fn rna(letters: &str) -> Rna {
    letters.parse().unwrap()
}

/// Pairs from dots and brackets, and where ViennaRNA says that they begin: its parts hold a letter more on each side.
fn pairs(structure: &str, first_ends: usize, second_begins: usize) -> Vec<(usize, usize)> {
    let (first, second) = structure.split_once('&').unwrap();
    let at = |text: &str, bracket| text.match_indices(bracket).map(|(at, _)| at).collect::<Vec<_>>();
    let opened = at(first, '(').into_iter().map(|at| first_ends - first.len() + at);
    opened.zip(at(second, ')').into_iter().rev().map(|at| second_begins - 1 + at)).collect()
}

#[test]
fn duplexes_are_viennas() {
    let mut folded = 0;
    for row in rows("duplex") {
        let energy: f64 = row[2].parse().unwrap();
        let found = duplex(&rna(row[0]), &rna(row[1]));
        if energy >= 0.0 {
            assert_eq!(found, None, "{row:?}");
            continue;
        }
        let found = found.unwrap();
        assert_eq!(format!("{:.2}", found.energy), row[2], "{row:?}");
        assert_eq!(found.pairs, pairs(row[3], row[4].parse().unwrap(), row[5].parse().unwrap()), "{row:?}");
        folded += 1;
    }
    assert!(folded >= 20);
}

#[test]
fn strands_are_viennas() {
    for row in rows("strand") {
        let strand = rna(row[0]);
        let folded = fold(&strand);
        assert_eq!(format!("{:.2}", folded.energy), row[1], "{strand}");
        assert_eq!(folded.structure.energy(&strand), Some(folded.energy));
        let partition = Partition::of(&strand).unwrap();
        assert!((partition.energy() - row[2].parse::<f64>().unwrap()).abs() < 1e-3, "{strand}");
        let pairing: f64 = partition.pairing().iter().sum();
        assert!((pairing / 2.0 - partition.pairs(0.0).map(|(_, _, pair)| pair).sum::<f64>()).abs() < 1e-9);
        for (pair, expected) in row[3].split(',').map(|pair| pair.split_once(':').unwrap()) {
            let (i, j) = pair.split_once('-').unwrap();
            let found = partition.pair(i.parse::<usize>().unwrap() - 1, j.parse::<usize>().unwrap() - 1);
            assert!((found - expected.parse::<f64>().unwrap()).abs() < 1e-5, "{strand} {pair} {found}");
        }
    }
}

#[test]
fn accessibility_is_rnaplfolds() {
    for row in rows("accessible") {
        let strand = rna(row[0]);
        let folded = Accessibility::of(&strand, 80, 40).unwrap();
        let (unpaired, pairing) = (folded.unpaired(14), folded.pairing());
        for (first, expected) in row[1].split(',').map(|stretch| stretch.split_once(':').unwrap()) {
            let (found, expected) =
                (unpaired[first.parse::<usize>().unwrap() - 1], expected.parse::<f64>().unwrap());
            assert!((found / expected - 1.0).abs() < 1e-4, "{first} {found} {expected}");
        }
        // A letter pairs as often as its pairs are there; in the middle every window that holds one holds the other, or
        // near enough.
        assert!(pairing.iter().all(|pairing| (0.0..=1.0).contains(pairing)));
    }
}

#[test]
fn the_longest_strands_stay_within_range() {
    // One helix of the strongest pairs: far beyond a double without scaling.
    let helix = rna(&format!("{}AAAA{}", "GC".repeat(124), "GC".repeat(124)));
    let partition = Partition::of(&helix).unwrap();
    assert!(partition.energy() < -650.0 && partition.energy() <= fold(&helix).energy);
    assert!(partition.pairing().iter().all(|pairing| (-1e-9..=1.0 + 1e-9).contains(pairing)));
    let plain = Partition::of(&rna(&"A".repeat(500))).unwrap();
    assert!(plain.energy().abs() < 1e-9);
    let utr = Accessibility::of(&rna(&"ACGUGCUAAUGC".repeat(400)), 80, 40).unwrap();
    assert_eq!(utr.unpaired(14).len(), 4800 - 13);
    // Beyond a thousand pairs, energies of duplexes are no longer told apart.
    let (one, other) = (rna(&"G".repeat(1500)), rna(&"C".repeat(1500)));
    assert!(duplex(&one, &other).unwrap().energy <= -2900.0);
}

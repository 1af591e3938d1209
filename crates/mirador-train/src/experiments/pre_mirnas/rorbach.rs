//! The numbers that Rorbach 2018 classifies hairpins by: of the hairpin, of its two mature miRNAs and of what lies between
//! them (ror94/mirtrons, `utils.R`; its script leaves out the shares of U). The structure is folded here.

use std::collections::HashMap;
use std::ops::Range;

use mirador_models::tasks::pre_mirna::PreMirna;
use mirna::fold::{Structure, fold};
use mirna::{Base, Rna};

use crate::data::pre_mirnas::dataset::Hairpin;
use crate::experiment::Row;

/// Unpaired letters on the longer side of a loop, from which on it is large.
const LARGE: usize = 4;

/// The numbers of rows, each row once.
pub(super) struct Numbers {
    places: HashMap<(String, PreMirna), usize>,
    /// In the order of their places.
    pub rows: Vec<Vec<f64>>,
}

impl Numbers {
    /// Numbers of these rows, which are these hairpins, whole or in part.
    pub(super) fn new<'a>(rows: impl Iterator<Item = &'a Row>, hairpins: &HashMap<String, Hairpin>) -> Self {
        let mut numbers = Self { places: HashMap::new(), rows: Vec::new() };
        for row in rows {
            let key = (row.id.clone(), row.pre_mirna().clone());
            if let Some(hairpin) = hairpins.get(&row.id).filter(|_| !numbers.places.contains_key(&key)) {
                numbers.rows.push(of_part(&key.1.sequence, hairpin));
                numbers.places.insert(key, numbers.rows.len() - 1);
            }
        }
        numbers
    }

    /// Where a row's numbers stand.
    pub(super) fn place(&self, row: &Row) -> usize {
        self.places[&(row.id.clone(), row.pre_mirna().clone())]
    }
}

/// The numbers of a part of a hairpin: of a mature miRNA what is left of it.
fn of_part(part: &Rna, hairpin: &Hairpin) -> Vec<f64> {
    let whole = &hairpin.pre_mirna.sequence;
    // As long as the whole, it is the whole with letters masked.
    let first = if part.len() == whole.len() {
        0
    } else {
        whole.windows(part.len()).position(|window| *window == **part).unwrap_or(0)
    };
    let clipped = |arm: Range<usize>| {
        let [start, end] = [arm.start, arm.end].map(|at| at.saturating_sub(first).min(part.len()));
        start..end
    };
    numbers(part, hairpin.mature().unwrap_or_default().map(clipped))
}

/// Lengths, shares in percent, free energy per letter, the 3' overhang and loops.
fn numbers(bases: &Rna, [five, three]: [Range<usize>; 2]) -> Vec<f64> {
    let folded = fold(bases);
    let between = five.end..three.start.max(five.end);
    let shares = |part: &[Base]| {
        let of = |base: Base| part.iter().filter(|&&letter| letter == base).count() as f64;
        [Base::A, Base::C, Base::G].map(|base| 100.0 * of(base) / part.len().max(1) as f64)
    };
    let [small, large, last] = loops(&folded.structure);
    let mut numbers = Vec::new();
    for part in [0..bases.len(), five.clone(), three.clone(), between] {
        numbers.push(part.len() as f64);
        numbers.extend(shares(&bases[part]));
    }
    numbers.push(folded.energy / bases.len().max(1) as f64);
    numbers.push(overhang(&folded.structure, &five, &three));
    numbers.extend([small, large, last].map(|count| count as f64));
    numbers
}

/// Letters of the 5' miRNA before its first pair with the 3' miRNA, less those of the 3' miRNA behind that pair; 0 where
/// none pairs.
fn overhang(structure: &Structure, five: &Range<usize>, three: &Range<usize>) -> f64 {
    let pair = five.clone().find_map(|i| Some((i, structure.partner(i).filter(|j| three.contains(j))?)));
    pair.map_or(0.0, |(i, j)| (i - five.start) as f64 - (three.end - 1 - j) as f64)
}

/// Interior loops and bulges with few unpaired letters on their longer side, those with more, and the letters of the
/// hairpin loop that is nearest to the 3' end. Multiloops are none of these.
fn loops(structure: &Structure) -> [usize; 3] {
    let [mut small, mut large, mut last] = [0; 3];
    for (i, j) in structure.pairs() {
        let left = (i + 1..j).take_while(|&at| structure.partner(at).is_none()).count();
        if left == j - i - 1 {
            last = left;
            continue;
        }
        let right = (i + 1..j).rev().take_while(|&at| structure.partner(at).is_none()).count();
        let closes = structure.partner(i + 1 + left) == Some(j - 1 - right);
        match left.max(right) {
            0 => {}
            longer if closes && longer < LARGE => small += 1,
            _ if closes => large += 1,
            _ => {}
        }
    }
    [small, large, last]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_counted_by_their_longer_side() {
        let of = |text: &str| loops(&text.parse().unwrap());
        assert_eq!(of("(((.((((..(((....))).)))..))))"), [3, 0, 4]);
        assert_eq!(of("((....((((...))))..))"), [0, 1, 3]);
        assert_eq!(of("((((...))))..((.((......))))"), [1, 0, 6]);
        assert_eq!(of("....."), [0, 0, 0]);
        // What a multiloop joins counts, the multiloop itself does not.
        assert_eq!(of("((..((...))..((....))..))"), [0, 0, 4]);
    }

    #[test]
    fn an_end_beyond_the_first_pair_is_an_overhang() {
        let structure: Structure = "((((((....))))))".parse().unwrap();
        assert_eq!(overhang(&structure, &(2..6), &(10..14)), 0.0);
        assert_eq!(overhang(&structure, &(2..6), &(10..16)), -2.0);
        assert_eq!(overhang(&structure, &(0..6), &(10..14)), 2.0);
        assert_eq!(overhang(&structure, &(6..9), &(10..14)), 0.0);
    }

    #[test]
    fn a_part_keeps_what_is_left_of_its_arms() {
        let parse = |letters: &str| letters.parse::<Rna>().unwrap();
        let hairpin = Hairpin {
            id: "a".to_owned(),
            source: "test".to_owned(),
            split: crate::data::pre_mirnas::dataset::Split::Train,
            family: 0,
            pre_mirna: PreMirna { sequence: parse("UUGGGGCCAAAAGGCCCCUU") },
            mature5p: parse("GGGGCC"),
            mature3p: parse("GGCCCC"),
            mirtron: true,
        };
        let whole = of_part(&hairpin.pre_mirna.sequence, &hairpin);
        assert_eq!(whole.len(), 21);
        // The hairpin, both miRNAs and what lies between: length, A, C, G.
        assert_eq!(whole[..4], [20.0, 20.0, 30.0, 30.0]);
        assert_eq!(whole[4..8], [6.0, 0.0, 200.0 / 6.0, 400.0 / 6.0]);
        assert_eq!(whole[12..16], [4.0, 100.0, 0.0, 0.0]);
        let cut = of_part(&parse("GGCCAAAAGGCC"), &hairpin);
        assert_eq!([cut[0], cut[4], cut[8], cut[12]], [12.0, 4.0, 4.0, 4.0]);
        let masked = of_part(&parse("UUGGGGCCAAAAGGCNNNNN"), &hairpin);
        assert_eq!([masked[0], masked[4], masked[8], masked[12]], [20.0, 6.0, 6.0, 4.0]);
    }
}

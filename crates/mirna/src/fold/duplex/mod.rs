//! The hybrid of least free energy of two strands, without pairs within either: as ViennaRNA's `RNA.duplexfold`.
//!
//! A hybrid is a row of pairs (i, j), i rising and j falling, with stacks, bulges and interior loops between them.

mod drawing;
mod grid;

use std::ops::Range;

use self::grid::Grid;
use crate::Base;

/// The hybrid of two strands.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplex {
    /// Free energy, kcal/mol; below 0.
    pub energy: f64,
    /// Letters, from 0, of the first strand and of the second that pair; those of the first rise, of the second fall.
    pub pairs: Vec<(usize, usize)>,
}

impl Duplex {
    /// Letters of the first strand from the first that pairs to the last.
    pub fn first(&self) -> Range<usize> {
        match (self.pairs.first(), self.pairs.last()) {
            (Some(first), Some(last)) => first.0..last.0 + 1,
            _ => 0..0,
        }
    }

    /// Letters of the second strand from the first that pairs to the last.
    pub fn second(&self) -> Range<usize> {
        match (self.pairs.first(), self.pairs.last()) {
            (Some(first), Some(last)) => last.1..first.1 + 1,
            _ => 0..0,
        }
    }

    /// Dots and brackets of [`Self::first`] and of [`Self::second`], with `&` between them.
    pub fn structure(&self) -> String {
        let (first, second) = (self.first(), self.second());
        let mut letters = vec![b'.'; first.len() + 1 + second.len()];
        letters[first.len()] = b'&';
        for (i, j) in &self.pairs {
            letters[i - first.start] = b'(';
            letters[first.len() + 1 + j - second.start] = b')';
        }
        letters.into_iter().map(char::from).collect()
    }
}

/// The hybrid of least free energy of two strands, both 5'→3'; none where no hybrid has less energy than none.
///
/// ```
/// use mirna::{Rna, fold::duplex};
/// let (mirna, site): (Rna, Rna) = ("UGAGGUAGUAGGUUGUAUAGUU".parse()?, "GCACAGCCUAUUGAACUACCUCA".parse()?);
/// let found = duplex(&mirna, &site).unwrap();
/// assert_eq!(found.energy, -21.2);
/// assert_eq!((found.first(), found.second()), (0..16, 2..23));
/// # Ok::<(), mirna::ParseError>(())
/// ```
pub fn duplex(first: &[Base], second: &[Base]) -> Option<Duplex> {
    Duplexes::new().fold(first, second)
}

/// Room for hybrids, to fold many of them without asking for memory each time.
#[derive(Clone, Debug, Default)]
pub struct Duplexes {
    grid: Grid,
}

impl Duplexes {
    /// Takes no memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`duplex`].
    pub fn fold(&mut self, first: &[Base], second: &[Base]) -> Option<Duplex> {
        let (energy, last) = self.grid.fill(first, second)?;
        Some(Duplex { energy: f64::from(energy) / 10.0, pairs: self.grid.trace(last) })
    }

    /// Only the energy, kcal/mol.
    pub fn energy(&mut self, first: &[Base], second: &[Base]) -> Option<f64> {
        self.grid.fill(first, second).map(|(energy, _)| f64::from(energy) / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rna;
    use crate::fold::letters::{END, KIND, LONGEST_LOOP, TURNED, code, exterior, view};
    use crate::fold::model::Model;
    use proptest::prelude::*;

    /// Energy of a hybrid, loop by loop.
    fn energy(one: &Rna, other: &Rna, pairs: &[(usize, usize)]) -> i32 {
        let model = Model::energies();
        let letter = |rna: &Rna, i: usize| rna.get(i).map(|&base| code(base));
        let kind = |(i, j): (usize, usize)| KIND[usize::from(code(one[i]))][usize::from(code(other[j]))];
        let near = |rna: &Rna, i: Option<usize>| i.and_then(|i| letter(rna, i)).unwrap_or(END);
        let (first, last) = (pairs[0], pairs[pairs.len() - 1]);
        let begin = exterior(kind(first), near(one, first.0.checked_sub(1)), near(other, Some(first.1 + 1)));
        let turned = TURNED[usize::from(kind(last))];
        let end = exterior(turned, near(other, last.1.checked_sub(1)), near(one, Some(last.0 + 1)));
        let loops = pairs.windows(2).map(|two| {
            let ((k, l), (i, j)) = (two[0], two[1]);
            let outer = view(kind((k, l)), code(one[k + 1]), code(other[l - 1]));
            let inner = view(TURNED[usize::from(kind((i, j)))], code(other[j + 1]), code(one[i - 1]));
            model.interior(i - k - 1, l - j - 1, outer, inner)
        });
        model.start + model.exterior[begin] + model.exterior[end] + loops.sum::<i32>()
    }

    /// Least energy without any shortcut.
    fn plain(one: &Rna, other: &Rna) -> Option<i32> {
        let pairing = |i: usize, j: usize| KIND[usize::from(code(one[i]))][usize::from(code(other[j]))] > 0;
        let all = (0..one.len()).flat_map(|i| (0..other.len()).rev().map(move |j| (i, j)));
        let mut found: Vec<(Vec<(usize, usize)>, i32)> = Vec::new();
        for (i, j) in all.filter(|&(i, j)| pairing(i, j)) {
            let mut best = (vec![(i, j)], energy(one, other, &[(i, j)]));
            for (pairs, _) in &found {
                let (k, l) = pairs[pairs.len() - 1];
                if k < i && l > j && i - k + l - j - 2 <= LONGEST_LOOP {
                    let longer = [pairs.as_slice(), &[(i, j)]].concat();
                    let energy = energy(one, other, &longer);
                    if energy < best.1 {
                        best = (longer, energy);
                    }
                }
            }
            found.push(best);
        }
        found.into_iter().map(|(_, energy)| energy).min().filter(|&energy| energy < 0)
    }

    #[test]
    fn where_nothing_pairs_there_is_none() {
        let none =
            |one: &str, other: &str| duplex(&one.parse::<Rna>().unwrap(), &other.parse::<Rna>().unwrap());
        assert_eq!((none("AAAAA", "AAAAA"), none("GGGG", "NNNN"), none("G", "C")), (None, None, None));
        assert_eq!((duplex(&[], &[Base::A]), duplex(&[Base::A], &[])), (None, None));
    }

    proptest! {
        #[test]
        fn no_shortcut_misses_the_best(one in "[ACGUN]{1,26}", other in "[ACGUN]{1,40}", arms in "[GC]{4}[ACGU]{0,2}[GC]{4}") {
            // Two strong helices, so that long loops pay.
            let site: Rna = format!("{other}{}", arms.parse::<Rna>().unwrap().reverse_complement()).parse().unwrap();
            let one: Rna = format!("{}{one}{}", &arms[..4], &arms[arms.len() - 4..]).parse().unwrap();
            let found = duplex(&one, &site);
            prop_assert_eq!(found.as_ref().map(|found| (found.energy * 100.0).round() as i32), plain(&one, &site));
            if let Some(found) = found {
                prop_assert_eq!(energy(&one, &site, &found.pairs), (found.energy * 100.0).round() as i32);
                prop_assert_eq!(Duplexes::new().energy(&one, &site), Some(found.energy));
            }
        }
    }
}

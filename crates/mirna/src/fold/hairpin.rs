//! The structure of least free energy of one strand: Zuker & Stiegler (NAR 1981), as ViennaRNA's `RNA.fold` has it
//! (neighbours on both sides of every exterior and multiloop stem, lonely pairs allowed).

use super::inside::{Inside, SMALLEST_PAIR};
use super::letters::Strand;
use super::model::Model;
use super::score::Score;
use super::structure::Structure;
use crate::Base;

/// A structure with its free energy.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// Free energy, kcal/mol; 0 where nothing pairs.
    pub energy: f64,
    /// Which letters pair.
    pub structure: Structure,
}

/// The structure of least free energy. Time grows with the third power of the length (80 nt: a fraction of a
/// millisecond), memory with the second.
///
/// ```
/// use mirna::{Rna, fold::fold};
/// let rna: Rna = "GGGGAAAACCCC".parse()?;
/// let folded = fold(&rna);
/// assert_eq!((folded.energy, folded.structure.to_string().as_str()), (-5.4, "((((....))))"));
/// # Ok::<(), mirna::ParseError>(())
/// ```
pub fn fold(bases: &[Base]) -> Fold {
    let strand = Strand::new(bases);
    let n = strand.len();
    let inside = Inside::new(Model::energies(), strand, n, i32::ONE);
    let prefixes = prefixes(&inside);
    let mut trace = Trace { inside: &inside, structure: Structure::open(n), open: Vec::new() };
    trace.exterior(&prefixes);
    while let Some(part) = trace.open.pop() {
        trace.follow(part);
    }
    Fold { energy: f64::from(prefixes[n]) / 100.0, structure: trace.structure }
}

/// Least energies of the first 0, 1, … letters.
fn prefixes(inside: &Inside<i32>) -> Vec<i32> {
    let n = inside.strand.len();
    let mut prefixes = vec![0; n + 1];
    for j in 0..n {
        let ends =
            (0..(j + 1).saturating_sub(SMALLEST_PAIR)).map(|i| prefixes[i].then(exterior(inside, i, j)));
        prefixes[j + 1] = ends.fold(prefixes[j], i32::min);
    }
    prefixes
}

fn exterior(inside: &Inside<i32>, i: usize, j: usize) -> i32 {
    inside.pair.get(i, j).then(inside.model.exterior[inside.strand.exterior(i, j)])
}

/// A stretch whose score is known and whose pairs are not.
#[derive(Clone, Copy)]
enum Part {
    Pair(usize, usize),
    /// One stem of a multiloop or more.
    Some(usize, usize),
    /// Two or more.
    Several(usize, usize),
    /// One, which begins at the first letter.
    First(usize, usize),
}

struct Trace<'a> {
    inside: &'a Inside<i32>,
    structure: Structure,
    open: Vec<Part>,
}

/// Why a search for the parts of a score cannot end without one.
const MET: &str = "every score comes from one of its alternatives";

impl Trace<'_> {
    fn exterior(&mut self, prefixes: &[i32]) {
        let mut end = prefixes.len() - 1;
        while end > 0 {
            if prefixes[end] == prefixes[end - 1] {
                end -= 1;
                continue;
            }
            let j = end - 1;
            let found = (0..j).find(|&i| prefixes[end] == prefixes[i].then(exterior(self.inside, i, j)));
            let i = found.expect(MET);
            self.open.push(Part::Pair(i, j));
            end = i;
        }
    }

    fn follow(&mut self, part: Part) {
        let inside = self.inside;
        match part {
            Part::Pair(i, j) => self.pair(i, j),
            Part::First(i, mut j) => {
                let score =
                    |j| inside.pair.get(i, j).then(inside.model.stem[usize::from(inside.outward.get(i, j))]);
                let mut rest = inside.first.get(i, j);
                while rest != score(j) {
                    rest -= inside.letter;
                    j -= 1;
                }
                self.open.push(Part::Pair(i, j));
            }
            Part::Some(mut i, j) => {
                let score = inside.some.get(i, j);
                if score == inside.several.get(i, j) {
                    return self.open.push(Part::Several(i, j));
                }
                let mut rest = score;
                while rest != inside.first.get(i, j) {
                    rest -= inside.letter;
                    i += 1;
                }
                self.open.push(Part::First(i, j));
            }
            Part::Several(i, j) => {
                let score = inside.several.get(i, j);
                let parts = |u: &usize| inside.some.get(i, u - 1).then(inside.first.get(*u, j));
                let found = (i + SMALLEST_PAIR + 1..=j - SMALLEST_PAIR).find(|u| score == parts(u));
                let u = found.expect(MET);
                self.open.extend([Part::Some(i, u - 1), Part::First(u, j)]);
            }
        }
    }

    fn pair(&mut self, i: usize, j: usize) {
        self.structure.pair(i, j);
        let inside = self.inside;
        let (score, view) = (inside.pair.get(i, j), inside.strand.inward(i, j));
        if score == inside.hairpin(i, j, view) {
            return;
        }
        let mut next = None;
        inside.interiors(i, j, |p, q, outer| {
            let this = inside.interior(i, j, p, q, outer, inside.outward.get(p, q));
            if next.is_none() && score == this.then(inside.pair.get(p, q)) {
                next = Some(Part::Pair(p, q));
            }
        });
        self.open.push(next.unwrap_or(Part::Several(i + 1, j - 1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rna;
    use proptest::prelude::*;

    #[test]
    fn nothing_pairs_in_what_cannot() {
        let folded = fold(&"AAANAAAAAA".parse::<Rna>().unwrap());
        assert_eq!((folded.energy, folded.structure.to_string().as_str()), (0.0, ".........."));
        assert_eq!(fold(&[]).energy, 0.0);
        assert_eq!(fold(&[Base::G]).structure.len(), 1);
    }

    proptest! {
        #[test]
        fn the_structure_has_its_energy(letters in "[ACGUN]{1,90}") {
            let rna: Rna = letters.parse().unwrap();
            let folded = fold(&rna);
            prop_assert_eq!(folded.structure.energy(&rna), Some(folded.energy));
        }
    }
}

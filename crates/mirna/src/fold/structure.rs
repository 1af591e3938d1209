//! A secondary structure: its dot-brackets, and its energy loop by loop.

use std::fmt;
use std::str::FromStr;

use super::letters::{LONGEST_LOOP, Strand};
use super::model::Model;
use super::score::Score;
use crate::Base;

/// Which letter pairs with which, without crossing pairs; shown as dots and brackets.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Structure(Vec<Option<usize>>);

/// Why text is no structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StructureError {
    /// Another letter than `(`, `)` and `.`.
    #[error("position {0} is none of '(', ')' and '.'")]
    Letter(usize),
    /// A bracket without its partner.
    #[error("the bracket at position {0} has no partner")]
    Unmatched(usize),
}

impl Structure {
    /// No pairs.
    pub(super) fn open(length: usize) -> Self {
        Self(vec![None; length])
    }

    pub(super) fn pair(&mut self, i: usize, j: usize) {
        (self.0[i], self.0[j]) = (Some(j), Some(i));
    }

    /// How many letters.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no letters.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The letter, from 0, with which another pairs.
    pub fn partner(&self, letter: usize) -> Option<usize> {
        self.0.get(letter).copied().flatten()
    }

    /// Pairs (i, j) with i < j, from 0, in the order of i.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.0.iter().enumerate().filter_map(|(i, &j)| Some((i, j?))).filter(|(i, j)| i < j)
    }

    /// Free energy of these letters in this structure, kcal/mol; none where letters pair that cannot, a hairpin or an
    /// interior loop has a forbidden size, or the lengths differ.
    ///
    /// ```
    /// use mirna::Rna;
    /// let rna: Rna = "GGGGAAAACCCC".parse()?;
    /// let structure: mirna::fold::Structure = "((((....))))".parse()?;
    /// assert_eq!(structure.energy(&rna), Some(-5.4));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn energy(&self, bases: &[Base]) -> Option<f64> {
        let strand = Strand::new(bases);
        (strand.len() == self.len())
            .then(|| self.score(Model::energies(), &strand))?
            .map(|e| f64::from(e) / 100.0)
    }

    /// All loops joined.
    pub(super) fn score<S: Score>(&self, model: &Model<S>, strand: &Strand) -> Option<S> {
        let lengths = model.hairpin_lengths(strand.len());
        let mut score = S::ONE;
        for (i, j) in self.branches(0, self.len()) {
            score = score.then(model.exterior[strand.exterior(i, j)]);
        }
        for (i, j) in self.pairs() {
            score = score.then(self.closed(model, strand, &lengths, i, j)?);
        }
        Some(score)
    }

    /// The loop that a pair closes.
    fn closed<S: Score>(
        &self,
        model: &Model<S>,
        strand: &Strand,
        lengths: &[S],
        i: usize,
        j: usize,
    ) -> Option<S> {
        if strand.kind(i, j) == 0 || j - i < 4 {
            return None;
        }
        let inward = strand.inward(i, j);
        let branches: Vec<_> = self.branches(i + 1, j).collect();
        match branches[..] {
            [] => Some(model.hairpin(&strand.letters[i..=j], inward, lengths)),
            [(p, q)] => {
                let (after, before) = (p - i - 1, j - q - 1);
                let fits = strand.kind(p, q) > 0 && after + before <= LONGEST_LOOP;
                fits.then(|| model.interior(after, before, inward, strand.outward(p, q)))
            }
            _ => {
                let paired: usize = branches.iter().map(|(p, q)| q - p + 1).sum();
                let mut score = model.closing.then(model.stem[usize::from(inward)]);
                for &(p, q) in &branches {
                    score = score.then(model.stem[usize::from(strand.outward(p, q))]);
                }
                Some((0..j - i - 1 - paired).fold(score, |score, _| score.then(model.letter)))
            }
        }
    }

    /// The outermost pairs within a stretch.
    fn branches(&self, from: usize, to: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let mut at = from;
        std::iter::from_fn(move || {
            while at < to {
                let i = at;
                match self.0[i] {
                    Some(j) if j > i => {
                        at = j + 1;
                        return Some((i, j));
                    }
                    _ => at += 1,
                }
            }
            None
        })
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(i, partner)| {
            f.write_str(match partner {
                None => ".",
                Some(j) if *j > i => "(",
                Some(_) => ")",
            })
        })
    }
}

impl fmt::Debug for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Structure({self})")
    }
}

impl FromStr for Structure {
    type Err = StructureError;
    fn from_str(text: &str) -> Result<Self, StructureError> {
        let mut structure = Self::open(text.len());
        let mut before = Vec::new();
        for (at, letter) in text.bytes().enumerate() {
            match letter {
                b'.' => {}
                b'(' => before.push(at),
                b')' => structure.pair(before.pop().ok_or(StructureError::Unmatched(at + 1))?, at),
                _ => return Err(StructureError::Letter(at + 1)),
            }
        }
        before.pop().map_or(Ok(structure), |at| Err(StructureError::Unmatched(at + 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rna;

    fn energy(letters: &str, structure: &str) -> Option<f64> {
        structure.parse::<Structure>().unwrap().energy(&letters.parse::<Rna>().unwrap())
    }

    #[test]
    fn brackets_have_partners() {
        let read = |text: &str| text.parse::<Structure>();
        assert_eq!(read("(.))"), Err(StructureError::Unmatched(4)));
        assert_eq!(read("((.)"), Err(StructureError::Unmatched(1)));
        assert_eq!(read("(x)"), Err(StructureError::Letter(2)));
        let structure = read("(..(..).)").unwrap();
        assert_eq!(structure.pairs().collect::<Vec<_>>(), [(0, 8), (3, 6)]);
        assert_eq!((structure.to_string(), structure.partner(6)), ("(..(..).)".to_owned(), Some(3)));
    }

    #[test]
    fn what_cannot_be_has_no_energy() {
        assert_eq!(energy("GAAAAC", "(....)."), None);
        assert_eq!(energy("GAAAAG", "(....)"), None);
        assert_eq!(energy("GNNNNC", "(....)"), energy("GNNNNC", "(....)"));
        assert_eq!(energy("GAAC", "(..)"), None);
        assert_eq!(energy("AAAA", "...."), Some(0.0));
    }
}

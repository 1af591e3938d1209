//! An RNA sequence, 5'→3': the one door through which letters enter.

use std::fmt;
use std::ops::{Deref, RangeInclusive};
use std::str::FromStr;

/// One nucleotide; `N` is any base.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Base {
    /// Adenine.
    A,
    /// Cytosine.
    C,
    /// Guanine.
    G,
    /// Uracil (`T` in DNA letters).
    U,
    /// Unknown.
    N,
}

impl Base {
    /// The Watson-Crick partner; `N` for `N`.
    pub fn complement(self) -> Self {
        match self {
            Base::A => Base::U,
            Base::C => Base::G,
            Base::G => Base::C,
            Base::U => Base::A,
            Base::N => Base::N,
        }
    }

    /// True for A-U and G-C; never for `N`.
    pub fn pairs_with(self, other: Base) -> bool {
        self != Base::N && self.complement() == other
    }

    /// True for G-U and U-G.
    pub fn wobbles_with(self, other: Base) -> bool {
        matches!((self, other), (Base::G, Base::U) | (Base::U, Base::G))
    }

    /// The RNA letter.
    pub fn letter(self) -> char {
        match self {
            Base::A => 'A',
            Base::C => 'C',
            Base::G => 'G',
            Base::U => 'U',
            Base::N => 'N',
        }
    }
}

/// A sequence of bases, 5'→3'. Never empty when it came from [`Rna::parse`].
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rna(Vec<Base>);

/// IUPAC codes other than `N` that were read as `N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguity {
    /// How many letters.
    pub count: usize,
    /// The first of them, as it was written.
    pub letter: char,
    /// Its position, 1-based.
    pub position: usize,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, letter, position } = self;
        let codes = if *count == 1 { "code" } else { "codes" };
        write!(f, "{count} ambiguity {codes} read as N (first: {letter} at position {position})")
    }
}

/// Why letters are not an acceptable sequence. Positions are 1-based.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the sequence is empty")]
    Empty,
    /// A letter that is no IUPAC nucleotide code.
    #[error(
        "letter {letter:?} at position {position} is not a nucleotide; use A, C, G, U or T, or N for any base"
    )]
    InvalidLetter {
        /// The letter as written.
        letter: char,
        /// Its position, 1-based, after white space around the sequence was cut.
        position: usize,
    },
    /// Outside the lengths that the field takes.
    #[error("the sequence has {length} nt; {min} to {max} nt are accepted")]
    Length {
        /// Length in nt.
        length: usize,
        /// Shortest accepted.
        min: usize,
        /// Longest accepted.
        max: usize,
    },
}

impl Rna {
    /// Reads RNA or DNA letters in either case, cuts white space around them and turns IUPAC codes into `N`.
    ///
    /// ```
    /// use mirador::rna::Rna;
    /// let (rna, ambiguity) = Rna::parse(" ugaRgta ", 1..=30)?;
    /// assert_eq!(rna.to_string(), "UGANGUA");
    /// assert_eq!(ambiguity.unwrap().position, 4);
    /// # Ok::<(), mirador::rna::ParseError>(())
    /// ```
    pub fn parse(
        text: &str,
        lengths: RangeInclusive<usize>,
    ) -> Result<(Self, Option<Ambiguity>), ParseError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(ParseError::Empty);
        }
        let mut bases = Vec::with_capacity(text.len());
        let mut ambiguity: Option<Ambiguity> = None;
        for (index, letter) in text.chars().enumerate() {
            let position = index + 1;
            bases.push(match letter {
                'A' | 'a' => Base::A,
                'C' | 'c' => Base::C,
                'G' | 'g' => Base::G,
                'U' | 'T' | 'u' | 't' => Base::U,
                'N' | 'n' => Base::N,
                _ if "RYSWKMBDHV".contains(letter.to_ascii_uppercase()) => {
                    ambiguity.get_or_insert(Ambiguity { count: 0, letter, position }).count += 1;
                    Base::N
                }
                _ => return Err(ParseError::InvalidLetter { letter, position }),
            });
        }
        let (length, min, max) = (bases.len(), *lengths.start(), *lengths.end());
        if !lengths.contains(&length) {
            return Err(ParseError::Length { length, min, max });
        }
        Ok((Self(bases), ambiguity))
    }

    /// The opposite strand, 5'→3'.
    pub fn reverse_complement(&self) -> Self {
        self.0.iter().rev().map(|base| base.complement()).collect()
    }
}

impl Deref for Rna {
    type Target = [Base];
    fn deref(&self) -> &[Base] {
        &self.0
    }
}

impl FromIterator<Base> for Rna {
    fn from_iter<I: IntoIterator<Item = Base>>(bases: I) -> Self {
        Self(bases.into_iter().collect())
    }
}

impl From<&[Base]> for Rna {
    fn from(bases: &[Base]) -> Self {
        Self(bases.to_vec())
    }
}

/// Any length, ambiguity unreported: for constants and files whose letters were checked before.
impl FromStr for Rna {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text, 1..=usize::MAX).map(|(rna, _)| rna)
    }
}

impl fmt::Display for Rna {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|base| write!(f, "{}", base.letter()))
    }
}

impl fmt::Debug for Rna {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rna({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_the_wrong_letter_and_its_place() {
        let error = Rna::parse("ACGX", 1..=9).unwrap_err();
        assert_eq!(error, ParseError::InvalidLetter { letter: 'X', position: 4 });
        assert_eq!(
            Rna::parse("AC GU", 1..=9).unwrap_err(),
            ParseError::InvalidLetter { letter: ' ', position: 3 }
        );
        assert_eq!(Rna::parse("  ", 1..=9).unwrap_err(), ParseError::Empty);
        assert_eq!(Rna::parse("ACGU", 5..=9).unwrap_err(), ParseError::Length { length: 4, min: 5, max: 9 });
    }

    #[test]
    fn reports_ambiguity_codes_but_not_n() {
        assert_eq!(Rna::parse("ANC", 1..=9).unwrap().1, None);
        let ambiguity = Rna::parse("ANrY", 1..=9).unwrap().1.unwrap();
        assert_eq!(ambiguity, Ambiguity { count: 2, letter: 'r', position: 3 });
        assert_eq!(ambiguity.to_string(), "2 ambiguity codes read as N (first: r at position 3)");
    }

    proptest! {
        #[test]
        fn dna_rna_and_case_read_the_same(text in "[ACGUTNacgutn]{1,120}") {
            let rna: Rna = text.parse().unwrap();
            let shouted: Rna = format!("\t{} ", text.to_uppercase().replace('T', "U")).parse().unwrap();
            prop_assert_eq!(&rna, &shouted);
            prop_assert_eq!(rna.to_string(), text.to_uppercase().replace('T', "U"));
        }

        #[test]
        fn reverse_complement_undoes_itself(text in "[ACGUN]{1,60}") {
            let rna: Rna = text.parse().unwrap();
            prop_assert_eq!(rna.reverse_complement().reverse_complement(), rna);
        }

        #[test]
        fn any_text_parses_or_fails_but_never_panics(text in "\\PC{0,40}") {
            let _ = Rna::parse(&text, 1..=30);
        }
    }
}

//! An RNA sequence, 5'→3': the one door through which letters enter.

use std::fmt;
use std::ops::{Deref, RangeInclusive};
use std::str::FromStr;

use crate::notation::{self, Notation};

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

/// Letters that are no known base: `N` and the other IUPAC codes, all of them read as `N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// How many letters.
    pub count: usize,
    /// How many letters were sent.
    pub sent: usize,
    /// The first of them, as it was written.
    pub letter: char,
    /// The letter's position, 1-based.
    pub position: usize,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, sent, letter, position } = self;
        match count {
            1 => write!(f, "1 of {sent} letters is unknown ({letter} at position {position})"),
            _ => write!(f, "{count} of {sent} letters are unknown (first: {letter} at position {position})"),
        }
    }
}

/// Why letters are not an acceptable sequence. Positions are 1-based.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing but white space.
    #[error("the sequence is empty; send its letters, or leave the row out")]
    Empty,
    /// A word for a missing value.
    #[error("the sequence is missing: {0:?} stands for no value; send its letters, or leave the row out")]
    Missing(String),
    /// Letters in another notation, or no sequence at all.
    #[error("{0}")]
    Notation(Notation),
    /// A letter that is no IUPAC nucleotide code.
    #[error(
        "letter {} at position {position} is not a nucleotide; use A, C, G, U or T, or N for any base",
        shown(*letter)
    )]
    InvalidLetter {
        /// The letter as written.
        letter: char,
        /// The letter's position, 1-based, after white space around the sequence was cut.
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
    /// Fewer than half of the letters are known.
    #[error(
        "{known} of {sent} letters are known; at least half have to be A, C, G, U or T ({})",
        if *protein { "these look like a protein's: send the nucleotides" } else { "N and the other IUPAC codes are unknown; leave out those at the ends" }
    )]
    TooLittleKnown {
        /// How many are A, C, G, U or T.
        known: usize,
        /// How many were sent.
        sent: usize,
        /// Whether the letters are rather those of amino acids.
        protein: bool,
    },
}

/// Where this many of the IUPAC codes for several bases stand in one sequence, it is a protein.
const CODES_OF_A_PROTEIN: usize = 4;

impl Rna {
    /// Reads a caller's RNA or DNA letters in either case, cuts white space around them and turns IUPAC codes into `N`.
    /// Fewer than half of the letters known, words for a missing value, and other notations are refused.
    ///
    /// ```
    /// use mirna::Rna;
    /// let (rna, unknown) = Rna::parse(" ugaRgta ", 1..=30)?;
    /// assert_eq!(rna.to_string(), "UGANGUA");
    /// assert_eq!(unknown.unwrap().position, 4);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn parse(text: &str, lengths: RangeInclusive<usize>) -> Result<(Self, Option<Unknown>), ParseError> {
        let text = text.trim();
        if notation::is_missing(text) {
            return Err(ParseError::Missing(text.to_owned()));
        }
        let otherwise = |error| Notation::of(text).map_or(error, ParseError::Notation);
        let (rna, unknown) = read(text).map_err(otherwise)?;
        if let Some(notation) = unknown.and_then(|_| Notation::of_letters(text)) {
            return Err(ParseError::Notation(notation));
        }
        rna.has_length(lengths)?;
        match unknown {
            Some(Unknown { count, sent, .. }) if 2 * count > sent => {
                let codes = AMBIGUOUS.chars().filter(|code| text.contains(*code)).count();
                let protein = codes >= CODES_OF_A_PROTEIN;
                Err(ParseError::TooLittleKnown { known: sent - count, sent, protein })
            }
            unknown => Ok((rna, unknown)),
        }
    }

    /// Reads letters of a file that was checked before: however few are known.
    pub fn trusted(text: &str, lengths: RangeInclusive<usize>) -> Result<Self, ParseError> {
        let (rna, _) = read(text.trim())?;
        rna.has_length(lengths)?;
        Ok(rna)
    }

    fn has_length(&self, lengths: RangeInclusive<usize>) -> Result<(), ParseError> {
        let (length, min, max) = (self.len(), *lengths.start(), *lengths.end());
        if lengths.contains(&length) { Ok(()) } else { Err(ParseError::Length { length, min, max }) }
    }

    /// The opposite strand, 5'→3'.
    pub fn reverse_complement(&self) -> Self {
        self.0.iter().rev().map(|base| base.complement()).collect()
    }
}

/// IUPAC codes for two or three bases.
const AMBIGUOUS: &str = "RYSWKMBDHV";

/// The bases, and which of them are unknown.
fn read(text: &str) -> Result<(Rna, Option<Unknown>), ParseError> {
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let mut bases = Vec::with_capacity(text.len());
    bases.extend(text.bytes().map_while(|byte| BASES[usize::from(byte)]));
    // All letters before the first bad one are ASCII.
    if let Some(letter) = text[bases.len()..].chars().next() {
        return Err(ParseError::InvalidLetter { letter, position: bases.len() + 1 });
    }
    let sent = bases.len();
    let unknown = bases.iter().position(|base| *base == Base::N).map(|first| Unknown {
        count: bases[first..].iter().filter(|base| **base == Base::N).count(),
        sent,
        letter: char::from(text.as_bytes()[first]),
        position: first + 1,
    });
    Ok((Rna(bases), unknown))
}

/// What each byte stands for, if it is a letter of an alphabet: transcripts are read by the ten million letters.
const BASES: [Option<Base>; 256] = {
    let mut bases = [None; 256];
    let (letters, mut index) = (AMBIGUOUS.as_bytes(), 0);
    while index < letters.len() {
        bases[letters[index] as usize] = Some(Base::N);
        bases[letters[index].to_ascii_lowercase() as usize] = Some(Base::N);
        index += 1;
    }
    let known = [
        (b'A', Base::A),
        (b'C', Base::C),
        (b'G', Base::G),
        (b'U', Base::U),
        (b'T', Base::U),
        (b'N', Base::N),
    ];
    index = 0;
    while index < known.len() {
        let (letter, base) = known[index];
        bases[letter as usize] = Some(base);
        bases[letter.to_ascii_lowercase() as usize] = Some(base);
        index += 1;
    }
    bases
};

/// A letter in quotes; one that cannot be seen, or looks like another, by its number in Unicode.
fn shown(letter: char) -> String {
    let number = letter as u32;
    match letter {
        '\'' => "\"'\"".to_owned(),
        ' '..='~' => format!("'{letter}'"),
        _ if letter.is_alphanumeric() => format!("'{letter}' (U+{number:04X})"),
        _ => format!("U+{number:04X}"),
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

/// As [`Rna::trusted`], of any length.
impl FromStr for Rna {
    type Err = ParseError;
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::trusted(text, 1..=usize::MAX)
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
        assert_eq!(Rna::parse("  ", 1..=9).unwrap_err(), ParseError::Empty);
        assert_eq!(Rna::parse("ACGU", 5..=9).unwrap_err(), ParseError::Length { length: 4, min: 5, max: 9 });
    }

    #[test]
    fn a_letter_that_cannot_be_told_by_eye_is_named_by_its_number() {
        let said = |text: &str| Rna::parse(text, 1..=9).unwrap_err().to_string();
        assert!(said("ACG\u{200b}").starts_with("letter U+200B at position 4 is not a nucleotide"));
        assert!(said("\u{410}CG").starts_with("letter '\u{410}' (U+0410) at position 1 "));
        assert!(said("AC#").starts_with("letter '#' at position 3 "));
    }

    #[test]
    fn g_and_u_wobble_and_nothing_else() {
        let letters = [Base::A, Base::C, Base::G, Base::U, Base::N];
        let pairs = letters.iter().flat_map(|one| letters.map(|other| (*one, other)));
        let wobbles: Vec<_> = pairs.filter(|(one, other)| one.wobbles_with(*other)).collect();
        assert_eq!(wobbles, [(Base::G, Base::U), (Base::U, Base::G)]);
    }

    #[test]
    fn unknown_letters_are_counted() {
        assert_eq!(Rna::parse("ACGU", 1..=9).unwrap().1, None);
        let unknown = |text: &str| Rna::parse(text, 1..=9).unwrap().1.unwrap().to_string();
        assert_eq!(unknown("AGANrY"), "3 of 6 letters are unknown (first: N at position 4)");
        assert_eq!(unknown("ACGUr"), "1 of 5 letters is unknown (r at position 5)");
    }

    #[test]
    fn at_least_half_has_to_be_known() {
        assert!(Rna::parse("ACGNNN", 1..=9).is_ok());
        let error = Rna::parse("ACNNN", 1..=9).unwrap_err();
        assert_eq!(error, ParseError::TooLittleKnown { known: 2, sent: 5, protein: false });
        let protein = Rna::parse("MKVSHWRDAYMKHHDSRGC", 1..=30).unwrap_err().to_string();
        assert!(protein.contains("look like a protein's"), "{protein}");
        assert_eq!("NNNNN".parse::<Rna>().unwrap().len(), 5, "files that were checked may");
        assert!(Rna::trusted("NNNNN", 6..=9).is_err());
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

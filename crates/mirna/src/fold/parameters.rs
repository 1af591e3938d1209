//! Reads the table of nearest-neighbour energies.

use std::sync::OnceLock;

/// Turner 2004, as published. Its header says how it is read.
const TURNER_2004: &str = include_str!("turner2004.par");
/// Energy of what cannot be: far above every energy, and some of it can still be added up.
pub(super) const NEVER: i32 = 10_000_000;

/// Energies at 37 °C in hundredths of kcal/mol, in the order of the file.
#[derive(Debug)]
pub(super) struct Parameters {
    pub stack: Vec<i32>,
    pub bulge: Vec<i32>,
    pub interior: Vec<i32>,
    pub hairpin: Vec<i32>,
    pub mismatch_hairpin: Vec<i32>,
    pub mismatch_interior: Vec<i32>,
    pub mismatch_interior_1n: Vec<i32>,
    pub mismatch_interior_23: Vec<i32>,
    pub mismatch_multi: Vec<i32>,
    pub mismatch_exterior: Vec<i32>,
    pub dangle5: Vec<i32>,
    pub dangle3: Vec<i32>,
    pub interior_1x1: Vec<i32>,
    pub interior_2x1: Vec<i32>,
    pub interior_2x2: Vec<i32>,
    /// Each letter of asymmetry, the most.
    pub ninio: Vec<i32>,
    /// Closing, each letter, each stem.
    pub multi: Vec<i32>,
    /// Start of a duplex, end of a helix in AU or GU.
    pub misc: Vec<i32>,
    /// Loops longer than the table: the factor of ln(n/30).
    pub extension: f64,
    /// Hairpins with an energy of their own, with the letters that close them.
    pub special_hairpins: Vec<(String, i32)>,
}

/// What is wrong with a table.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// No such section.
    #[error("section {0} is missing")]
    Missing(&'static str),
    /// A section of another length.
    #[error("section {section} has {found} values instead of {expected}")]
    Size {
        /// Which.
        section: &'static str,
        /// How many it has.
        found: usize,
        /// How many it should have.
        expected: usize,
    },
    /// A word that should be a number.
    #[error("{0:?} is no energy")]
    Number(String),
}

impl Parameters {
    /// The crate's own table, read once.
    pub(super) fn turner2004() -> &'static Self {
        static READ: OnceLock<Parameters> = OnceLock::new();
        READ.get_or_init(|| Self::read(TURNER_2004).expect("a test reads the crate's own table"))
    }

    fn read(text: &str) -> Result<Self, Malformed> {
        let numbers = |name, size| numbers(text, name, size);
        let extension = *words(text, "extension")?.first().ok_or(Malformed::Missing("extension"))?;
        let special = words(text, "special_hairpins")?;
        let special = special.chunks_exact(2).map(|pair| Ok((pair[0].to_owned(), number(pair[1])?)));
        Ok(Self {
            stack: numbers("stack", 36)?,
            bulge: numbers("bulge", 31)?,
            interior: numbers("interior", 31)?,
            hairpin: numbers("hairpin", 31)?,
            mismatch_hairpin: numbers("mismatch_hairpin", 150)?,
            mismatch_interior: numbers("mismatch_interior", 150)?,
            mismatch_interior_1n: numbers("mismatch_interior_1n", 150)?,
            mismatch_interior_23: numbers("mismatch_interior_23", 150)?,
            mismatch_multi: numbers("mismatch_multi", 150)?,
            mismatch_exterior: numbers("mismatch_exterior", 150)?,
            dangle5: numbers("dangle5", 30)?,
            dangle3: numbers("dangle3", 30)?,
            interior_1x1: numbers("interior_1x1", 36 * 25)?,
            interior_2x1: numbers("interior_2x1", 36 * 125)?,
            interior_2x2: numbers("interior_2x2", 36 * 256)?,
            ninio: numbers("ninio", 2)?,
            multi: numbers("multi", 3)?,
            misc: numbers("misc", 2)?,
            extension: extension.parse().map_err(|_| Malformed::Number(extension.to_owned()))?,
            special_hairpins: special.collect::<Result<_, _>>()?,
        })
    }
}

/// The words of a section: from the line with its name to an empty line.
fn words<'a>(text: &'a str, name: &'static str) -> Result<Vec<&'a str>, Malformed> {
    let mut lines = text.lines().skip_while(|line| *line != name);
    lines.next().ok_or(Malformed::Missing(name))?;
    Ok(lines.take_while(|line| !line.is_empty()).flat_map(str::split_whitespace).collect())
}

fn numbers(text: &str, section: &'static str, expected: usize) -> Result<Vec<i32>, Malformed> {
    let found: Vec<i32> = words(text, section)?.into_iter().map(number).collect::<Result<_, _>>()?;
    match found.len() {
        size if size == expected => Ok(found),
        found => Err(Malformed::Size { section, found, expected }),
    }
}

fn number(word: &str) -> Result<i32, Malformed> {
    if word == "inf" {
        return Ok(NEVER);
    }
    word.parse().map_err(|_| Malformed::Number(word.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_own_table_is_read() {
        let read = Parameters::read(TURNER_2004).unwrap();
        // 5'-CG-3' on 3'-GC-5': NNDB's -2.36; a hairpin of 3; the most special tetraloop.
        assert_eq!((read.stack[0], read.hairpin[3], read.extension), (-240, 540, 107.856));
        assert_eq!(read.special_hairpins.iter().map(|(_, energy)| *energy).min(), Some(180));
        assert_eq!(read.special_hairpins.len(), 22);
    }

    #[test]
    fn energies_are_whole_tenths() {
        // Duplexes are folded in tenths of kcal/mol.
        let sections = TURNER_2004.split("\n\n").skip(1).filter(|section| !section.starts_with("extension"));
        let energies: Vec<_> = sections.flat_map(str::split_whitespace).flat_map(str::parse::<i32>).collect();
        assert!(energies.len() > 15_000 && energies.iter().all(|energy| energy % 10 == 0));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let error = |text: &str| Parameters::read(text).unwrap_err().to_string();
        assert_eq!(error(""), "section extension is missing");
        let shorter = TURNER_2004.replace("\n60 300", "\n60");
        assert_eq!(error(&shorter), "section ninio has 1 values instead of 2");
        assert_eq!(error(&TURNER_2004.replace("\n60 300", "\n60 x")), "\"x\" is no energy");
    }
}

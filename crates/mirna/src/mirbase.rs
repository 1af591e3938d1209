//! miRBase's `mature.fa`: mature miRNAs by name, by accession and by their letters.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use crate::{ParseError, Rna};

/// Lengths of mature miRNAs, nt; the shortest of miRBase 22.1 has 15, the longest 34.
const LENGTHS: RangeInclusive<usize> = 10..=40;

/// One mature miRNA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mature {
    /// `hsa-let-7a-5p`.
    pub name: String,
    /// `MIMAT0000062`; empty where the file has none.
    pub accession: String,
    /// Letters, 5'→3'.
    pub rna: Rna,
}

/// All miRNAs of a file.
#[derive(Clone, Debug, Default)]
pub struct Mirbase {
    matures: Vec<Mature>,
    by_name: HashMap<String, usize>,
    by_lower_case: HashMap<String, usize>,
    by_letters: HashMap<Rna, usize>,
}

/// Why a file is no `mature.fa`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirbaseError {
    /// A header without a name, or letters without a header.
    #[error("line {0}: a record begins with >NAME ACCESSION")]
    Header(usize),
    /// Letters that are no sequence.
    #[error("{name}: {error}")]
    Letters {
        /// The record's name.
        name: String,
        /// What is wrong with them.
        error: ParseError,
    },
    /// Two records of one name.
    #[error("{0} stands there twice")]
    Twice(String),
    /// Nothing at all.
    #[error("there is no record")]
    Empty,
}

impl Mirbase {
    /// Reads the text of a FASTA file whose headers are `>NAME ACCESSION …`.
    ///
    /// ```
    /// let mirbase = mirna::mirbase::Mirbase::parse(">hsa-let-7a-5p MIMAT0000062 Homo sapiens\nUGAGGUAGUAGGUUGUAUAGUU\n")?;
    /// assert_eq!(mirbase.find("MIMAT0000062").unwrap().name, "hsa-let-7a-5p");
    /// # Ok::<(), mirna::mirbase::MirbaseError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, MirbaseError> {
        // Of any machine, and without the mark that Windows writes first.
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n");
        let mut records: Vec<(&str, &str, String)> = Vec::new();
        for (line, number) in text.lines().map(str::trim).zip(1..) {
            if let Some(header) = line.strip_prefix('>') {
                let mut words = header.split_whitespace();
                let name = words.next().ok_or(MirbaseError::Header(number))?;
                let accession = words.next().filter(|word| word.starts_with("MIMAT")).unwrap_or_default();
                records.push((name, accession, String::new()));
            } else if !line.is_empty() {
                records.last_mut().ok_or(MirbaseError::Header(number))?.2.push_str(line);
            }
        }
        let mut all = Self::default();
        for (name, accession, letters) in records {
            let rna = Rna::trusted(&letters, LENGTHS)
                .map_err(|error| MirbaseError::Letters { name: name.to_owned(), error })?;
            let place = all.matures.len();
            for key in [name, accession].into_iter().filter(|key| !key.is_empty()) {
                if all.by_name.insert(key.to_owned(), place).is_some() {
                    return Err(MirbaseError::Twice(key.to_owned()));
                }
                all.by_lower_case.entry(key.to_ascii_lowercase()).or_insert(place);
            }
            // Of several species with these letters the human one names them, else the first.
            let first = all.by_letters.entry(rna.clone()).or_insert(place);
            if name.starts_with("hsa-") && *first != place && !all.matures[*first].name.starts_with("hsa-") {
                *first = place;
            }
            all.matures.push(Mature { name: name.to_owned(), accession: accession.to_owned(), rna });
        }
        if all.matures.is_empty() { Err(MirbaseError::Empty) } else { Ok(all) }
    }

    /// The miRNA of a name or an accession, as the file writes it.
    pub fn find(&self, name: &str) -> Option<&Mature> {
        self.by_name.get(name.trim()).map(|place| &self.matures[*place])
    }

    /// The miRNA whose name is this but for the case of its letters, or with an arm (`-5p`, `-3p`) behind it.
    pub fn meant(&self, name: &str) -> Option<&Mature> {
        let name = name.trim().to_ascii_lowercase();
        let place = ["", "-5p", "-3p"].iter().find_map(|arm| self.by_lower_case.get(&format!("{name}{arm}")));
        place.map(|place| &self.matures[*place])
    }

    /// The miRNA of these letters, the human one of several.
    pub fn of_letters(&self, rna: &Rna) -> Option<&Mature> {
        self.by_letters.get(rna).map(|place| &self.matures[*place])
    }

    /// The miRNA whose letters these are from the 3' end to the 5' end, where they are none as they stand.
    pub fn reversed(&self, rna: &Rna) -> Option<&Mature> {
        if self.of_letters(rna).is_some() {
            return None;
        }
        self.of_letters(&rna.iter().rev().copied().collect())
    }

    /// All miRNAs in the file's order.
    pub fn matures(&self) -> &[Mature] {
        &self.matures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_accessions_and_letters_lead_to_a_mirna() {
        let text = ">hsa-miR-1-3p MIMAT0000416 Homo sapiens miR-1-3p\r\nUGGAAUGUAAAGAAGUAUGUAU\r\n\n>own-1\nACGUAC\nGUACGGG\n";
        let mirbase = Mirbase::parse(text).unwrap();
        let mir_1 = mirbase.find(" hsa-miR-1-3p ").unwrap();
        assert_eq!(mirbase.find("MIMAT0000416"), Some(mir_1));
        assert_eq!(mirbase.find("own-1").unwrap().rna.to_string(), "ACGUACGUACGGG");
        assert_eq!(mirbase.find("hsa-mir-1-3p"), None, "a small r names a hairpin");
        for meant in ["hsa-mir-1-3p", "HSA-MIR-1", "mimat0000416"] {
            assert_eq!(mirbase.meant(meant), Some(mir_1), "{meant}");
        }
        assert_eq!(mirbase.meant("hsa-miR-2"), None);
        let backwards: Rna = mir_1.rna.iter().rev().copied().collect();
        assert_eq!((mirbase.reversed(&backwards), mirbase.reversed(&mir_1.rna)), (Some(mir_1), None));
    }

    #[test]
    fn a_file_of_any_machine_has_the_same_records() {
        let text = ">a MIMAT1\nACGUACGUACGU\n>b MIMAT2\nACGUACGUACGA\n";
        for text in [text.replace('\n', "\r"), text.replacen('\n', "\r", 2), format!("\u{feff}{text}")] {
            let mirbase = Mirbase::parse(&text).unwrap();
            assert_eq!(mirbase.find("b").unwrap().rna.to_string(), "ACGUACGUACGA", "{text:?}");
        }
    }

    #[test]
    fn what_is_no_such_file_is_named() {
        for (text, error) in [
            ("", MirbaseError::Empty),
            ("ACGU\n", MirbaseError::Header(1)),
            (">\nACGU\n", MirbaseError::Header(1)),
            (">a\nACGUACGUACGU\n>a\nACGUACGUACGU\n", MirbaseError::Twice("a".into())),
        ] {
            assert_eq!(Mirbase::parse(text).unwrap_err(), error, "{text:?}");
        }
        let error = Mirbase::parse(">a\nACGX\n").unwrap_err().to_string();
        assert!(error.starts_with("a: letter 'X'") || error.starts_with("a: letter X"), "{error}");
    }
}

//! What people send in place of plain letters, by what it looks like: each with its remedy.

/// Text that is no plain sequence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Notation {
    /// `>name` before the letters.
    #[error("a FASTA header stands in the sequence: {0}; send the letters below it alone, its name as `id`")]
    FastaHeader(String),
    /// A quote before the letters.
    #[error("quotes stand around the sequence; send the letters alone")]
    Quotes,
    /// `5'-…-3'`.
    #[error("marks of the ends (5', 3') stand in the sequence; send the letters alone, 5'→3'")]
    EndMarks,
    /// `3'-…-5'`.
    #[error("the sequence is marked 3'→5'; turn it round and send the letters alone, 5'→3'")]
    Backwards,
    /// `hsa-miR-21-5p`, `MIMAT0000062`.
    #[error("{0} is the name of a miRNA; send its letters, 5'→3' (miRBase and MirGeneDB list them)")]
    MirnaName(String),
    /// `ENST00000373020`, `chr17:7661779`.
    #[error(
        "{0} looks like the name of a gene, a transcript or a place in a genome; send its letters, 5'→3'"
    )]
    Identifier(String),
    /// `0.61`.
    #[error("{0} is a number; a sequence is letters (is it another column's?)")]
    Number(String),
    /// `Sequence unavailable`.
    #[error("BioMart writes {0} where it has no sequence; leave the record out")]
    Unavailable(String),
    /// `#REF!`, `#NAME?`.
    #[error("{0} is a spreadsheet's error; mend the cell, or leave the row out")]
    SpreadsheetError(String),
    /// Blanks, line ends and numbers, as in GenBank and EMBL.
    #[error(
        "{what} stands at position {position}; send the letters in one piece, without the blanks, line ends and \
         numbers of a GenBank or EMBL block"
    )]
    Block {
        /// In words.
        what: &'static str,
        /// 1-based.
        position: usize,
    },
    /// `ACGU,ACGU`.
    #[error("several sequences stand in one field, parted by '{0}'; send a row for each")]
    Several(char),
    /// `/5Phos/`, `/i2MOErA/`.
    #[error("{0} is the mark of a modification; leave it out and send the letters alone")]
    Modification(String),
    /// `((((....))))`.
    #[error("dots and brackets are a structure; send the letters that fold so")]
    Structure,
    /// `AC[A/G]U`, `(CAG)5`.
    #[error(
        "brackets stand in the sequence; write a choice such as [A/G] as its IUPAC code (R), a repeat such as (CA)3 as \
         its letters, and leave out marks of modifications"
    )]
    Brackets,
    /// `A*C*G`.
    #[error("'*' (a phosphorothioate bond) stands at position {0}; leave it out and send the letters alone")]
    Phosphorothioate(usize),
    /// `rA`, `mU`, `dT`, `+G`.
    #[error("{0} is the notation of an oligonucleotide; send the letters alone (rA and mA are A, dT is T)")]
    Oligonucleotide(String),
    /// `Ψ`.
    #[error("pseudouridine stands at position {0}; send U in its place")]
    Pseudouridine(usize),
    /// `I`.
    #[error(
        "I (inosine) stands at position {0}; send G, which it is read as, A, which it was made from, or N"
    )]
    Inosine(usize),
    /// `-` or `.` inside an alignment.
    #[error(
        "a gap, '{letter}', stands at position {position}; leave gaps out, or send N for a letter that is not known"
    )]
    Gap {
        /// As written.
        letter: char,
        /// 1-based.
        position: usize,
    },
    /// Letters of amino acids.
    #[error("the letters are a protein's ('{letter}' at position {position}); send the nucleotides")]
    Protein {
        /// The first that no nucleotide has.
        letter: char,
        /// 1-based.
        position: usize,
    },
}

/// Letters of a text that are looked at: as much as tells.
const LOOKED_AT: usize = 400;
/// Letters of a caller's text that a message repeats.
const REPEATED: usize = 40;
/// Bytes of dashes and dots that stand for no value; more are an alignment's gaps.
const LONGEST_MARKS: usize = 3;
/// A name is no longer.
const LONGEST_NAME: usize = 60;

/// Whether the text stands for no value.
pub(crate) fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 12] = [
        "na",
        "nan",
        "n/a",
        "#n/a",
        "<na>",
        "null",
        "(null)",
        "nil",
        "none",
        "missing",
        "undefined",
        "unknown",
    ];
    let marks = || text.len() <= LONGEST_MARKS && text.chars().all(|letter| "-.?–—".contains(letter));
    !text.is_empty() && (WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) || marks())
}

impl Notation {
    /// What may be meant by a text that is not all nucleotides.
    pub fn of(text: &str) -> Option<Self> {
        let text: String = text.chars().take(LOOKED_AT).collect();
        let text = text.replace(['’', '′', 'ʹ', '´'], "'");
        let place = |wanted: fn(char) -> bool| {
            text.chars()
                .position(wanted)
                .map(|index| (text.chars().nth(index).unwrap_or_default(), index + 1))
        };
        let first = text.chars().next()?;
        if matches!(first, '>' | '@') {
            let line = text.lines().next().unwrap_or_default();
            return Some(Self::FastaHeader(repeated(line)));
        }
        if "'\"`“”‘«".contains(first) {
            return Some(Self::Quotes);
        }
        if let Some(backwards) = end_marks(&text) {
            return Some(if backwards { Self::Backwards } else { Self::EndMarks });
        }
        if text.replace(char::is_whitespace, "").eq_ignore_ascii_case("sequenceunavailable") {
            return Some(Self::Unavailable(repeated(&text)));
        }
        if first == '#' && text.ends_with(['!', '?']) {
            return Some(Self::SpreadsheetError(repeated(&text)));
        }
        if is_mirna(&text) {
            return Some(Self::MirnaName(repeated(&text)));
        }
        if text.parse::<f64>().is_ok() {
            return Some(Self::Number(repeated(&text)));
        }
        if is_identifier(&text) {
            return Some(Self::Identifier(repeated(&text)));
        }
        if let Some(mark) = modification(&text) {
            return Some(Self::Modification(repeated(mark)));
        }
        if text.chars().all(|letter| "().[]{}<>&".contains(letter)) {
            return Some(Self::Structure);
        }
        if let Some(notation) = block(&text).or_else(|| several(&text)).or_else(|| Self::of_letters(&text)) {
            return Some(notation);
        }
        if place(|letter| "[](){}".contains(letter)).is_some() {
            return Some(Self::Brackets);
        }
        let strange = |letter: &char| !is_nucleotide(*letter) && *letter != '*';
        if text.chars().filter(strange).all(|letter| letter.eq_ignore_ascii_case(&'i'))
            && let Some((_, position)) = place(|letter| letter.eq_ignore_ascii_case(&'i'))
        {
            return Some(Self::Inosine(position));
        }
        if text.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '*')
            && let Some((letter, position)) = place(|letter| "EFILPQZefilpqz".contains(letter))
        {
            return Some(Self::Protein { letter, position });
        }
        if let Some((_, position)) = place(|letter| letter == '*') {
            return Some(Self::Phosphorothioate(position));
        }
        if let Some((_, position)) = place(|letter| matches!(letter, 'Ψ' | 'ψ')) {
            return Some(Self::Pseudouridine(position));
        }
        place(|letter| "-.~_".contains(letter)).map(|(letter, position)| Self::Gap { letter, position })
    }

    /// What may be meant by a text whose letters may all be IUPAC codes: `rA`, `mU` and `dT` are, to whom does not look at the case.
    pub fn of_letters(text: &str) -> Option<Self> {
        let letters: Vec<char> =
            text.chars().take(LOOKED_AT).filter(|letter| !"*-".contains(*letter)).collect();
        let mut marks = 0;
        for (index, letter) in letters.iter().enumerate() {
            match letter {
                'r' | 'm' | 'd' | 'f' | 'l' | 'p' | '+' => {
                    let base = letters.get(index + 1).filter(|base| "ACGTU".contains(**base))?;
                    marks += 1;
                    if marks == 2 || !is_nucleotide(*letter) || letters.ends_with(&['d', 'T']) {
                        return rest_is_upper(&letters[index + 1..])
                            .then(|| Self::Oligonucleotide(format!("{letter}{base}")));
                    }
                }
                letter if letter.is_ascii_lowercase() => return None,
                _ => {}
            }
        }
        None
    }
}

fn rest_is_upper(letters: &[char]) -> bool {
    letters.iter().all(|letter| !letter.is_ascii_lowercase() || "rmdflps".contains(*letter))
}

fn is_nucleotide(letter: char) -> bool {
    "ACGTUNRYSWKMBDHV".contains(letter.to_ascii_uppercase())
}

/// The start of a caller's text, in quotes.
fn repeated(text: &str) -> String {
    let start: String = text.chars().filter(|letter| !letter.is_control()).take(REPEATED).collect();
    let more = if text.chars().count() > REPEATED { "…" } else { "" };
    format!("\"{start}{more}\"")
}

/// Whether 3' comes first, where ends are marked.
fn end_marks(text: &str) -> Option<bool> {
    let marked = ["5'", "3'"].iter().any(|mark| text.contains(mark))
        || (text.starts_with("5-") && text.ends_with("-3"))
        || (text.starts_with("3-") && text.ends_with("-5"));
    let mut ends = text.chars().filter(|letter| matches!(letter, '3' | '5'));
    marked.then(|| ends.next() == Some('3') && text.trim_start_matches(['(', '[']).starts_with('3'))
}

fn is_mirna(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['-', '_', ' ', '/', ':']).collect();
    let numbered = |word: &str| {
        ["mir", "let", "mimat", "mi0", "pir", "lin"].iter().any(|start| {
            word.strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let before_a_number = |pair: &[&str]| {
        matches!(pair[0], "mir" | "let" | "lin" | "pir")
            && pair[1].starts_with(|letter: char| letter.is_ascii_alphanumeric())
    };
    text.len() <= LONGEST_NAME
        && (words.iter().any(|word| numbered(word)) || words.windows(2).any(before_a_number))
}

fn is_identifier(text: &str) -> bool {
    let digits = |three: &[u8]| three.iter().all(u8::is_ascii_digit);
    text.len() <= LONGEST_NAME
        && text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-:|()+,".contains(letter))
        && text.as_bytes().windows(3).any(digits)
}

fn modification(text: &str) -> Option<&str> {
    let start = text.find('/')?;
    let end = start + 1 + text[start + 1..].find('/')?;
    let inner = &text[start + 1..end];
    let marked = inner.contains(|letter: char| letter.is_ascii_digit() || letter.is_ascii_lowercase());
    marked.then(|| &text[start..=end])
}

/// Letters with blanks and numbers between, and nothing else.
fn block(text: &str) -> Option<Notation> {
    let heading = ["LOCUS", "ORIGIN", "ID "].iter().any(|word| text.starts_with(word));
    let inside = |letter: char| letter.is_whitespace() || letter.is_ascii_digit() || letter == '/';
    if !heading && !text.chars().all(|letter| is_nucleotide(letter) || inside(letter)) {
        return None;
    }
    let index = text.chars().position(|letter| letter.is_whitespace() || letter.is_ascii_digit())?;
    let what = match text.chars().nth(index)? {
        '\n' | '\r' => "a line end",
        digit if digit.is_ascii_digit() => "a number",
        _ => "a blank",
    };
    Some(Notation::Block { what, position: index + 1 })
}

fn several(text: &str) -> Option<Notation> {
    let separator = text.chars().find(|letter| ",;|&/".contains(*letter))?;
    let mut parts = text.split(separator).map(str::trim);
    let letters = |part: &str| part.chars().count() > 1 && part.chars().all(is_nucleotide);
    parts.all(letters).then_some(Notation::Several(separator))
}

#[cfg(test)]
mod tests {
    use crate::Rna;
    use proptest::prelude::*;

    fn said(text: &str) -> String {
        match Rna::parse(text, 1..=100) {
            Ok((rna, unknown)) => format!("{rna} {unknown:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_notation_is_named() {
        for (text, expected) in [
            (">hsa-let-7a\nUGAGGUAGUAGG", "a FASTA header stands in the sequence: \">hsa-let-7a\""),
            ("\"UGAGGUAGUAGG\"", "quotes stand around"),
            ("'UGAGGUAGUAGG'", "quotes stand around"),
            ("5'-UGAGGUAGUAGG-3'", "marks of the ends (5', 3')"),
            ("5′ UGAGGUAGUAGG 3′", "marks of the ends (5', 3')"),
            ("5-UGAGGUAGUAGG-3", "marks of the ends (5', 3')"),
            ("3'-GGAUGAUGGAGU-5'", "the sequence is marked 3'→5'"),
            ("hsa-miR-21-5p", "\"hsa-miR-21-5p\" is the name of a miRNA"),
            ("let-7a", "\"let-7a\" is the name of a miRNA"),
            ("miR-21*", "\"miR-21*\" is the name of a miRNA"),
            ("mir34a", "\"mir34a\" is the name of a miRNA"),
            ("Hsa-Mir-143_pre", "\"Hsa-Mir-143_pre\" is the name of a miRNA"),
            ("MIMAT0000062", "\"MIMAT0000062\" is the name of a miRNA"),
            ("MI0000060", "\"MI0000060\" is the name of a miRNA"),
            ("ENST00000373020.9", "\"ENST00000373020.9\" looks like the name of a gene"),
            ("chr17:7661779-7687550", "\"chr17:7661779-7687550\" looks like the name of a gene"),
            ("0.613", "\"0.613\" is a number"),
            ("Sequence unavailable", "BioMart writes \"Sequence unavailable\" where it has no sequence"),
            ("Sequenceunavailable", "BioMart writes \"Sequenceunavailable\""),
            ("#NAME?", "\"#NAME?\" is a spreadsheet's error; mend the cell"),
            ("#DIV/0!", "\"#DIV/0!\" is a spreadsheet's error"),
            ("UGAGGUAGUA GGUUGUAUAG", "a blank stands at position 11"),
            ("UGAGGUAGUA\nGGUUGUAUAG", "a line end stands at position 11"),
            ("1 ugagguagua gguuguauag 21 uu", "a number stands at position 1"),
            ("UGAGGUAG,UAGGUUGU", "several sequences stand in one field, parted by ','"),
            ("/5Phos/UGAGGUAG", "\"/5Phos/\" is the mark of a modification"),
            ("UGAGG/iMe-dC/UAG", "\"/iMe-dC/\" is the mark of a modification"),
            ("((((....))))", "dots and brackets are a structure"),
            ("UGAG[A/G]UAG", "brackets stand in the sequence"),
            ("U*G*AGGUAG", "'*' (a phosphorothioate bond) stands at position 2"),
            ("rUrGrArGrG", "rG is the notation of an oligonucleotide"),
            ("mU*mG*AGGUAG", "mG is the notation of an oligonucleotide"),
            ("UGAGGUAGUAGGdTdT", "dT is the notation of an oligonucleotide"),
            ("UG+AGGUAG", "+A is the notation of an oligonucleotide"),
            ("UGAΨGGUAG", "pseudouridine stands at position 4"),
            ("UGAIGGUAG", "I (inosine) stands at position 4"),
            ("UGAG-GUAG", "a gap, '-', stands at position 5"),
            ("UGAG..GUAG", "a gap, '.', stands at position 5"),
            ("MEEPQSDPSVEPPLSQETFSDLWKLLPE", "the letters are a protein's ('E' at position 2)"),
        ] {
            assert!(said(text).starts_with(expected), "{text}: {}", said(text));
        }
    }

    #[test]
    fn words_for_nothing_are_missing_values() {
        for text in ["NA", "NaN", "nan", "NULL", "null", "None", "N/A", "#N/A", "-", ".", "--", "?", " NA "] {
            assert!(said(text).starts_with("the sequence is missing: "), "{text}: {}", said(text));
        }
    }

    #[test]
    fn letters_in_either_case_are_letters() {
        for text in ["acgtACGTacgt", "acgrACGT", "ACGTrACGT", "ACGTMRACGT", "ugagguaguaggdtdt"] {
            assert!(Rna::parse(text, 1..=100).is_ok(), "{text}: {}", said(text));
        }
    }

    proptest! {
        #[test]
        fn a_message_never_repeats_more_than_a_line(text in "(\\PC|\n){1,2000}") {
            if let Err(error) = Rna::parse(&text, 1..=100) {
                prop_assert!(error.to_string().chars().count() < 300);
            }
        }
    }
}

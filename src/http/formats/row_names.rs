//! Names of rows as R writes them: a first column that the first line leaves out. A stray cell looks alike, and would shift
//! every row, so that names are taken only where nothing else can be meant.

use std::collections::HashSet;

use csv::{ReaderBuilder, StringRecord};
use mirna::Rna;

/// A name of so many letters that are all nucleotides is a sequence.
const SEQUENCE: std::ops::RangeInclusive<usize> = 10..=usize::MAX;

/// What the first line says.
pub(super) struct Header {
    /// How many columns it names.
    pub columns: usize,
    /// The columns that need a sequence in every row.
    pub sequences: Vec<usize>,
    /// Whether a column holds ids.
    pub has_id: bool,
}

/// Whether every row of `text`, whose first line is the header, begins with its name.
pub(super) fn are_there(text: &[u8], delimiter: u8, header: &Header) -> bool {
    let mut builder = ReaderBuilder::new();
    let mut reader = builder.delimiter(delimiter).has_headers(false).flexible(true).from_reader(text);
    let (mut record, mut seen) = (StringRecord::new(), HashSet::new());
    let (mut first, mut ends_blank, mut counted) = (true, true, true);
    // Whether each row could be one without a name that has a cell too many.
    let (mut decimals, mut fits) = (vec![delimiter == b','; header.columns], !header.sequences.is_empty());
    loop {
        let start = reader.position().byte() as usize;
        match reader.read_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => return false,
        }
        if record.iter().all(|cell| cell.trim().is_empty()) || std::mem::take(&mut first) {
            continue;
        }
        let name = record[0].trim();
        if record.len() != header.columns + 1 || name.is_empty() || is_sequence(name) {
            return false;
        }
        if !seen.insert(name.to_owned()) {
            return false;
        }
        let row = text[start..].trim_ascii_start();
        let quoted = row.starts_with(b"\"");
        counted &= is_digits(name);
        ends_blank &= record[header.columns].trim().is_empty();
        fits &= header.sequences.iter().all(|&place| is_sequence(&record[place]));
        for (place, may_be) in decimals.iter_mut().enumerate() {
            // A program that quotes names of rows does not write 1,2 for a number.
            *may_be &= !quoted && is_digits(&record[place]) && is_digits(&record[place + 1]);
        }
    }
    let in_doubt = fits || decimals.contains(&true) || (header.has_id && !counted);
    !seen.is_empty() && !ends_blank && !in_doubt
}

fn is_sequence(text: &str) -> bool {
    Rna::parse(text.trim().trim_start_matches('>'), SEQUENCE).is_ok()
}

fn is_digits(text: &str) -> bool {
    let text = text.trim().trim_start_matches('-');
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

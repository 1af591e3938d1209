//! The miRNAs and transcripts of a scan: their names and letters, and everything that is wrong with them.

use std::collections::HashSet;

use mirador_models::tasks::repression::TRANSCRIPT_LENGTHS;

use super::asked::Asked;
use super::{Probe, Transcript};
use crate::http::formats::Record;
use crate::http::problem::{ErrorCode, Errors, FieldError};
use crate::http::rows::{Answerer, RowReader};

/// A body as it was read.
pub(super) struct Found {
    /// What it says of all, with what the URL said.
    pub asked: Asked,
    pub mirnas: Vec<Entry>,
    pub transcripts: Vec<Entry>,
}

/// A miRNA or a transcript as it was sent.
pub(crate) struct Entry {
    /// The line in the caller's file, from 1.
    pub line: Option<u64>,
    pub id: String,
    pub letters: String,
    pub cds_end: Option<usize>,
}

impl Entry {
    /// A record of a FASTA file, of which so many lines stand before what the record was read from.
    pub(crate) fn of_record(record: Record, lines_before: u64) -> Self {
        let id = record.id().unwrap_or_default().to_owned();
        Self { line: Some(record.line + lines_before), id, letters: record.letters, cds_end: None }
    }

    /// That the id of the record in this line is another's too.
    pub(crate) fn same_id(line: Option<u64>) -> FieldError {
        let detail = "another record has the same id".into();
        FieldError::new("/id".into(), ErrorCode::InvalidId, detail).at_line(line)
    }
}

/// The miRNAs.
pub(crate) fn probes(entries: Vec<Entry>, answerer: &Answerer, errors: &mut Errors) -> Vec<Probe> {
    let read = |entry: Entry, reader: &mut RowReader<'_>| {
        let letters = reader.mirna("sequence", &entry.letters, false)?;
        Some(Probe { id: entry.id.into(), letters, warnings: Vec::new() })
    };
    each(entries, "mirnas", answerer, errors, read, |probe, warnings| probe.warnings = warnings)
}

/// The transcripts.
pub(crate) fn transcripts(entries: Vec<Entry>, answerer: &Answerer, errors: &mut Errors) -> Vec<Transcript> {
    let read = |entry: Entry, reader: &mut RowReader<'_>| {
        let letters = reader.transcript("sequence", &entry.letters, TRANSCRIPT_LENGTHS)?;
        let cds_end = entry.cds_end.unwrap_or(0);
        if cds_end > letters.len() {
            let detail = format!("cds_end is {cds_end}, and the transcript has {} letters", letters.len());
            reader.error("cds_end", ErrorCode::OutOfRange, detail);
        }
        Some(Transcript { id: entry.id.into(), letters, cds_end, warnings: Vec::new() })
    };
    each(entries, "transcripts", answerer, errors, read, |transcript, warnings| {
        transcript.warnings = warnings
    })
}

/// Whether a line of BED may begin with it.
fn is_word(id: &str) -> bool {
    let printable = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    printable && !id.starts_with('#') && !["track", "browser"].contains(&id)
}

fn each<T>(
    entries: Vec<Entry>,
    list: &str,
    answerer: &Answerer,
    errors: &mut Errors,
    read: impl Fn(Entry, &mut RowReader<'_>) -> Option<T>,
    warn: impl Fn(&mut T, Vec<String>),
) -> Vec<T> {
    if entries.is_empty() {
        let detail = format!("at least one of {list} is needed");
        errors.push(FieldError::new(format!("/{list}"), ErrorCode::EmptyList, detail));
    }
    let mut seen = HashSet::new();
    let mut all = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let line = entry.line;
        let mut reader = RowReader::at(format!("/{list}/{index}"), answerer);
        reader.id(Some(&entry.id));
        if !is_word(&entry.id) {
            let detail = "an id is one word of printable ASCII, which does not begin with # and is neither track nor browser: \
                          it names the rows of the reply, in BED and GFF3 too";
            reader.error("id", ErrorCode::InvalidId, detail.into());
        }
        if !seen.insert(entry.id.clone()) {
            let detail = format!("{} is the id of another of the {list} too", entry.id);
            reader.error("id", ErrorCode::InvalidId, detail);
        }
        let item = read(entry, &mut reader);
        match (item, reader.finish()) {
            (Some(mut item), Ok(warnings)) => {
                warn(&mut item, warnings);
                all.push(item);
            }
            (_, Err(of_entry)) => errors.merge(of_entry.at_line(line)),
            (None, Ok(_)) => {}
        }
    }
    all
}

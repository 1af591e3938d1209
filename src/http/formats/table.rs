//! CSV and TSV, as spreadsheets, R and pandas write them: what is to be found out before the first row is read.

use std::io::Cursor;

use bytes::{Buf, Bytes};
use csv::{Reader, ReaderBuilder, StringRecord};

use super::asked::Asked;
use super::hints;
use super::quotes;
use super::row_names;
use super::text::{decode, newlines};
use crate::http::problem::{ErrorCode, FieldError};
use crate::http::rows::{Kind, ScoringEndpoint};

/// Most columns of a table.
pub(super) const MOST_COLUMNS: usize = 1000;

/// A table that is open at its first row.
pub(super) struct Table {
    text: Bytes,
    reader: Reader<Cursor<Bytes>>,
    /// Lines of the file before `text`.
    before: u64,
    /// The names of the columns.
    pub header: Vec<String>,
    /// The line of the file that they stand in; none where the URL gave them.
    pub header_line: Option<u64>,
    /// Whether numbers may be written with a comma.
    pub comma: bool,
    /// Whether the first column holds names of rows, which the first line leaves out.
    pub row_names: bool,
    /// A row that was looked at already.
    next: Option<(u64, StringRecord)>,
}

impl Table {
    /// Opens a file. `declared` is the sign between cells that its Content-Type says; the URL names the columns where no
    /// line of the file does.
    pub(super) fn open<S: ScoringEndpoint>(
        bytes: Bytes,
        (declared, charset): (u8, Option<&str>),
        asked: &Asked,
    ) -> Result<Self, FieldError> {
        let mut text = decode(bytes, charset, "save as CSV UTF-8")?;
        if let Some(hint) = hints::in_place_of_table::<S>(&text) {
            return Err(hint);
        }
        let excel = separator(&text);
        let before = u64::from(excel.is_some());
        if let Some((_, length)) = excel {
            text.advance(length);
        }
        let delimiter = excel.map_or_else(|| delimiter::<S>(&text, declared, asked), |(sign, _)| sign);
        quotes::check(&text, delimiter, before)?;
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).has_headers(false).flexible(true);
        let reader = builder.from_reader(Cursor::new(text.clone()));
        let comma = delimiter != b',';
        let (header, header_line, row_names, next) = (Vec::new(), None, false, None);
        let mut table = Self { text, reader, before, header, header_line, comma, row_names, next };
        match &asked.header {
            Some(names) => table.header.clone_from(names),
            None => {
                if let Some((line, names)) = table.row()? {
                    table.header_line = Some(line);
                    table.header =
                        names.iter().take(MOST_COLUMNS + 1).map(|name| name.trim().to_owned()).collect();
                }
            }
        }
        if table.header.len() > MOST_COLUMNS {
            let detail = format!("a table may have up to {MOST_COLUMNS} columns; this has more");
            return Err(FieldError::whole(ErrorCode::BrokenTable, detail).at_line(table.header_line));
        }
        table.find_row_names::<S>(delimiter, asked)?;
        Ok(table)
    }

    /// The next row that has anything in it, and its line in the file.
    pub(super) fn row(&mut self) -> Result<Option<(u64, StringRecord)>, FieldError> {
        if let Some(next) = self.next.take() {
            return Ok(Some(next));
        }
        let mut record = StringRecord::new();
        loop {
            let position = self.reader.position().clone();
            let more = self.reader.read_record(&mut record).map_err(|error| {
                FieldError::whole(
                    ErrorCode::BrokenTable,
                    format!("the table cannot be read: {}", plain(&error)),
                )
            })?;
            if !more {
                return Ok(None);
            }
            if record.iter().any(|cell| !cell.trim().is_empty()) {
                // The reader counts a row from the end of the one before, blank lines included.
                let start = self.text.get(position.byte() as usize..).unwrap_or_default();
                let blank = start.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(0);
                let line = self.before + position.line() + newlines(&start[..blank]);
                return Ok(Some((line, record)));
            }
        }
    }

    /// Whether the first row has more cells than there are columns.
    pub(super) fn first_row_is_longer(&self) -> bool {
        self.next.as_ref().is_some_and(|(_, first)| first.len() > self.header.len())
    }

    /// R writes the names of rows as a first column that the first line leaves out.
    fn find_row_names<S: ScoringEndpoint>(&mut self, delimiter: u8, asked: &Asked) -> Result<(), FieldError> {
        self.next = self.row()?;
        let columns = self.header.len();
        let longer = self.next.as_ref().is_some_and(|(_, first)| first.len() == columns + 1);
        if !longer || self.header_line.is_none() {
            return Ok(());
        }
        let fields: Vec<_> = self.header.iter().map(|name| asked.field(name)).collect();
        let is_sequence =
            |field: &str| S::FIELDS.iter().any(|column| column.name == field && column.kind == Kind::Text);
        let sequences = (0..columns).filter(|&place| fields[place].is_some_and(is_sequence)).collect();
        let header = row_names::Header { columns, sequences, has_id: fields.contains(&Some("id")) };
        if row_names::are_there(&self.text, delimiter, &header) {
            self.row_names = true;
            self.header.insert(0, String::new());
        }
        Ok(())
    }
}

/// The reader's message, without its own name for places.
fn plain(error: &csv::Error) -> &'static str {
    match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8",
        _ => "it is broken",
    }
}

/// The sign that Excel says in a first line of its own, `sep=;`, and the length of that line.
fn separator(text: &[u8]) -> Option<(u8, usize)> {
    let length = text.iter().position(|&byte| byte == b'\n')? + 1;
    let line = text[..length].strip_suffix(b"\n")?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', sign] => Some((*sign, length)),
        _ => None,
    }
}

/// The sign under which the first line names most fields, or has as many cells as the URL names columns; of equals the
/// declared one, where the line has it.
fn delimiter<S: ScoringEndpoint>(text: &[u8], declared: u8, asked: &Asked) -> u8 {
    let mut lines = text.split(|&byte| byte == b'\n');
    let first = lines.find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let fits = |sign: &u8| {
        let reader = ReaderBuilder::new().delimiter(*sign).has_headers(false).from_reader(first);
        let cells = reader.into_records().next().and_then(Result::ok).unwrap_or_default();
        match &asked.header {
            Some(names) => {
                let blank = cells.iter().rev().take_while(|cell| cell.trim().is_empty()).count();
                usize::from((cells.len() - blank..=cells.len()).contains(&names.len()))
            }
            None => {
                let field = |name: &str| asked.field(name.trim()).and_then(S::kind);
                cells.iter().filter(|name| field(name).is_some()).count()
            }
        }
    };
    let signs = [declared, b'\t', b';', b','].into_iter().filter(|sign| first.contains(sign));
    // Of equals the last is taken.
    signs.rev().max_by_key(fits).unwrap_or(declared)
}

//! FASTA: a record is a row; the first word of its header is the id. Read here and not by a crate of the field, since
//! none tells in which line of the file a record stands.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::asked::Asked;
use super::draft::Draft;
use super::hints;
use super::text::decode;
use crate::http::offload::Bounds;
use crate::http::problem::{ErrorCode, FieldError, Problem};
use crate::http::rows::{Found, FoundRows, ScoringEndpoint};

/// A record.
pub(crate) struct Record {
    /// The header's line, from 1.
    pub line: u64,
    /// What stands behind its `>`.
    pub header: String,
    /// All its lines.
    pub letters: String,
}

/// The records of a file, one after the other.
pub(crate) struct Records {
    /// What was not read yet.
    text: Bytes,
    /// The line that it starts with, from 1.
    line: u64,
}

impl Records {
    /// # Errors
    /// When something else stands before the first header.
    pub(crate) fn of(bytes: Bytes, charset: Option<&str>) -> Result<Self, FieldError> {
        let text = decode(bytes, charset, "save as UTF-8")?;
        let mut records = Self { text, line: 1 };
        while records.peek().is_some_and(is_aside) {
            records.skip_line();
        }
        match records.peek() {
            Some(line) if !line.starts_with(b">") => Err(hints::in_place_of_fasta(&records.text)
                .unwrap_or_else(|| {
                    let detail = "a FASTA file starts with a header: > and a name".into();
                    FieldError::whole(ErrorCode::Syntax, detail).at_line(Some(records.line))
                })),
            _ => Ok(records),
        }
    }

    /// The next line, with its end.
    fn peek(&self) -> Option<&[u8]> {
        let end = self.text.iter().position(|&byte| byte == b'\n').map_or(self.text.len(), |end| end + 1);
        Some(&self.text[..end]).filter(|line| !line.is_empty())
    }

    fn skip_line(&mut self) -> Bytes {
        let length = self.peek().map_or(0, <[u8]>::len);
        self.line += 1;
        self.text.split_to(length)
    }
}

impl Iterator for Records {
    type Item = Record;
    fn next(&mut self) -> Option<Record> {
        self.peek()?;
        let (line, header) = (self.line, self.skip_line());
        let header = String::from_utf8_lossy(header.strip_prefix(b">").unwrap_or(&header));
        let header = header.trim().to_owned();
        let mut letters = String::new();
        while self.peek().is_some_and(|line| !line.starts_with(b">")) {
            let line = self.skip_line();
            if !is_aside(&line) {
                let line = line.trim_ascii();
                match str::from_utf8(line) {
                    // As nearly all lines are: nothing to cut.
                    Ok(text) if line.iter().all(u8::is_ascii_graphic) => letters.push_str(text),
                    _ => letters.extend(String::from_utf8_lossy(line).split_whitespace()),
                }
            }
        }
        Some(Record { line, header, letters })
    }
}

/// Blank lines, and remarks as old files have them.
fn is_aside(line: &[u8]) -> bool {
    line.trim_ascii().is_empty() || line.starts_with(b";")
}

impl Record {
    /// The first word of its header, if there is one.
    pub(crate) fn id(&self) -> Option<&str> {
        self.header.split_whitespace().next()
    }

    /// The record's fields, as a row has them.
    pub(super) fn fields<S: ScoringEndpoint>(
        self,
        asked: &Asked,
    ) -> impl Iterator<Item = (&'static str, Value)> {
        let id = self.id().map(|id| ("id", id.to_owned().into()));
        let letters = S::FASTA.map(|field| (field, self.letters.into()));
        let tss = asked.tss.map(|tss| ("tss", tss.into()));
        [id, letters, tss].into_iter().flatten()
    }

    /// The record as a JSON object.
    pub(super) fn object<S: ScoringEndpoint>(self, asked: &Asked) -> Map<String, Value> {
        self.fields::<S>(asked).map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// What the URL has to say where a record cannot.
pub(super) fn check<S: ScoringEndpoint>(asked: &Asked) -> Result<(), Problem> {
    if S::FASTA.is_none() {
        return Err(Problem::MediaType("text/x-fasta".into()));
    }
    match S::kind("tss").is_some() && asked.tss.is_none() {
        true => Err(Problem::BadHeader(
            "a FASTA file says nothing of the start of transcription: add ?tss=N, its 0-based index in every record".into(),
        )),
        false => Ok(()),
    }
}

/// All rows of a file.
pub(super) fn read<S: ScoringEndpoint>(
    bytes: Bytes,
    charset: Option<&str>,
    asked: &Asked,
    bounds: &Bounds,
) -> Result<Found<S>, Problem> {
    let mut rows = FoundRows::default();
    for (index, record) in Records::of(bytes, charset)?.enumerate() {
        bounds.admit(index)?;
        let (line, mut draft) = (Some(record.line), Draft::<S>::new(rows.room()));
        record.fields::<S>(asked).for_each(|(field, value)| draft.put(field, value));
        rows.push(line, draft.finish());
    }
    Ok(Found { rows: rows.into_rows(), ..std::iter::empty().collect() })
}

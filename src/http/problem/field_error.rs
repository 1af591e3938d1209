//! What is wrong with the values of a request: each with its place, what kind it is, and the remedy.

use mirna::ParseError;
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;

/// Entries of a list of errors; of the rest only the number is told, so that a reply stays shorter than its request.
pub(crate) const MOST_ERRORS: usize = 100;
/// Characters of a caller's value that a message repeats.
pub(super) const MOST_ECHOED: usize = 100;

/// Ends a text after so many characters.
pub(super) fn shorten(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
}

/// One thing that is wrong with the request's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the value; empty for the body as a whole.
    #[schema(example = "/pairs/3/site")]
    pub pointer: String,
    /// What kind of error, for programs.
    pub code: ErrorCode,
    /// In a table, a FASTA file or lines: the line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 5)]
    pub line: Option<u64>,
    /// What is wrong, for people.
    #[schema(
        example = "letter 'X' at position 4 is not a nucleotide; use A, C, G, U or T, or N for any base"
    )]
    pub detail: String,
}

/// What is wrong with a body, or a part of it: the first [`MOST_ERRORS`], and how many there are. What is beyond is counted only,
/// so that a body of a thousand times as many takes no more memory.
#[derive(Clone, Debug)]
pub struct Errors {
    /// The first ones.
    pub first: Vec<FieldError>,
    /// How many there are.
    pub all: usize,
    shape: bool,
    room: usize,
}

impl Default for Errors {
    fn default() -> Self {
        Self::with_room(MOST_ERRORS)
    }
}

impl Errors {
    /// Those of a part of a request: so many are kept, since others were before.
    pub fn with_room(room: usize) -> Self {
        Self { first: Vec::new(), all: 0, shape: false, room }
    }

    /// Notes one more, whose words are found only where they are kept.
    pub fn note(&mut self, code: ErrorCode, error: impl FnOnce() -> FieldError) {
        self.all += 1;
        self.shape |= code.is_of_shape();
        if self.first.len() < self.room {
            let mut error = error();
            error.shorten();
            self.first.push(error);
        }
    }

    /// Notes one more.
    pub fn push(&mut self, error: FieldError) {
        self.note(error.code, || error);
    }

    /// How many are not among the first.
    pub fn more(&self) -> usize {
        self.all - self.first.len()
    }

    /// The same, of values inside the one at `place`.
    pub fn below(mut self, place: &str) -> Self {
        self.first.iter_mut().for_each(|error| error.pointer.insert_str(0, place));
        self
    }

    /// The same, with their line in the caller's file.
    pub fn at_line(mut self, line: Option<u64>) -> Self {
        self.first.iter_mut().for_each(|error| error.line = line);
        self
    }

    /// Takes what was noted elsewhere, with its count.
    pub fn merge(&mut self, others: Self) {
        self.all += others.more();
        self.shape |= others.shape;
        self.extend(others.first);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all == 0
    }

    /// Nothing is wrong; or the refusal: 400 where anything is of shape, else 422.
    pub fn into_result(self) -> Result<(), Problem> {
        match self {
            Self { all: 0, .. } => Ok(()),
            Self { shape: true, .. } => Err(Problem::Malformed(self)),
            _ => Err(Problem::InvalidInput(self)),
        }
    }
}

impl Extend<FieldError> for Errors {
    fn extend<I: IntoIterator<Item = FieldError>>(&mut self, errors: I) {
        errors.into_iter().for_each(|error| self.push(error));
    }
}

impl From<FieldError> for Errors {
    fn from(error: FieldError) -> Self {
        let mut errors = Self::default();
        errors.push(error);
        errors
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        let errors = Errors::from(error);
        match errors.shape {
            true => Self::Malformed(errors),
            false => Self::InvalidInput(errors),
        }
    }
}

impl ErrorCode {
    /// Whether the body's shape is wrong (400), not a value (422).
    fn is_of_shape(self) -> bool {
        use ErrorCode::{BrokenTable, DuplicateField, MissingField, Syntax, UnknownField, WrongType};
        matches!(self, Syntax | MissingField | UnknownField | DuplicateField | WrongType | BrokenTable)
    }
}

/// Kinds of errors in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// Not JSON.
    Syntax,
    /// A field that has to be there is not.
    MissingField,
    /// A field that the route does not know.
    UnknownField,
    /// A field that stands there twice.
    DuplicateField,
    /// A value of another type than the field's.
    WrongType,
    /// A list without an item.
    EmptyList,
    /// A sequence without a letter, or a word for a missing value.
    EmptySequence,
    /// A letter that is no IUPAC nucleotide code, or another notation than plain letters.
    InvalidLetter,
    /// A sequence outside the accepted lengths.
    InvalidLength,
    /// An id of more characters than accepted.
    IdTooLong,
    /// An id that is not one word, or that something else of the request has too.
    InvalidId,
    /// A number outside the accepted ones.
    OutOfRange,
    /// Something that the model does not tell.
    Unsupported,
    /// Fewer than half of the letters sent are known.
    TooLittleKnown,
    /// A quote that is never closed, or a row of another length than the first line.
    BrokenTable,
    /// The row is more work than one line may be.
    TooMuchWork,
    /// The network failed on the row; the server's log has the reason.
    Failed,
}

impl FieldError {
    /// What is wrong with a body, or a line, as a whole.
    pub fn whole(code: ErrorCode, detail: String) -> Self {
        Self::new(String::new(), code, detail)
    }

    /// What is wrong with the value at a pointer.
    pub fn new(pointer: String, code: ErrorCode, detail: String) -> Self {
        Self { pointer, code, line: None, detail }
    }

    /// The same, of a value inside the one at `place`.
    pub fn below(self, place: &str) -> Self {
        Self { pointer: format!("{place}{}", self.pointer), ..self }
    }

    /// The same, with its line in the caller's file.
    pub fn at_line(self, line: Option<u64>) -> Self {
        Self { line, ..self }
    }

    /// A caller's value is repeated in part only.
    fn shorten(&mut self) {
        for text in [&mut self.pointer, &mut self.detail] {
            // Our own words beside the value are shorter than that.
            shorten(text, 4 * MOST_ECHOED);
        }
    }

    /// A sequence that cannot be read.
    pub fn sequence(pointer: String, error: &ParseError) -> Self {
        let code = match error {
            ParseError::Empty | ParseError::Missing(_) => ErrorCode::EmptySequence,
            ParseError::Notation(_) | ParseError::InvalidLetter { .. } => ErrorCode::InvalidLetter,
            ParseError::Length { .. } => ErrorCode::InvalidLength,
            ParseError::TooLittleKnown { .. } => ErrorCode::TooLittleKnown,
        };
        Self::new(pointer, code, error.to_string())
    }
}

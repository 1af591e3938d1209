//! One row in the reading: what is wrong with it, and what its reader should know.

use std::ops::RangeInclusive;
use std::sync::Arc;

use mirador_models::tasks::DECISION_THRESHOLD;
use mirador_models::tasks::target_site::MIRNA_LENGTHS;
use mirna::mirbase::Mirbase;
use mirna::{ParseError, Rna};

use super::problem::{ErrorCode, Errors, FieldError};
use crate::serving::ServedModel;

const MAX_ID_CHARS: usize = 256;

/// Who answers rows, and what stands behind names in them.
#[derive(Clone, Default)]
pub(crate) struct Answerer {
    /// The model, where one is needed.
    pub served: Option<Arc<ServedModel>>,
    /// miRNAs by name, where the server knows them.
    pub mirbase: Option<Arc<Mirbase>>,
}

impl Answerer {
    /// From here on a probability is a yes.
    pub(super) fn threshold(&self) -> f32 {
        self.served.as_ref().map_or(DECISION_THRESHOLD as f32, |served| served.config.threshold())
    }
}

/// Collects what is wrong with one row, and what its reader should know.
pub(crate) struct RowReader<'a> {
    /// Who will answer.
    pub answerer: &'a Answerer,
    pointer: String,
    warnings: Vec<String>,
    errors: Errors,
}

impl<'a> RowReader<'a> {
    /// For what stands at this place of the request.
    pub(super) fn at(pointer: String, answerer: &'a Answerer) -> Self {
        Self { answerer, pointer, warnings: Vec::new(), errors: Errors::default() }
    }

    /// What its reader should know, or everything that is wrong with it.
    pub(super) fn finish(self) -> Result<Vec<String>, Errors> {
        if self.errors.is_empty() { Ok(self.warnings) } else { Err(self.errors) }
    }
}

impl RowReader<'_> {
    /// Notes an error of a field.
    pub(super) fn error(&mut self, field: &str, code: ErrorCode, detail: String) {
        self.errors.push(FieldError::new(format!("{}/{field}", self.pointer), code, detail));
    }

    /// Notes an error of the row as a whole.
    pub(super) fn error_of_row(&mut self, code: ErrorCode, detail: String) {
        self.errors.push(FieldError::new(self.pointer.clone(), code, detail));
    }

    /// Adds to what was just said of a length, if that was wrong.
    pub(super) fn remark_on_length(&mut self, remark: &str) {
        if let Some(error) =
            self.errors.first.last_mut().filter(|error| error.code == ErrorCode::InvalidLength)
        {
            error.detail.push_str("; ");
            error.detail.push_str(remark);
        }
    }

    /// Checks the length of the caller's name for the row.
    pub(super) fn id(&mut self, id: Option<&str>) {
        let length = id.map_or(0, |id| id.chars().count());
        if length > MAX_ID_CHARS {
            let detail = format!("the id has {length} characters; up to {MAX_ID_CHARS} are accepted");
            self.error("id", ErrorCode::IdTooLong, detail);
        }
    }

    /// Notes what the caller should know of a row that is answered.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Reads a miRNA: its letters, turned round where they were sent 3'→5', or, where the server knows names, its name or
    /// accession. Letters that are a known miRNA backwards are warned of.
    pub(super) fn mirna(&mut self, field: &str, text: &str, turned: bool) -> Option<Rna> {
        let Some(mirbase) = self.answerer.mirbase.clone() else {
            return self.sequence(field, text, MIRNA_LENGTHS).map(|rna| self.turned(field, rna, turned));
        };
        if let Some(found) = mirbase.find(text) {
            // A name has no direction.
            self.warn(format!("{field}: {} is {}", found.name, found.rna));
            return self.sequence(field, &found.rna.to_string(), MIRNA_LENGTHS);
        }
        let Some(rna) = self.sequence(field, text, MIRNA_LENGTHS) else {
            if let Some(error) = self.errors.first.last_mut() {
                let meant = mirbase
                    .meant(text)
                    .map_or_else(String::new, |found| format!("; did you mean {}?", found.name));
                error.detail.push_str(&format!(
                    "; nor is it a name or an accession of this server's mature.fa{meant}"
                ));
            }
            return None;
        };
        let rna = self.turned(field, rna, turned);
        if let Some(found) = mirbase.reversed(&rna) {
            self.warn(format!("{field}: read backwards it is {}; was it written 3'→5'?", found.name));
        }
        Some(rna)
    }

    fn turned(&mut self, field: &str, rna: Rna, turned: bool) -> Rna {
        if !turned {
            return rna;
        }
        self.warn(format!("{field}: sent 3'→5', turned round"));
        rna.iter().rev().copied().collect()
    }

    /// Reads a transcript, which may be masked: who asks looks at parts of it, and skips what is not known.
    pub(super) fn transcript(
        &mut self,
        field: &str,
        text: &str,
        lengths: RangeInclusive<usize>,
    ) -> Option<Rna> {
        match Rna::parse(text, lengths.clone()) {
            Err(ParseError::TooLittleKnown { .. }) => {
                self.warn(format!("{field}: fewer than half of its letters are known"));
                Rna::trusted(text.trim(), lengths).ok()
            }
            _ => self.sequence(field, text, lengths),
        }
    }

    /// Reads a sequence; unknown letters become a warning.
    pub(super) fn sequence(
        &mut self,
        field: &str,
        text: &str,
        lengths: RangeInclusive<usize>,
    ) -> Option<Rna> {
        match Rna::parse(text, lengths) {
            Ok((rna, unknown)) => {
                self.warnings.extend(unknown.map(|unknown| format!("{field}: {unknown}")));
                Some(rna)
            }
            Err(error) => {
                self.errors.push(FieldError::sequence(format!("{}/{field}", self.pointer), &error));
                None
            }
        }
    }
}

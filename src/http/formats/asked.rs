//! What the URL of a scoring request asks for.

use axum::http::Uri;
use serde_json::Value;
use utoipa::IntoParams;

use super::media::Format;
use crate::http::problem::{Problem, shown};
use crate::http::query;
use crate::http::rows::{ScoringEndpoint, Settings};

/// What stands in the URL. Beside these, `column.FIELD=NAME` says which column, or field, of the caller's holds FIELD.
#[derive(Clone, Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// `name` or `name@version`; left out, the default model answers. A JSON request may name it in its body instead.
    #[param(required = false)]
    pub model: Option<String>,
    // No example of its own: the page of documents would send it with every request that is tried out.
    /// For a table without a header line: the names of the columns, between commas, as in `mirna,site,label`.
    #[param(required = false, value_type = String)]
    pub header: Option<Vec<String>>,
    /// Columns, or fields, that are not known are given back: as columns `input.NAME`, or in the result's object `input`.
    #[param(required = false)]
    pub keep_columns: bool,
    /// Fields and the names that the caller has for them.
    #[param(ignore)]
    pub columns: Vec<(String, String)>,
    /// The miRNAs are written 3'→5'.
    #[param(ignore)]
    pub three_to_five: bool,
    /// What the request says of all its rows.
    #[param(ignore)]
    pub settings: Vec<(&'static str, Value)>,
    /// Where transcription starts in the records of a FASTA file, or in the rows of a table without such a column.
    #[param(ignore)]
    pub tss: Option<u64>,
}

impl Asked {
    /// Reads the query.
    ///
    /// # Errors
    /// 400 for a name that is not known, stands there twice, or has a value that it cannot have.
    pub(crate) fn read<S: ScoringEndpoint>(uri: &Uri) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in query::pairs(uri)? {
            match name.as_str() {
                "model" if S::TASK.is_some() => asked.model = Some(value),
                "header" => {
                    if value.trim().is_empty() {
                        return Err(bad("header= is empty: name the columns, between commas"));
                    }
                    asked.header = Some(value.split(',').map(|name| name.trim().to_owned()).collect());
                }
                "keep_columns" => asked.keep_columns = flag(&name, &value)?,
                "mirna_direction" if S::kind("mirna").is_some() => {
                    asked.three_to_five = match value.as_str() {
                        "5to3" => false,
                        "3to5" => true,
                        _ => return Err(bad("mirna_direction has to be 5to3 or 3to5")),
                    };
                }
                "tss" if S::FASTA.is_some() && S::kind("tss").is_some() => {
                    let tss = value.parse().map_err(|_| bad("tss has to be a whole number, 0 or more"))?;
                    asked.tss = Some(tss);
                }
                _ if let Some(known) = S::Settings::NAMES.iter().find(|known| **known == name) => {
                    asked.settings.push((known, value.into()));
                }
                _ => match name.strip_prefix("column.") {
                    Some(field) if S::kind(field).is_some() => {
                        if value.is_empty() {
                            return Err(bad(&format!("column.{field}= is empty: name the column")));
                        }
                        if let Some((other, _)) = asked.columns.iter().find(|(_, theirs)| *theirs == value) {
                            return Err(bad(&format!(
                                "column.{other} and column.{field} name the same column, {value:?}"
                            )));
                        }
                        asked.columns.push((field.to_owned(), value));
                    }
                    Some(field) => {
                        let known = S::names();
                        return Err(bad(&format!("column.{field} names no field; there is: {known}")));
                    }
                    None => return Err(query::unknown(&name, &Self::known::<S>())),
                },
            }
        }
        Ok(asked)
    }

    /// Refuses what would change nothing in a body of this format.
    pub(crate) fn suits(&self, format: Format) -> Result<(), Problem> {
        let is_table = matches!(format, Format::Table(_));
        let is_fasta = format == Format::Fasta;
        if self.header.is_some() && !is_table {
            return Err(bad("header= names the columns of a table; this body is none: leave it out"));
        }
        if self.tss.is_some() && !is_table && !is_fasta {
            return Err(bad(
                "tss= is of FASTA files and of tables; in JSON each row has its own: leave it out",
            ));
        }
        if is_fasta && (self.keep_columns || !self.columns.is_empty()) {
            return Err(bad("a FASTA file has no columns: leave keep_columns and column.FIELD out"));
        }
        Ok(())
    }

    /// The field that a column, or a field of the caller's, holds.
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        match self.columns.iter().find(|(_, theirs)| theirs == name) {
            Some((field, _)) => Some(field),
            // Their own column of that name is another thing then.
            None if self.columns.iter().any(|(field, _)| field == name) => None,
            None => Some(name),
        }
    }

    /// The caller's name for a field, where the URL says one.
    pub(crate) fn theirs(&self, field: &str) -> Option<&str> {
        self.columns.iter().find(|(ours, _)| ours == field).map(|(_, theirs)| theirs.as_str())
    }

    /// Whether a JSON row is as it is when nothing is asked for.
    pub(crate) fn is_plain(&self) -> bool {
        self.columns.is_empty() && !self.keep_columns
    }

    fn known<S: ScoringEndpoint>() -> Vec<&'static str> {
        let mut known: Vec<&str> = S::TASK.map(|_| "model").into_iter().collect();
        known.extend(["header", "keep_columns", "column.FIELD"]);
        known.extend(S::kind("mirna").map(|_| "mirna_direction"));
        known.extend(S::FASTA.and(S::kind("tss")).map(|_| "tss"));
        known.extend(S::Settings::NAMES);
        known
    }
}

/// Yes or no, as a URL may say it.
pub(crate) fn flag(name: &str, value: &str) -> Result<bool, Problem> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(bad(&format!("{name} has to be true or false; this is {}", shown(value)))),
    }
}

fn bad(detail: &str) -> Problem {
    Problem::BadHeader(detail.to_owned())
}

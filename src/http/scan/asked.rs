//! What the URL and the headers of a scan ask for.

use axum::http::{HeaderMap, Uri, header};
use utoipa::IntoParams;

use crate::http::formats::{flag, negotiate};
use crate::http::problem::Problem;
use crate::http::query;
use crate::scan::{Look, TableFormat};

const MIN_PROBABILITY: f32 = 0.98;

/// What stands in the URL. A JSON request may have the same in its body, but for the format.
#[derive(Clone, Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// The binding model, `name` or `name@version`; left out, the default.
    #[param(required = false)]
    pub model: Option<String>,
    /// The model of repression, likewise.
    #[param(required = false)]
    pub repression_model: Option<String>,
    /// Also look for sites without a canonical seed match.
    #[param(required = false, value_type = bool)]
    pub seedless: Option<bool>,
    /// Least binding probability of those, from 0 to 1.
    #[param(required = false, value_type = f32)]
    pub min_probability: Option<f32>,
    /// Whether sites are told one by one, or only the transcripts' scores.
    #[param(required = false, value_type = bool)]
    pub sites: Option<bool>,
    /// In place of `Accept`: `json`, `ndjson`, `tsv`, `csv`, `bed` or `gff3`.
    #[param(required = false, value_type = String)]
    pub format: Option<Wanted>,
}

/// A format of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Json,
    Lines,
    Table(TableFormat),
}

/// What a body is.
#[derive(Clone, Debug)]
pub(super) enum Sent {
    Json,
    /// Parts, with this boundary between them.
    Form(String),
}

/// Names for `?format=`, and media types: the first of a format is its own.
const FORMATS: [(&str, &str, Wanted); 9] = [
    ("json", "application/json", Wanted::Json),
    ("ndjson", "application/x-ndjson", Wanted::Lines),
    ("ndjson", "application/ndjson", Wanted::Lines),
    ("tsv", "text/tab-separated-values", Wanted::Table(TableFormat::Delimited(b'\t'))),
    ("csv", "text/csv", Wanted::Table(TableFormat::Delimited(b','))),
    ("bed", "text/x-bed", Wanted::Table(TableFormat::Bed)),
    ("bed", "text/bed", Wanted::Table(TableFormat::Bed)),
    ("gff3", "text/x-gff3", Wanted::Table(TableFormat::Gff3)),
    ("gff3", "text/gff3", Wanted::Table(TableFormat::Gff3)),
];

impl Wanted {
    /// Whether it is a table of sites: warnings stand beside scores.
    pub(super) fn has_no_warnings(self, sites: bool) -> bool {
        match self {
            Self::Json | Self::Lines => false,
            Self::Table(TableFormat::Delimited(_)) => sites,
            Self::Table(TableFormat::Bed | TableFormat::Gff3) => true,
        }
    }

    /// The media type that a reply of this format has.
    pub(super) fn media_type(self) -> &'static str {
        FORMATS.iter().find(|format| format.2 == self).map_or("application/json", |format| format.1)
    }
}

impl Asked {
    /// Reads the query.
    ///
    /// # Errors
    /// 400 for a name that is not known, stands there twice, or has a value that it cannot have.
    pub(super) fn read(uri: &Uri) -> Result<Self, Problem> {
        let mut asked = Self::default();
        for (name, value) in query::pairs(uri)? {
            match name.as_str() {
                "model" => asked.model = Some(value),
                "repression_model" => asked.repression_model = Some(value),
                "seedless" => asked.seedless = Some(flag(&name, &value)?),
                "sites" => asked.sites = Some(flag(&name, &value)?),
                "min_probability" => {
                    let number = value.parse().ok().filter(|number| (0.0..=1.0).contains(number));
                    asked.min_probability = Some(number.ok_or_else(|| bad(PROBABILITY))?);
                }
                "format" => {
                    let found = FORMATS.iter().find(|format| value.eq_ignore_ascii_case(format.0));
                    let unknown = || bad("format has to be json, ndjson, tsv, csv, bed or gff3");
                    asked.format = Some(found.ok_or_else(unknown)?.2);
                }
                _ => {
                    const KNOWN: [&str; 6] =
                        ["model", "repression_model", "seedless", "min_probability", "sites", "format"];
                    return Err(query::unknown(&name, &KNOWN));
                }
            }
        }
        Ok(asked)
    }

    /// What the body is, and what the reply is to be.
    pub(super) fn formats(&self, headers: &HeaderMap) -> Result<(Sent, Wanted), Problem> {
        let text =
            headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = text.split(';').next().unwrap_or_default().trim();
        let sent = match essence.to_ascii_lowercase().as_str() {
            "application/json" => Sent::Json,
            "multipart/form-data" => Sent::Form(
                multer::parse_boundary(text)
                    .map_err(|_| bad("Content-Type is multipart/form-data without a boundary"))?,
            ),
            _ => return Err(Problem::ScanType(essence.to_owned())),
        };
        let wanted = match self.format {
            Some(wanted) => wanted,
            None => {
                let have: Vec<&'static str> = FORMATS.iter().map(|format| format.1).collect();
                let named = negotiate(headers, &have).ok_or(Problem::NotAcceptable)?;
                FORMATS.iter().find(|format| format.1 == named).map_or(Wanted::Json, |format| format.2)
            }
        };
        let asks_for_sites = matches!(wanted, Wanted::Table(TableFormat::Bed | TableFormat::Gff3));
        if asks_for_sites && self.sites == Some(false) {
            return Err(bad("BED and GFF3 are of sites: leave sites=false out, or ask for another format"));
        }
        Ok((sent, wanted))
    }

    /// How to look.
    pub(super) fn look(&self) -> Look {
        Look {
            seedless: self.seedless.unwrap_or(false),
            min_probability: self.min_probability.unwrap_or(MIN_PROBABILITY),
            sites: self.sites.unwrap_or(true),
        }
    }
}

/// What a probability has to be.
pub(super) const PROBABILITY: &str = "min_probability has to be a number from 0 to 1";

fn bad(detail: &str) -> Problem {
    Problem::BadHeader(detail.to_owned())
}

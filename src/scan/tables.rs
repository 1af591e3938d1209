//! Sites and scores as tables: TSV, CSV, BED and GFF3.

use std::fmt::Write;

use serde::Serialize;

use super::found::{Site, SiteKind, TranscriptScore};

/// What was found of a miRNA on a transcript, as a line of JSON.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// The transcript's score.
    pub transcript: &'a TranscriptScore,
    /// The sites, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sites: Option<&'a [Site]>,
    /// Which line this is of how many, for whoever waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub done: Option<usize>,
    /// How many there will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<usize>,
}

/// A format of a table of sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFormat {
    /// A column for each field, with a line of names.
    Delimited(u8),
    /// BED6: the score is a thousand times the binding probability.
    Bed,
    /// GFF3, with a line that says so.
    Gff3,
}

/// A table of sites in the making.
#[derive(Debug)]
pub struct SiteTable(pub TableFormat);

const COLUMNS: [&str; 12] = [
    "mirna",
    "transcript",
    "kind",
    "site_type",
    "start",
    "end",
    "window_start",
    "window_end",
    "probability",
    "repression",
    "mfe_kcal_per_mol",
    "pairing",
];

impl SiteTable {
    /// What stands before the first site.
    pub fn header(&self) -> String {
        match self.0 {
            TableFormat::Delimited(delimiter) => line(delimiter, COLUMNS.map(str::to_owned)),
            TableFormat::Bed => String::new(),
            TableFormat::Gff3 => "##gff-version 3\n".to_owned(),
        }
    }

    /// A site's line.
    pub fn row(&self, site: &Site) -> String {
        match self.0 {
            TableFormat::Delimited(delimiter) => line(delimiter, cells(site)),
            TableFormat::Bed => format!(
                "{}\t{}\t{}\t{}:{}\t{}\t+\n",
                site.transcript,
                site.start,
                site.end,
                site.mirna,
                site.site_type,
                (1000.0 * site.probability.unwrap_or(0.0)).round()
            ),
            TableFormat::Gff3 => gff3(site),
        }
    }
}

fn kind(site: &Site) -> &'static str {
    match site.kind {
        SiteKind::Canonical => "canonical",
        SiteKind::Seedless => "seedless",
    }
}

fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn cells(site: &Site) -> [String; 12] {
    [
        site.mirna.to_string(),
        site.transcript.to_string(),
        kind(site).to_owned(),
        site.site_type.to_owned(),
        site.start.to_string(),
        site.end.to_string(),
        site.window[0].to_string(),
        site.window[1].to_string(),
        optional(site.probability),
        optional(site.repression),
        optional(site.mfe_kcal_per_mol),
        site.pairing.clone().unwrap_or_default(),
    ]
}

/// The names of a score's columns.
pub fn transcript_header(delimiter: u8) -> String {
    let names = [
        "mirna",
        "transcript",
        "repression_score",
        "rank_score",
        "canonical_sites",
        "weak_sites",
        "seedless_sites",
        "best_probability",
        "warnings",
    ];
    line(delimiter, names.map(str::to_owned))
}

/// A score's line.
pub fn transcript_row(delimiter: u8, score: &TranscriptScore) -> String {
    line(
        delimiter,
        [
            score.mirna.to_string(),
            score.transcript.to_string(),
            score.repression_score.to_string(),
            score.rank_score.to_string(),
            score.canonical_sites.to_string(),
            score.weak_sites.to_string(),
            optional(score.seedless_sites),
            optional(score.best_probability),
            score.warnings.join("; "),
        ],
    )
}

fn line<const N: usize>(delimiter: u8, cells: [String; N]) -> String {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    writer.write_record(&cells).expect("a line of memory takes what it is given");
    let bytes = writer.into_inner().expect("a line of memory takes what it is given");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Positions from 1, the end included.
fn gff3(site: &Site) -> String {
    let mut attributes =
        format!("miRNA={};site_type={};kind={}", escaped(&site.mirna), site.site_type, kind(site));
    let numbers =
        [("repression", optional(site.repression)), ("mfe_kcal_per_mol", optional(site.mfe_kcal_per_mol))];
    for (name, value) in numbers.iter().filter(|(_, value)| !value.is_empty()) {
        // A string takes all of it.
        let _ = write!(attributes, ";{name}={value}");
    }
    let score = site.probability.map_or_else(|| ".".to_owned(), |probability| probability.to_string());
    let (id, start, end) = (escaped(&site.transcript), site.start + 1, site.end);
    format!("{id}\tmirador\tmiRNA_target_site\t{start}\t{end}\t{score}\t+\t.\t{attributes}\n")
}

/// As GFF3 wants it: what separates there, and what is not printable, by its number.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'.'
            | b':'
            | b'^'
            | b'*'
            | b'$'
            | b'@'
            | b'!'
            | b'+'
            | b'_'
            | b'?'
            | b'-'
            | b'|' => escaped.push(char::from(byte)),
            // A string takes all of it.
            _ => drop(write!(escaped, "%{byte:02X}")),
        }
    }
    escaped
}

//! Settings of the commands that need no server.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};

use super::NetworkConfig;
use crate::scan::TableFormat;

/// Settings of `mirador scan`.
#[derive(Args, Clone, Debug)]
pub struct ScanConfig {
    /// Networks and device.
    #[command(flatten)]
    pub network: NetworkConfig,
    /// miRNAs: FASTA, plain or gzip
    #[arg(long, value_name = "FASTA")]
    pub mirnas: PathBuf,
    /// 3'UTRs: FASTA, plain, gzip or bgzip
    #[arg(long, value_name = "FASTA")]
    pub transcripts: PathBuf,
    /// Where the result goes. Until it is whole it is OUT.part; a run that was ended goes on there
    #[arg(long)]
    pub out: PathBuf,
    /// Format of the result [default: by the end of its name, else tsv]
    #[arg(long)]
    pub format: Option<ScanFormat>,
    /// Also look for sites without a canonical seed match
    #[arg(long)]
    pub seedless: bool,
    /// Least binding probability of those
    #[arg(long, default_value = "0.98", value_parser = probability)]
    pub min_probability: f32,
    /// Only the transcripts' scores, not their sites
    #[arg(long)]
    pub scores_only: bool,
    /// The binding model, name or name@version [default: as the server]
    #[arg(long)]
    pub model: Option<String>,
    /// The model of repression, likewise
    #[arg(long)]
    pub repression_model: Option<String>,
    /// Part i of n of the transcripts, as i/n: the results of all parts, one behind the other, are the whole result
    #[arg(long, default_value = "1/1")]
    pub shard: Shard,
    /// Cores [default: all]
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// miRBase's mature.fa: then a record may hold a name or an accession in place of letters
    #[arg(long, env = "MIRADOR_MIRBASE", value_name = "FASTA")]
    pub mirbase: Option<PathBuf>,
}

/// Formats of `mirador scan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScanFormat {
    /// Sites, a column for each field.
    Tsv,
    /// Sites, the fields between commas.
    Csv,
    /// A JSON object for each miRNA on each transcript.
    Ndjson,
    /// Sites as BED6.
    Bed,
    /// Sites as GFF3.
    Gff3,
    /// Genes with the rank score of their best transcript, in the five columns of FuNmiRBench.
    Funmirbench,
}

impl ScanFormat {
    /// The table of sites that it is, if it is one.
    pub fn table(self) -> Option<TableFormat> {
        match self {
            Self::Tsv => Some(TableFormat::Delimited(b'\t')),
            Self::Csv => Some(TableFormat::Delimited(b',')),
            Self::Bed => Some(TableFormat::Bed),
            Self::Gff3 => Some(TableFormat::Gff3),
            Self::Ndjson | Self::Funmirbench => None,
        }
    }
}

/// Part `index`, from 1, of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

impl FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers =
            text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Self { index, of }),
            _ => Err("it is i/n, with i from 1 to n, as in 3/8"),
        }
    }
}

fn probability(text: &str) -> Result<f32, &'static str> {
    text.parse().ok().filter(|number| (0.0..=1.0).contains(number)).ok_or("it is a number from 0 to 1")
}

/// Settings of `mirador score`, `classify` and `predict`.
#[derive(Args, Clone, Debug)]
pub struct RowsConfig {
    /// Networks and device.
    #[command(flatten)]
    pub network: NetworkConfig,
    /// Rows: .csv, .tsv, .json, .ndjson, of hairpins and promoters also .fa; .gz behind it where it is compressed
    #[arg(long)]
    pub input: PathBuf,
    /// Where the answers go: .csv, .tsv, .json or .ndjson; of lines of JSON, .ndjson
    #[arg(long)]
    pub out: PathBuf,
    /// Who answers, name or name@version [default: as the server]
    #[arg(long)]
    pub model: Option<String>,
    /// What the URL of a request could say, as in column.mirna=noncodingRNA, keep_columns=true, mirna_direction=3to5;
    /// repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    pub set: Vec<(String, String)>,
    /// Cores [default: all]
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or("it is NAME=VALUE")
}

fn all_cores(threads: Option<NonZeroUsize>) -> usize {
    threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get)
}

impl ScanConfig {
    /// The format that is asked for, or that the result's name says.
    pub fn format(&self) -> ScanFormat {
        let end = self.out.extension().and_then(|end| end.to_str()).unwrap_or_default();
        self.format.unwrap_or_else(|| match end.to_ascii_lowercase().as_str() {
            "csv" => ScanFormat::Csv,
            "ndjson" | "jsonl" => ScanFormat::Ndjson,
            "bed" => ScanFormat::Bed,
            "gff" | "gff3" => ScanFormat::Gff3,
            _ => ScanFormat::Tsv,
        })
    }

    /// Cores to use.
    pub fn threads(&self) -> usize {
        all_cores(self.threads)
    }
}

impl RowsConfig {
    /// Cores to use.
    pub fn threads(&self) -> usize {
        all_cores(self.threads)
    }
}

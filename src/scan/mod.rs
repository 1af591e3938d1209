//! miRNAs against whole transcripts: where the sites are, and what the transcript's score is. No HTTP and no files here:
//! whoever scans looks at the letters ([`look`]), has the windows scored, and is told what was found ([`Looked::judge`]).
//!
//! Two kinds of hits are told apart and never added up: canonical ones, which are found by their letters and of which
//! repression is summed, and seedless ones, which only a network finds.

mod found;
mod look;
mod tables;

pub use found::{Scanned, Site, SiteKind, TranscriptScore};
pub use look::{Look, Looked, look};
pub use tables::{Line, SiteTable, TableFormat, transcript_header, transcript_row};

use std::sync::Arc;

use mirna::Rna;

/// Letters of a window before the six of a canonical site.
const BEFORE: usize = 30;
/// Letters of a window.
const WINDOW: usize = 50;
/// Windows that are looked through for seedless sites begin so many letters apart.
const STRIDE: usize = 25;
/// A network reads no shorter window.
const SHORTEST: usize = 6;

/// A miRNA or isomiR.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The caller's name for it; one word.
    pub id: Arc<str>,
    /// 5'→3'.
    pub letters: Rna,
    /// What was assumed in reading it.
    pub warnings: Vec<String>,
}

/// A 3'UTR, or a whole mRNA.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The caller's name for it; one word.
    pub id: Arc<str>,
    /// 5'→3'.
    pub letters: Rna,
    /// Where the 3'UTR begins; 0 where there is nothing before it.
    pub cds_end: usize,
    /// What was assumed in reading it.
    pub warnings: Vec<String>,
}

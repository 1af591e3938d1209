//! What mRNA level do this promoter, this transcript and these miRNAs imply?

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use mirna::Rna;
use serde::{Deserialize, Serialize};

/// Lengths of a promoter sequence, nt.
pub const PROMOTER_LENGTHS: RangeInclusive<usize> = 1..=20_000;

/// The input. A network's output is log10 of the expression, in the unit that its card names.
#[derive(Clone, Debug, PartialEq)]
pub struct Gene {
    /// Around the start of transcription, sense strand, 5'→3'. Thymine is written as uracil: one alphabet inside.
    pub promoter: Rna,
    /// 0-based index of the transcription start in `promoter`.
    pub tss: usize,
    /// What is known of the transcript's stability.
    pub half_life: HalfLife,
    /// miRNAs that target this gene and their level, see [`Scale::MIRNA_LEVEL`](super::scale::Scale::MIRNA_LEVEL).
    pub mirnas: BTreeMap<String, f32>,
}

/// Features of the transcript by name; `None` is unknown. Units: lengths and density as log10(x + 0.1), x in nt or in
/// exons per kb of coding sequence; GC contents as shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HalfLife {
    /// log10 length of the 5'UTR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utr5_length: Option<f32>,
    /// log10 length of the coding sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cds_length: Option<f32>,
    /// log10 length of all introns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intron_length: Option<f32>,
    /// log10 length of the 3'UTR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utr3_length: Option<f32>,
    /// GC share of the 5'UTR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utr5_gc: Option<f32>,
    /// GC share of the coding sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cds_gc: Option<f32>,
    /// GC share of the 3'UTR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utr3_gc: Option<f32>,
    /// log10 of exons per kb of coding sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orf_exon_density: Option<f32>,
    /// Measured half-life, scaled to mean 0 and variance 1 over genes (Saluki's scale).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measured: Option<f32>,
}

/// A field of [`HalfLife`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HalfLifeFeature {
    /// See [`HalfLife::utr5_length`]; the others likewise.
    Utr5Length,
    /// Coding sequence, length.
    CdsLength,
    /// Introns, length.
    IntronLength,
    /// 3'UTR, length.
    Utr3Length,
    /// 5'UTR, GC share.
    Utr5Gc,
    /// Coding sequence, GC share.
    CdsGc,
    /// 3'UTR, GC share.
    Utr3Gc,
    /// Exons per kb of coding sequence.
    OrfExonDensity,
    /// Measured half-life.
    Measured,
}

impl HalfLifeFeature {
    /// The eight features of Xpresso, in its order.
    pub const XPRESSO: [Self; 8] = [
        Self::Utr5Length,
        Self::CdsLength,
        Self::IntronLength,
        Self::Utr3Length,
        Self::Utr5Gc,
        Self::CdsGc,
        Self::Utr3Gc,
        Self::OrfExonDensity,
    ];

    /// Its name in requests and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utr5Length => "utr5_length",
            Self::CdsLength => "cds_length",
            Self::IntronLength => "intron_length",
            Self::Utr3Length => "utr3_length",
            Self::Utr5Gc => "utr5_gc",
            Self::CdsGc => "cds_gc",
            Self::Utr3Gc => "utr3_gc",
            Self::OrfExonDensity => "orf_exon_density",
            Self::Measured => "measured",
        }
    }

    /// Its value for a gene.
    pub fn of(self, half_life: &HalfLife) -> Option<f32> {
        match self {
            Self::Utr5Length => half_life.utr5_length,
            Self::CdsLength => half_life.cds_length,
            Self::IntronLength => half_life.intron_length,
            Self::Utr3Length => half_life.utr3_length,
            Self::Utr5Gc => half_life.utr5_gc,
            Self::CdsGc => half_life.cds_gc,
            Self::Utr3Gc => half_life.utr3_gc,
            Self::OrfExonDensity => half_life.orf_exon_density,
            Self::Measured => half_life.measured,
        }
    }
}

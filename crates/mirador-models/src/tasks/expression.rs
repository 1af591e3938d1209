//! What mRNA level do this promoter, this transcript and these miRNAs imply?

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut, RangeInclusive};

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

/// A feature of the transcript. Units: lengths and density as log10(x + 0.1), x in nt or in exons per kb of coding
/// sequence; GC contents as fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HalfLifeFeature {
    /// log10 length of the 5'UTR.
    Utr5Length,
    /// log10 length of the coding sequence.
    CdsLength,
    /// log10 length of all introns.
    IntronLength,
    /// log10 length of the 3'UTR.
    Utr3Length,
    /// GC fraction of the 5'UTR.
    Utr5Gc,
    /// GC fraction of the coding sequence.
    CdsGc,
    /// GC fraction of the 3'UTR.
    Utr3Gc,
    /// log10 of exons per kb of coding sequence.
    OrfExonDensity,
    /// Measured half-life, scaled to mean 0 and variance 1 over genes (Saluki's scale).
    Measured,
}

impl HalfLifeFeature {
    /// All, in the order of their columns: Xpresso's eight, then the measured half-life.
    pub const ALL: [Self; 9] = [
        Self::Utr5Length,
        Self::CdsLength,
        Self::IntronLength,
        Self::Utr3Length,
        Self::Utr5Gc,
        Self::CdsGc,
        Self::Utr3Gc,
        Self::OrfExonDensity,
        Self::Measured,
    ];

    /// The name in requests and files.
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
}

/// What is known of a transcript's features; in files an object of those that are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "BTreeMap<HalfLifeFeature, f32>", from = "BTreeMap<HalfLifeFeature, f32>")]
pub struct HalfLife([Option<f32>; HalfLifeFeature::ALL.len()]);

impl Index<HalfLifeFeature> for HalfLife {
    type Output = Option<f32>;
    fn index(&self, feature: HalfLifeFeature) -> &Option<f32> {
        &self.0[feature as usize]
    }
}

impl IndexMut<HalfLifeFeature> for HalfLife {
    fn index_mut(&mut self, feature: HalfLifeFeature) -> &mut Option<f32> {
        &mut self.0[feature as usize]
    }
}

impl FromIterator<(HalfLifeFeature, f32)> for HalfLife {
    fn from_iter<I: IntoIterator<Item = (HalfLifeFeature, f32)>>(known: I) -> Self {
        let mut half_life = Self::default();
        known.into_iter().for_each(|(feature, value)| half_life[feature] = Some(value));
        half_life
    }
}

impl From<BTreeMap<HalfLifeFeature, f32>> for HalfLife {
    fn from(known: BTreeMap<HalfLifeFeature, f32>) -> Self {
        known.into_iter().collect()
    }
}

impl From<HalfLife> for BTreeMap<HalfLifeFeature, f32> {
    fn from(half_life: HalfLife) -> Self {
        HalfLifeFeature::ALL.into_iter().filter_map(|feature| Some((feature, half_life[feature]?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_lie_in_the_order_of_their_list_and_go_by_name() {
        for (place, feature) in HalfLifeFeature::ALL.into_iter().enumerate() {
            assert_eq!(feature as usize, place);
            let known: HalfLife = [(feature, 0.5)].into_iter().collect();
            let text = format!(r#"{{"{}":0.5}}"#, feature.name());
            assert_eq!(serde_json::to_string(&known).unwrap(), text);
            assert_eq!(serde_json::from_str::<HalfLife>(&text).unwrap(), known);
        }
    }
}

//! What a number of the expression task may be: its unit, the range that makes sense, and the likely mistake outside it.

use std::ops::RangeInclusive;

use super::expression::HalfLifeFeature;

/// A quantity's unit and range.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    /// The quantity, to begin a sentence with.
    subject: &'static str,
    unit: Unit,
    /// What can be.
    pub accepted: RangeInclusive<f64>,
    /// What the training genes had, where that is known and narrower.
    pub trained: Option<RangeInclusive<f64>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// log10(x + 0.1) of what is counted so.
    Log10(&'static str),
    Share,
    /// Over genes.
    ZScore,
    Level,
}

/// log10(0 + 0.1) as someone's own logarithm may have it.
const LEAST_LOG10: f64 = -1.000_001;

impl Scale {
    /// Level of a miRNA: 1 for a miRNA that targets the gene in the shipped versions, whose training genes had nothing
    /// else; log10(mean reads + 0.1) where a version is trained on that: from no read to ten million.
    pub const MIRNA_LEVEL: Self =
        Self { subject: "the miRNA's level", unit: Unit::Level, accepted: LEAST_LOG10..=7.0, trained: None };

    /// Scale of a feature of the transcript. Upper ends lie above the longest of any human gene: coding sequence 108,000 nt (titin),
    /// introns 2.5 million nt, 3'UTR 33,000 nt, 5'UTR some 10,000 nt; exons are no shorter than 10 nt.
    pub fn of(feature: HalfLifeFeature) -> Self {
        let (subject, unit, accepted) = match feature {
            HalfLifeFeature::Utr5Length => ("the length of the 5'UTR", Unit::Log10("nt"), LEAST_LOG10..=4.5),
            HalfLifeFeature::CdsLength => {
                ("the length of the coding sequence", Unit::Log10("nt"), LEAST_LOG10..=5.1)
            }
            HalfLifeFeature::IntronLength => {
                ("the length of all introns", Unit::Log10("nt"), LEAST_LOG10..=6.5)
            }
            HalfLifeFeature::Utr3Length => ("the length of the 3'UTR", Unit::Log10("nt"), LEAST_LOG10..=4.6),
            HalfLifeFeature::Utr5Gc => ("the GC content of the 5'UTR", Unit::Share, 0.0..=1.0),
            HalfLifeFeature::CdsGc => ("the GC content of the coding sequence", Unit::Share, 0.0..=1.0),
            HalfLifeFeature::Utr3Gc => ("the GC content of the 3'UTR", Unit::Share, 0.0..=1.0),
            HalfLifeFeature::OrfExonDensity => {
                ("the exon density", Unit::Log10("exons per kb"), LEAST_LOG10..=2.0)
            }
            HalfLifeFeature::Measured => ("the measured half-life", Unit::ZScore, -6.0..=6.0),
        };
        // Saluki's 10,977 human genes have -3.56 to 3.78.
        let trained = (feature == HalfLifeFeature::Measured).then_some(-3.6..=3.8);
        Self { subject, unit, accepted, trained }
    }

    /// Why a number cannot be, in words with the unit, the range and the remedy.
    pub fn refusal(&self, value: f64) -> Option<String> {
        if self.accepted.contains(&value) {
            return None;
        }
        let (least, most) = (self.accepted.start().round(), self.accepted.end());
        let unit = match self.unit {
            Unit::Log10(counted) => format!("log10({counted} + 0.1)"),
            Unit::Share => "a share".to_owned(),
            Unit::ZScore => "a z-score over genes".to_owned(),
            Unit::Level => {
                "1 where the miRNA targets the gene, or as the model's card says log10(reads + 0.1)"
                    .to_owned()
            }
        };
        let (subject, written) = (self.subject, short(value));
        let mistake = self.mistake(value).map_or_else(String::new, |mistake| format!("; {mistake}"));
        Some(format!("{subject} is out of range at {written}: it is {unit}, from {least} to {most}{mistake}"))
    }

    /// What the number looks like.
    fn mistake(&self, value: f64) -> Option<String> {
        let logarithm =
            |counted: &str| format!("{} {counted} are {:.2}", short(value), (value + 0.1).log10());
        match self.unit {
            Unit::Log10(counted) if value > 0.0 => Some(logarithm(counted)),
            Unit::Level if value > 0.0 => Some(logarithm("reads")),
            Unit::Log10(_) | Unit::Level => Some("a z-score is not read here".to_owned()),
            Unit::Share if (1.0..=100.0).contains(&value) => {
                Some(format!("not percent: {} % is {}", short(value), (value / 100.0) as f32))
            }
            Unit::ZScore if value > 0.0 => Some(format!("{} looks like minutes or hours", short(value))),
            Unit::Share | Unit::ZScore => None,
        }
    }
}

/// A number in few characters.
fn short(value: f64) -> String {
    if value != 0.0 && !(1e-6..1e9).contains(&value.abs()) { format!("{value:e}") } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_unit_range_and_likely_mistake() {
        let said =
            |feature: HalfLifeFeature, value: f64| Scale::of(feature).refusal(value).unwrap_or_default();
        for (found, expected) in [
            (
                said(HalfLifeFeature::Measured, 720.0),
                "the measured half-life is out of range at 720: it is a z-score over genes, from -6 to 6; 720 looks like \
                 minutes or hours",
            ),
            (
                said(HalfLifeFeature::Utr5Length, 210.0),
                "the length of the 5'UTR is out of range at 210: it is log10(nt + 0.1), from -1 to 4.5; 210 nt are 2.32",
            ),
            (
                said(HalfLifeFeature::Utr5Gc, 61.0),
                "the GC content of the 5'UTR is out of range at 61: it is a share, from 0 to 1; not percent: 61 % is 0.61",
            ),
            (
                Scale::MIRNA_LEVEL.refusal(800.0).unwrap(),
                "the miRNA's level is out of range at 800: it is 1 where the miRNA targets the gene, or as the model's \
                 card says log10(reads + 0.1), from -1 to 7; 800 reads are 2.90",
            ),
            (said(HalfLifeFeature::CdsLength, (0.0_f64 + 0.1).log10()), ""),
            (said(HalfLifeFeature::Utr3Gc, 1.0), ""),
        ] {
            assert_eq!(found, expected);
        }
        assert!(said(HalfLifeFeature::IntronLength, 1e300).contains("out of range at 1e300:"));
    }

    #[test]
    fn raw_values_of_human_genes_are_refused_and_their_logarithms_are_not() {
        // Shortest, median and longest: UTRs, coding sequences and introns in nt, exons per kb.
        for (feature, raw) in [
            (HalfLifeFeature::Utr5Length, [6.0, 130.0, 9_000.0]),
            (HalfLifeFeature::CdsLength, [60.0, 1_200.0, 107_976.0]),
            (HalfLifeFeature::IntronLength, [30.0, 20_000.0, 2_470_000.0]),
            (HalfLifeFeature::Utr3Length, [8.0, 900.0, 33_000.0]),
            (HalfLifeFeature::OrfExonDensity, [3.4, 6.0, 20.0]),
        ] {
            for value in raw {
                assert_eq!(
                    Scale::of(feature).refusal((value + 0.1_f64).log10()),
                    None,
                    "{feature:?} {value}"
                );
                assert_eq!(Scale::of(feature).refusal(value).is_some(), value > 2.0, "{feature:?} {value}");
            }
        }
    }
}

//! `golden.json`: inputs and the outputs that training saw for them.

use std::collections::BTreeMap;

use mirna::{ParseError, Rna};
use serde::{Deserialize, Serialize};

use crate::tasks::expression::{Gene, HalfLife, PROMOTER_LENGTHS};
use crate::tasks::pre_mirna::PreMirna;
use crate::tasks::repression::{TRANSCRIPT_LENGTHS, Targeted};
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};
use crate::tasks::{Input, pre_mirna, probability};
use crate::{LoadError, Replica, device};

/// How far an output may lie from its golden value, relative to 1 + |output|; a probability must agree to a tenth of it.
pub const GOLDEN_TOLERANCE: f32 = 1e-4;
/// That tolerance where the user wants products of rounded factors (`--precision tf32`).
const ROUNDED_TOLERANCE: f32 = 2e-2;

/// The cases of one version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Golden {
    cases: Vec<Case>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Case {
    #[serde(flatten)]
    row: Row,
    output: f32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Row {
    Pair { mirna: String, site: String },
    PreMirna { sequence: String },
    Targeted { mirna: String, utr: String },
    Gene { promoter: String, tss: usize, half_life_features: HalfLife, mirnas: BTreeMap<String, f32> },
}

impl Golden {
    /// What `replica` says of these rows.
    pub fn record(replica: &Replica, rows: &[Input]) -> Self {
        let cases =
            replica.score(rows).into_iter().zip(rows).map(|(output, row)| Case { row: row.into(), output });
        Self { cases: cases.collect() }
    }

    /// The largest difference, relative to 1 + |output|. Fails at the first row for which `replica` says something else,
    /// alone or in a batch with the others.
    ///
    /// # Errors
    /// Also where there is no case: then nothing tells whether the network does what it should.
    pub fn verify(&self, replica: &Replica) -> Result<f32, LoadError> {
        let rounds = device::rounds(replica.store.device());
        let tolerance = if rounds { ROUNDED_TOLERANCE } else { GOLDEN_TOLERANCE };
        if self.cases.is_empty() {
            return Err(LoadError::NoGolden);
        }
        let parse = |(case, golden): (usize, &Case)| {
            golden.row.parse().map_err(|error| LoadError::GoldenInput { case, error })
        };
        let rows: Vec<Input> = self.cases.iter().enumerate().map(parse).collect::<Result<_, _>>()?;
        let mut largest = 0.0f32;
        let alone: Vec<f32> = rows.chunks(1).flat_map(|row| replica.score(row)).collect();
        for outputs in [alone, replica.score(&rows)] {
            for (case, (&got, golden)) in outputs.iter().zip(&self.cases).enumerate() {
                let expected = golden.output;
                let difference = (got - expected).abs() / (1.0 + expected.abs());
                // What is not a number is near nothing.
                let near = difference <= tolerance
                    && (probability(got) - probability(expected)).abs() <= tolerance / 10.0;
                if !near {
                    return Err(LoadError::Golden { case, got, expected });
                }
                largest = largest.max(difference);
            }
        }
        Ok(largest)
    }
}

impl Row {
    fn parse(&self) -> Result<Input, ParseError> {
        Ok(match self {
            Row::Pair { mirna, site } => {
                Pair { mirna: Rna::trusted(mirna, MIRNA_LENGTHS)?, site: Rna::trusted(site, SITE_LENGTHS)? }
                    .into()
            }
            Row::Targeted { mirna, utr } => Targeted {
                mirna: Rna::trusted(mirna, MIRNA_LENGTHS)?,
                utr: Rna::trusted(utr, TRANSCRIPT_LENGTHS)?,
            }
            .into(),
            Row::PreMirna { sequence } => {
                PreMirna { sequence: Rna::trusted(sequence, pre_mirna::LENGTHS)? }.into()
            }
            Row::Gene { promoter, tss, half_life_features, mirnas } => Gene {
                promoter: Rna::trusted(promoter, PROMOTER_LENGTHS)?,
                tss: *tss,
                half_life: *half_life_features,
                mirnas: mirnas.clone(),
            }
            .into(),
        })
    }
}

impl From<&Input> for Row {
    fn from(input: &Input) -> Self {
        match input {
            Input::Pair(pair) => Row::Pair { mirna: pair.mirna.to_string(), site: pair.site.to_string() },
            Input::PreMirna(hairpin) => Row::PreMirna { sequence: hairpin.sequence.to_string() },
            Input::Targeted(targeted) => {
                Row::Targeted { mirna: targeted.mirna.to_string(), utr: targeted.utr.to_string() }
            }
            Input::Gene(gene) => Row::Gene {
                promoter: gene.promoter.to_string(),
                tss: gene.tss,
                half_life_features: gene.half_life,
                mirnas: gene.mirnas.clone(),
            },
        }
    }
}

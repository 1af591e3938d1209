//! Sites that were predicted from seed matches and confirmed as targets of a gene: miRAW and DeepMirTar, as miTAR and
//! DeepmiRNATar publish them.

use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;

use super::{Labelled, MitarFile, Tally, deepmirnatar, mitar, positives, without_genes};

/// How a gene of miRAW is named, and none of DeepMirTar.
pub const MIRAW_GENE: &str = "ENSG";

/// The positives of both, and the tests that their networks publish.
pub struct PredictedSites {
    /// Positives of miRAW, and of DeepMirTar.
    pub positives: [Vec<Pair>; 2],
    /// Positives of miTAR's and miRAW's independent tests, the 48 of PAR-CLIP, and DeepmiRNATar's test.
    pub tests: Vec<Labelled>,
}

impl PredictedSites {
    /// Reads the files of miTAR and DeepmiRNATar.
    pub fn read(data: &Path, tally: &mut Tally) -> Result<Self> {
        let (miraw, deepmirtar): (Vec<_>, Vec<_>) = mitar(data, MitarFile::Both, tally)?
            .into_iter()
            .partition(|(gene, _)| gene.starts_with(MIRAW_GENE));
        let mut tests = deepmirnatar(data, "test", false, tally)?;
        for file in [MitarFile::DeepMirTarIndependent, MitarFile::MirawIndependent, MitarFile::Parclip] {
            tests.extend(without_genes(mitar(data, file, tally)?));
        }
        tests.retain(|(_, label)| *label);
        let miraw = [miraw, mitar(data, MitarFile::MirawRest, tally)?].concat();
        let deepmirtar = [deepmirtar, mitar(data, MitarFile::DeepMirTar, tally)?].concat();
        Ok(Self { positives: [miraw, deepmirtar].map(|rows| positives(without_genes(rows))), tests })
    }
}

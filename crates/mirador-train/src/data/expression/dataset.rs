//! The file that `prepare` writes for expression.
//!
//! Tab-separated, with a header; an empty field is unknown:
//!
//! | column | meaning |
//! |---|---|
//! | `ensg`, `symbol`, `chromosome` | the gene |
//! | `split` | `train`, `validation` or `test` |
//! | `promoter`, `tss` | letters of the sense strand, 5'→3', and the 0-based index of the start of transcription |
//! | `utr5_length` … `measured` | half-life features, in the units of [`HalfLife`] |
//! | `target_mirnas` | `name=score;…`, the miRNAs that target the gene; the score is the lower the stronger the target (TargetScan's cumulative weighted context++ score). `name=score@level` also gives the miRNA's level, log10(mean reads + 0.1), which is 1 where it is left out |
//! | `published_promoter_only` | the published Xpresso's prediction from 10.5 kb, as a floor |
//! | `level` | log10 of the expression: the target |

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::expression::{Gene, HalfLife, PROMOTER_LENGTHS};
use mirna::Rna;
use serde::{Deserialize, Serialize};

use crate::data::tsv;

/// Which part of the data a gene belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Seen by the optimiser.
    Train,
    /// Chooses the epoch and the seed.
    Validation,
    /// Measures the result.
    Test,
}

/// One gene.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Ensembl id without version.
    pub ensg: String,
    /// May be empty.
    pub symbol: String,
    /// Without `chr`.
    pub chromosome: String,
    /// Part of the data.
    pub split: Split,
    /// What a network reads.
    pub gene: Gene,
    /// How strongly each miRNA targets the gene: the lower, the stronger.
    pub target_scores: BTreeMap<String, f32>,
    /// The published Xpresso's prediction.
    pub published: Option<f64>,
    /// log10 of the expression.
    pub level: f32,
}

/// The same without nesting: csv cannot flatten.
#[derive(Serialize, Deserialize)]
struct Record {
    ensg: String,
    symbol: String,
    chromosome: String,
    split: Split,
    promoter: String,
    tss: usize,
    utr5_length: Option<f32>,
    cds_length: Option<f32>,
    intron_length: Option<f32>,
    utr3_length: Option<f32>,
    utr5_gc: Option<f32>,
    cds_gc: Option<f32>,
    utr3_gc: Option<f32>,
    orf_exon_density: Option<f32>,
    measured: Option<f32>,
    target_mirnas: String,
    published_promoter_only: Option<f64>,
    level: f32,
}

/// Reads a file that [`write()`] wrote; a wrong row is named.
pub fn read(path: &Path) -> Result<Vec<Example>> {
    tsv::read(path, |record: Record| {
        let promoter = Rna::trusted(&record.promoter, PROMOTER_LENGTHS).context("promoter")?;
        ensure!(record.tss < promoter.len(), "tss {} lies outside the promoter", record.tss);
        ensure!(record.level.is_finite(), "level {} is not finite", record.level);
        let targets = parse_targets(&record.target_mirnas)?;
        let half_life = HalfLife {
            utr5_length: record.utr5_length,
            cds_length: record.cds_length,
            intron_length: record.intron_length,
            utr3_length: record.utr3_length,
            utr5_gc: record.utr5_gc,
            cds_gc: record.cds_gc,
            utr3_gc: record.utr3_gc,
            orf_exon_density: record.orf_exon_density,
            measured: record.measured,
        };
        let mirnas = targets.iter().map(|(name, (_, level))| (name.clone(), *level)).collect();
        Ok(Example {
            ensg: record.ensg,
            symbol: record.symbol,
            chromosome: record.chromosome,
            split: record.split,
            gene: Gene { promoter, tss: record.tss, half_life, mirnas },
            target_scores: targets.into_iter().map(|(name, (score, _))| (name, score)).collect(),
            published: record.published_promoter_only,
            level: record.level,
        })
    })
}

/// Writes the file; the same rows give the same bytes.
pub fn write(path: &Path, rows: &[Example]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    for Example { ensg, symbol, chromosome, split, gene, target_scores, published, level } in rows {
        let targets = target_scores.iter().map(|(name, score)| match gene.mirnas.get(name) {
            Some(level) if *level != 1.0 => format!("{name}={score}@{level}"),
            _ => format!("{name}={score}"),
        });
        let HalfLife {
            utr5_length,
            cds_length,
            intron_length,
            utr3_length,
            utr5_gc,
            cds_gc,
            utr3_gc,
            orf_exon_density,
            measured,
        } = gene.half_life;
        writer.serialize(Record {
            ensg: ensg.clone(),
            symbol: symbol.clone(),
            chromosome: chromosome.clone(),
            split: *split,
            promoter: gene.promoter.to_string(),
            tss: gene.tss,
            utr5_length,
            cds_length,
            intron_length,
            utr3_length,
            utr5_gc,
            cds_gc,
            utr3_gc,
            orf_exon_density,
            measured,
            target_mirnas: targets.collect::<Vec<_>>().join(";"),
            published_promoter_only: *published,
            level: *level,
        })?;
    }
    Ok(writer.flush()?)
}

/// Score and level of each miRNA.
pub fn parse_targets(text: &str) -> Result<BTreeMap<String, (f32, f32)>> {
    let entry = |entry: &str| {
        let (name, numbers) =
            entry.split_once('=').with_context(|| format!("{entry:?} is not name=score"))?;
        let (score, level) = numbers.split_once('@').unwrap_or((numbers, "1"));
        let number =
            |text: &str| text.trim().parse().with_context(|| format!("{text:?} in {entry:?} is no number"));
        Ok((name.trim().to_owned(), (number(score)?, number(level)?)))
    };
    text.split(';').filter(|entry| !entry.trim().is_empty()).map(entry).collect()
}

/// The promoter cut to `length` letters with the start at `tss`; `None` where it is too short.
pub fn cut(gene: &Gene, length: usize, tss: usize) -> Option<Gene> {
    let first = gene.tss.checked_sub(tss)?;
    let promoter = Rna::from(gene.promoter.get(first..first + length)?);
    Some(Gene { promoter, tss, ..gene.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let half_life = HalfLife { cds_gc: Some(0.25), measured: Some(-1.5), ..HalfLife::default() };
        let gene = Gene {
            promoter: "ACGUN".parse().unwrap(),
            tss: 3,
            half_life,
            mirnas: [("hsa-miR-1-3p".to_owned(), 1.0), ("hsa-miR-7-5p".to_owned(), 2.5)].into(),
        };
        let row = Example {
            ensg: "ENSG1".into(),
            symbol: String::new(),
            chromosome: "X".into(),
            split: Split::Validation,
            gene,
            target_scores: [("hsa-miR-1-3p".to_owned(), -2.0), ("hsa-miR-7-5p".to_owned(), -0.5)].into(),
            published: None,
            level: -1.0,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("expression.tsv");
        write(&path, std::slice::from_ref(&row)).unwrap();
        assert_eq!(read(&path).unwrap(), [row]);
    }
}

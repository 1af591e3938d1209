//! The file that `prepare` writes for expression.
//!
//! Tab-separated, with a header; an empty field is unknown:
//!
//! | column | meaning |
//! |---|---|
//! | `ensg`, `symbol`, `chromosome` | the gene |
//! | `split` | `train`, `validation` or `test` |
//! | `promoter`, `tss` | letters of the sense strand, 5'→3', and the 0-based index of the start of transcription |
//! | `utr5_length` … `measured` | half-life features, in the units of [`HalfLifeFeature`] |
//! | `target_mirnas` | `name=score;…`, the miRNAs that target the gene; the score is the lower the stronger the target (TargetScan's cumulative weighted context++ score). `name=score@level` also gives the miRNA's level, log10(mean reads + 0.1), which is 1 where it is left out |
//! | `published_promoter_only` | the published Xpresso's prediction from 10.5 kb, as a baseline |
//! | `level` | log10 of the expression: the target |

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::expression::{Gene, HalfLife, HalfLifeFeature, PROMOTER_LENGTHS};
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

/// The columns before the half-life features, and those after them.
const GENE: [&str; 6] = ["ensg", "symbol", "chromosome", "split", "promoter", "tss"];
const REST: [&str; 3] = ["target_mirnas", "published_promoter_only", "level"];

/// The columns that no feature is.
#[derive(Deserialize)]
struct Record {
    ensg: String,
    symbol: String,
    chromosome: String,
    split: Split,
    promoter: String,
    tss: usize,
    target_mirnas: String,
    published_promoter_only: Option<f64>,
    level: f32,
}

/// Reads a file that [`write()`] wrote; a wrong row is named.
pub fn read(path: &Path) -> Result<Vec<Example>> {
    tsv::read_with_header(path, |header, fields| {
        let record: Record = fields.deserialize(Some(header))?;
        let promoter = Rna::trusted(&record.promoter, PROMOTER_LENGTHS).context("promoter")?;
        ensure!(record.tss < promoter.len(), "tss {} lies outside the promoter", record.tss);
        ensure!(record.level.is_finite(), "level {} is not finite", record.level);
        let targets = parse_targets(&record.target_mirnas)?;
        let mut half_life = HalfLife::default();
        for feature in HalfLifeFeature::ALL {
            let column = header.iter().position(|name| name == feature.name());
            let field = fields.get(column.context(feature.name())?).filter(|field| !field.is_empty());
            half_life[feature] = field.map(str::parse).transpose().context(feature.name())?;
        }
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
    let features = HalfLifeFeature::ALL.map(HalfLifeFeature::name);
    writer.write_record(GENE.iter().chain(&features).chain(&REST))?;
    for Example { ensg, symbol, chromosome, split, gene, target_scores, published, level } in rows {
        let targets = target_scores.iter().map(|(name, score)| match gene.mirnas.get(name) {
            Some(level) if *level != 1.0 => format!("{name}={score}@{level}"),
            _ => format!("{name}={score}"),
        });
        writer.serialize((
            (ensg, symbol, chromosome, split, gene.promoter.to_string(), gene.tss),
            HalfLifeFeature::ALL.map(|feature| gene.half_life[feature]),
            (targets.collect::<Vec<_>>().join(";"), published, level),
        ))?;
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
        let half_life =
            [(HalfLifeFeature::CdsGc, 0.25), (HalfLifeFeature::Measured, -1.5)].into_iter().collect();
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

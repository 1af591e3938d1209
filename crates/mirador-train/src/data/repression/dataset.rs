//! The dataset: a row for each gene, with its 3'UTR and three columns for each experiment, and beside it a table of the
//! experiments.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::repression::TRANSCRIPT_LENGTHS;
use mirador_models::tasks::target_site::MIRNA_LENGTHS;
use mirna::Rna;
use serde::{Deserialize, Serialize};

use crate::data::tsv;

/// A gene with its 3'UTR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gene {
    /// Accession.
    pub id: String,
    /// Symbol; may be empty.
    pub symbol: String,
    /// The 3'UTR, 5'→3'.
    pub utr: Rna,
}

/// What was done to the miRNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There is more of it: its targets go down.
    OverExpression,
    /// It is missing: its targets go up.
    KnockOut,
}

impl Kind {
    /// How much a log2 fold change speaks for repression.
    pub fn repression(self, change: f64) -> f64 {
        match self {
            Self::OverExpression => -change,
            Self::KnockOut => change,
        }
    }
}

/// What became of one gene in one experiment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// log2 fold change.
    pub raw: f64,
    /// The change less the gene's median over the series' experiments of other groups, where the series has many.
    pub centred: f64,
    /// False discovery rate, where it was given.
    pub fdr: Option<f64>,
}

/// One miRNA, over-expressed or knocked out.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// What it is.
    pub about: About,
    /// One for each gene; `None` where the gene was not tested.
    pub changes: Vec<Option<Change>>,
}

/// A row of the table of experiments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Name of the experiment.
    pub id: String,
    /// Name of the miRNA.
    pub mirna: String,
    /// Letters of the miRNA, 5'→3'.
    pub sequence: String,
    /// miRNAs of one group have a seed in common: they are left out together.
    pub group: String,
    /// What was done.
    pub kind: Kind,
    /// Experiments of one series share their controls.
    pub series: String,
}

impl About {
    /// The miRNA.
    pub fn rna(&self) -> Result<Rna> {
        Rna::trusted(&self.sequence, MIRNA_LENGTHS).with_context(|| format!("{}: sequence", self.id))
    }
}

/// Genes and experiments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// Rows of every experiment.
    pub genes: Vec<Gene>,
    /// In their own order.
    pub experiments: Vec<Experiment>,
}

/// The table of experiments beside a dataset.
pub fn experiments_beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    path.with_file_name(format!("{stem}_experiments.tsv"))
}

/// The columns before those of experiments.
const GENE: [&str; 3] = ["gene", "symbol", "utr"];

/// An experiment's columns.
fn columns(id: &str) -> [String; 3] {
    ["log2_fold_change", "centred", "fdr"].map(|name| format!("{id} {name}"))
}

/// Writes both files; the same data give the same bytes.
pub fn write(path: &Path, dataset: &Dataset) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let writer = |path: &Path| csv::WriterBuilder::new().delimiter(b'\t').from_path(path);
    let mut table = writer(&experiments_beside(path))?;
    dataset.experiments.iter().try_for_each(|experiment| table.serialize(&experiment.about))?;
    table.flush()?;
    let mut table = writer(path)?;
    let of_experiments = dataset.experiments.iter().flat_map(|experiment| columns(&experiment.about.id));
    table.write_record(GENE.map(str::to_owned).into_iter().chain(of_experiments))?;
    for (row, gene) in dataset.genes.iter().enumerate() {
        let changes = dataset.experiments.iter().flat_map(|experiment| {
            let change = experiment.changes[row];
            let values = [
                change.map(|change| change.raw),
                change.map(|change| change.centred),
                change.and_then(|change| change.fdr),
            ];
            values.map(|value| value.map_or_else(String::new, |value| value.to_string()))
        });
        let of_gene = [gene.id.clone(), gene.symbol.clone(), gene.utr.to_string()];
        table.write_record(of_gene.into_iter().chain(changes))?;
    }
    Ok(table.flush()?)
}

/// Reads what [`write()`] wrote; a wrong row is named with its field.
pub fn read(path: &Path) -> Result<Dataset> {
    let about = tsv::read(&experiments_beside(path), |about: About| {
        about.rna()?;
        Ok(about)
    })?;
    let mut experiments: Vec<Experiment> =
        about.into_iter().map(|about| Experiment { about, changes: Vec::new() }).collect();
    let genes = tsv::read_with_header(path, |header, fields| {
        let field = |name: &str| -> Result<&str> {
            let column = header.iter().position(|column| column == name);
            column.and_then(|column| fields.get(column)).with_context(|| format!("no column {name:?}"))
        };
        let number = |name: &str| -> Result<Option<f64>> {
            let field = Some(field(name)?).filter(|field| !field.is_empty());
            let value: Option<f64> =
                field.map(str::parse).transpose().with_context(|| format!("{name} {field:?}"))?;
            ensure!(value.is_none_or(f64::is_finite), "{name} {field:?} is not finite");
            Ok(value)
        };
        for experiment in &mut experiments {
            let [raw, centred, fdr] = columns(&experiment.about.id);
            let (changes, fdr) = (number(&raw)?.zip(number(&centred)?), number(&fdr)?);
            experiment.changes.push(changes.map(|(raw, centred)| Change { raw, centred, fdr }));
        }
        let [id, symbol, utr] = [field(GENE[0])?, field(GENE[1])?, field(GENE[2])?];
        let utr = Rna::trusted(utr, TRANSCRIPT_LENGTHS).context("utr")?;
        Ok(Gene { id: id.to_owned(), symbol: symbol.to_owned(), utr })
    })?;
    Ok(Dataset { genes, experiments })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let gene =
            |id: &str, utr: &str| Gene { id: id.into(), symbol: String::new(), utr: utr.parse().unwrap() };
        let experiment = |id: &str, kind, changes: [Option<Change>; 2]| {
            let about = About {
                id: id.into(),
                mirna: "hsa-let-7a-5p".into(),
                sequence: "UGAGGUAGUAGGUUGUAUAGUU".into(),
                group: "let-7".into(),
                kind,
                series: "one".into(),
            };
            Experiment { about, changes: changes.to_vec() }
        };
        let change = Change { raw: -0.5, centred: -0.25, fdr: Some(1e-7) };
        let dataset = Dataset {
            genes: vec![gene("A", "ACGUN"), gene("B", "CUACCUCA")],
            experiments: vec![
                experiment("over", Kind::OverExpression, [Some(change), None]),
                experiment("out", Kind::KnockOut, [None, Some(Change { fdr: None, ..change })]),
            ],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("repression.tsv");
        write(&path, &dataset).unwrap();
        assert_eq!(read(&path).unwrap(), dataset);
        assert_eq!((Kind::OverExpression.repression(-0.5), Kind::KnockOut.repression(-0.5)), (0.5, -0.5));
    }
}

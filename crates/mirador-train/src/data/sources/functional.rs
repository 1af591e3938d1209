//! Over-expressed and knocked-out miRNAs: what became of each gene's mRNA, and the genes' 3'UTRs. Traps: experiments of one
//! series share a control, so that a gene goes up or down under every miRNA alike (hence a second table, centred); genes
//! were not tested everywhere; repeats are masked by N; experiments that are outliers stand among the others.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::repression::TRANSCRIPT_LENGTHS;
use mirador_models::tasks::target_site::MIRNA_LENGTHS;
use mirna::{Base, Rna};
use serde::Deserialize;

use super::{Tally, read_fasta};
use crate::data::tsv;

const FOLDER: &str = "functional";
const UTRS: &str = "utrs.fa.gz";

/// A gene with its 3'UTR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionalGene {
    /// Accession.
    pub id: String,
    /// Symbol; may be empty.
    pub symbol: String,
    /// The 3'UTR, 5'→3'.
    pub utr: Rna,
}

/// One column of the tables.
#[derive(Clone, Debug, Deserialize)]
pub struct FunctionalExperiment {
    /// Name of the column.
    pub id: String,
    /// Name of the miRNA.
    pub mirna: String,
    /// Letters of the miRNA.
    pub sequence: String,
    /// miRNAs of one group have a seed in common.
    pub group: String,
    /// OE or KO.
    #[serde(rename = "type")]
    pub kind: String,
    /// −1 where the miRNA is over-expressed, 1 where it is missing.
    repression_sign: i8,
    /// Experiments of one series share their controls.
    #[serde(rename = "gse")]
    pub series: String,
    flag: String,
}

/// A value for each experiment, by gene.
type Table = HashMap<String, Vec<Option<f64>>>;

/// The public files.
pub struct Functional {
    /// Genes in the order of their file.
    pub genes: Vec<FunctionalGene>,
    /// Experiments that are no outliers.
    pub experiments: Vec<FunctionalExperiment>,
    /// log2 fold changes.
    pub changes: Table,
    /// Those less the gene's median over the series' experiments of other groups.
    pub centred: Table,
    /// False discovery rates.
    pub fdr: Table,
}

impl Functional {
    /// The genes alone.
    pub fn genes(data: &Path) -> Result<Vec<FunctionalGene>> {
        read_genes(&data.join(FOLDER).join(UTRS))
    }

    /// The 3'UTRs alone.
    pub fn utrs(data: &Path) -> Result<Vec<Rna>> {
        Ok(Self::genes(data)?.into_iter().map(|gene| gene.utr).collect())
    }

    /// Reads all files.
    pub fn read(data: &Path, tally: &mut Tally) -> Result<Self> {
        let folder = data.join(FOLDER);
        let genes = read_genes(&folder.join(UTRS))?;
        let letters: usize = genes.iter().map(|gene| gene.utr.len()).sum();
        let masked: usize =
            genes.iter().map(|gene| gene.utr.iter().filter(|base| **base == Base::N).count()).sum();
        tally.count(genes.len(), "genes with a 3'UTR");
        tally.count(
            masked,
            format!("of their {letters} letters are masked repeats (N): they pair with nothing"),
        );
        let all = tsv::read(&folder.join("experiments.tsv"), |row: FunctionalExperiment| {
            let sign = if row.kind == "KO" { 1 } else { -1 };
            ensure!(["OE", "KO"].contains(&row.kind.as_str()), "type {:?} is neither OE nor KO", row.kind);
            ensure!(row.repression_sign == sign, "repression_sign {} of {}", row.repression_sign, row.kind);
            Rna::trusted(&row.sequence, MIRNA_LENGTHS).context("sequence")?;
            Ok(row)
        })?;
        let (experiments, outliers): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|row| row.flag != "outlier");
        tally.count(outliers.len(), "experiments are outliers: not read");
        let table = |name: &str| read_table(&folder.join(name), &experiments);
        let (changes, centred, fdr) =
            (table("lfc.tsv.gz")?, table("lfc_centred.tsv.gz")?, table("fdr.tsv.gz")?);
        Ok(Self { genes, experiments, changes, centred, fdr })
    }
}

/// Genes of a FASTA file: the header's first word is the accession, its second the symbol.
pub fn read_genes(path: &Path) -> Result<Vec<FunctionalGene>> {
    let gene = |(header, letters): (String, String)| {
        let mut words = header.split_whitespace();
        let id = words.next().context("a header without a name")?.to_owned();
        let symbol = words.next().unwrap_or_default().to_owned();
        let utr = Rna::trusted(&letters, TRANSCRIPT_LENGTHS).with_context(|| id.clone())?;
        Ok(FunctionalGene { id, symbol, utr })
    };
    let genes: Result<Vec<FunctionalGene>> = read_fasta(path)?.into_iter().map(gene).collect();
    genes.with_context(|| path.display().to_string())
}

/// The columns of these experiments; a blank was not tested.
fn read_table(path: &Path, experiments: &[FunctionalExperiment]) -> Result<Table> {
    let rows = tsv::read_with_header(path, |header, fields| {
        let value = |experiment: &FunctionalExperiment| {
            let column = header.iter().position(|name| name == experiment.id);
            let field = fields.get(column.with_context(|| format!("no column {}", experiment.id))?);
            let field = field.filter(|field| !field.is_empty());
            field.map(str::parse).transpose().with_context(|| experiment.id.clone())
        };
        let values: Result<Vec<Option<f64>>> = experiments.iter().map(value).collect();
        Ok((fields[0].to_owned(), values?))
    })?;
    Ok(rows.into_iter().collect())
}

//! `mirador-train prepare`: public files, or one's own, → one dataset.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;

use crate::data::{expression, files, prepare, repression};

/// What to prepare.
#[derive(Args, Debug)]
pub(super) struct Prepare {
    /// The dataset. target-sites: chimeric reads for bias-free training and the two bias-corrected tests;
    /// all-target-sites: these and predicted sites; teaching-pairs, taught-pairs: pairs for miRBind2 to label, and labelled
    /// by it; mitar, mitar-…, deepmirnatar: the papers' own rows
    /// (deepmirnatar-raw leaves some miRNAs 3'→5', as published); pre-mirnas: hairpins; expression: genes; repression:
    /// over-expressed miRNAs
    #[arg(value_parser = prepare::names())]
    what: String,
    /// Folder of the public files, laid out TASK/OWNER+REPOSITORY/FILE
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// The dataset file [default: data/ and the name with underscores]
    #[arg(long)]
    out: Option<PathBuf>,
    /// For expression, in place of the public files: a genome's FASTA
    #[arg(long, requires = "annotation", requires = "expression")]
    genome: Option<PathBuf>,
    /// The genome's GTF
    #[arg(long, requires = "genome")]
    annotation: Option<PathBuf>,
    /// A TSV with columns gene, level (log10) and, if wanted, split and target_mirnas
    #[arg(long, requires = "genome")]
    expression: Option<PathBuf>,
    /// For repression, beside the public experiments: a TSV with columns id, mirna, sequence, table and, if wanted, kind
    /// (over_expression or knock_out), group and series. A table is a TSV with columns gene, log2_fold_change and fdr, or
    /// as edgeR, DESeq2 and limma name them
    #[arg(long)]
    experiments: Option<PathBuf>,
    /// A FASTA of 3'UTRs whose headers begin with the gene: --experiments then stand alone
    #[arg(long, requires = "experiments")]
    utrs: Option<PathBuf>,
}

impl Prepare {
    /// Writes the dataset.
    pub(super) fn run(self) -> Result<()> {
        let Self { what, data, out, genome, annotation, expression: levels, experiments, utrs } = self;
        let out = out.unwrap_or_else(|| files::file(&what));
        if let Some(((genome, gtf), levels)) = genome.zip(annotation).zip(levels) {
            if what != "expression" {
                bail!("--genome is for `prepare expression`");
            }
            return files::log(&out, &expression::own(&genome, &gtf, &levels, &out)?);
        }
        if let Some(list) = experiments {
            if what != "repression" {
                bail!("--experiments is for `prepare repression`");
            }
            return files::log(&out, &repression::own(utrs.as_deref(), &list, &data, &out)?);
        }
        prepare::prepare(&what, &data, &out)
    }
}

//! Public tables, or a genome with its annotation and a table of levels → dataset files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mirador_models::sha256;

use super::dataset::{Example, Split, cut, write};
use super::permutation::permute_targets;
use crate::data::sources::{Tally, XpressoGene, human_promoters, mirtarbase};

/// Lengths of the datasets with one length of promoter, and the start of transcription in it.
const WINDOWS: [(usize, usize); 2] = [(86, 49), (300, 249)];

/// Seed of the control with permuted targets.
const SEED: u64 = 1;

/// Writes `out` with the longest known promoter of each gene, and beside it one file for each length that many genes
/// have, `…_86.tsv` and `…_300.tsv`, and the control `…_permuted.tsv` with permuted targets. Returns what was done, in
/// words.
pub fn public(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let genes = human_promoters(data, &mut tally)?;
    let targets = mirtarbase(data, &mut tally)?;
    let example = |gene: XpressoGene| {
        let target_scores = targets.get(&gene.symbol).cloned().unwrap_or_default();
        example(gene, target_scores)
    };
    let genes: Vec<Example> = genes.into_iter().map(example).collect::<Result<_>>()?;
    let targeted = genes.iter().filter(|row| !row.target_scores.is_empty()).count();
    tally.count(
        targeted,
        "genes have such a pair; every miRNA's level is 1, the score minus the number of papers",
    );
    for (length, tss) in WINDOWS {
        let with = |row: &Example| Some(Example { gene: cut(&row.gene, length, tss)?, ..row.clone() });
        let genes: Vec<Example> = genes.iter().filter_map(with).collect();
        finish(&beside(out, &length.to_string()), &genes, tally.clone())?;
    }
    let mut permuted = genes.clone();
    permute_targets(&mut permuted, SEED);
    finish(&beside(out, "permuted"), &permuted, tally.clone())?;
    finish(out, &genes, tally)
}

/// A gene with its miRNAs, each at level 1.
fn example(gene: XpressoGene, target_scores: BTreeMap<String, f32>) -> Result<Example> {
    let XpressoGene { ensg, symbol, chromosome, split, mut gene, published, level } = gene;
    let split = match split.as_str() {
        "train" => Split::Train,
        "valid" => Split::Validation,
        "test" => Split::Test,
        other => bail!("{ensg}: split {other:?}"),
    };
    gene.mirnas = target_scores.keys().map(|name| (name.clone(), 1.0)).collect();
    Ok(Example { ensg, symbol, chromosome, split, gene, target_scores, published, level })
}

/// Writes a dataset and, beside it, what was done.
pub(super) fn finish(out: &Path, genes: &[Example], mut tally: Tally) -> Result<Vec<String>> {
    write(out, genes)?;
    let chromosomes: BTreeSet<&str> = genes.iter().map(|row| row.chromosome.as_str()).collect();
    tally.count(genes.len(), format!("genes of {} chromosomes in {}", chromosomes.len(), out.display()));
    tally.0.push(format!("SHA-256 {}", sha256(out)?));
    std::fs::write(out.with_extension("log"), tally.0.join("\n"))?;
    Ok(tally.0)
}

fn beside(out: &Path, kind: &str) -> PathBuf {
    let stem = out.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    out.with_file_name(format!("{stem}_{kind}.tsv"))
}

//! Public tables, or a genome with its annotation and a table of levels → dataset files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use mirador_models::sha256;

use super::dataset::{Example, Split, cut, write};
use super::permutation::permute_targets;
use crate::data::sources::{Tally, XpressoGene, human_promoters, mirtarbase, tumour_levels};

/// Lengths of the datasets with one length of promoter, and the start of transcription in it: the one that most genes have,
/// and a longer one.
const COMMON: (usize, usize) = (86, 49);
const LONG: (usize, usize) = (300, 249);

/// Seed of the controls with permuted targets.
const SEED: u64 = 1;

/// Writes `out` with the longest known promoter of each gene, and beside it one file for each length that many genes
/// have, `…_86.tsv` and `…_300.tsv`; of the genes with 86 nt also one with each tissue's level in place of the median's,
/// `…_86_luad.tsv`, and its control with permuted targets, `…_86_luad_permuted.tsv`. Returns what was done, in words.
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
    finish(&beside(out, &LONG.0.to_string()), &in_window(&genes, LONG), tally.clone())?;
    let common = in_window(&genes, COMMON);
    let name = COMMON.0.to_string();
    finish(&beside(out, &name), &common, tally.clone())?;
    for (tissue, levels) in tumour_levels(data)? {
        let level = |row: &Example| Some(Example { level: *levels.get(&row.ensg)?, ..row.clone() });
        let genes: Vec<Example> = common.iter().filter_map(level).collect();
        let mut tally = tally.clone();
        tally.count(genes.len(), format!("genes with a promoter of {name} nt have a level in {tissue}"));
        with_control(out, &format!("{name}_{tissue}"), genes, &tally)?;
    }
    finish(out, &genes, tally)
}

/// The genes whose promoter fills a window, cut to it.
fn in_window(genes: &[Example], (length, tss): (usize, usize)) -> Vec<Example> {
    let in_it = |row: &Example| Some(Example { gene: cut(&row.gene, length, tss)?, ..row.clone() });
    genes.iter().filter_map(in_it).collect()
}

/// Writes a dataset, and the same genes with permuted targets.
fn with_control(out: &Path, kind: &str, mut genes: Vec<Example>, tally: &Tally) -> Result<()> {
    finish(&beside(out, kind), &genes, tally.clone())?;
    permute_targets(&mut genes, SEED);
    let mut tally = tally.clone();
    tally.0.push("the pairs of genes and miRNAs are permuted: a control".to_owned());
    finish(&beside(out, &format!("{kind}_permuted")), &genes, tally)?;
    Ok(())
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

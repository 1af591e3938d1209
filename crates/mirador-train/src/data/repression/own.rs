//! Tables of differential expression of one's own → the dataset, alone or beside the public experiments.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::dataset::{About, Change, Dataset, Experiment, Gene, Kind};
use super::groups::{centred_series, median_change, share_a_seed};
use super::prepare::{finish, gene, of_public};
use crate::data::sources::{Tally, read_genes};
use crate::data::tsv;

/// One line of the list of experiments: the first four columns are needed.
#[derive(Deserialize)]
struct Listed {
    id: String,
    mirna: String,
    sequence: String,
    /// A file; a relative name is looked for beside the list.
    table: PathBuf,
    /// Left out: over-expression.
    kind: Option<Kind>,
    /// Left out: by the seed.
    group: Option<String>,
    /// Left out: a series of its own.
    series: Option<String>,
}

/// One line of a table, with the names that edgeR, DESeq2 and limma give its columns.
#[derive(Deserialize)]
struct Line {
    gene: String,
    #[serde(alias = "logFC", alias = "log2FoldChange")]
    log2_fold_change: String,
    #[serde(alias = "FDR", alias = "padj", alias = "adj.P.Val")]
    fdr: String,
}

/// Writes `out` from a list of experiments (columns `id`, `mirna`, `sequence`, `table` and, if wanted, `kind`, `group` and
/// `series`) and their tables (`gene`, `log2_fold_change`, `fdr`). With a FASTA of 3'UTRs (the header's first word is the
/// gene) they stand alone; without it they join the public experiments and have their genes. Returns what was done, in
/// words; what is wrong with a row names it with its field.
pub fn own(utrs: Option<&Path>, list: &Path, data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let mut dataset = match utrs {
        Some(fasta) => {
            let genes: Vec<Gene> = read_genes(fasta)?.into_iter().map(gene).collect();
            tally.count(genes.len(), "genes with a 3'UTR");
            Dataset { genes, experiments: Vec::new() }
        }
        None => of_public(data, &mut tally)?,
    };
    let at: HashMap<&str, usize> =
        dataset.genes.iter().enumerate().map(|(row, gene)| (gene.id.as_str(), row)).collect();
    let first = dataset.experiments.len();
    let mut named = Vec::new();
    let mut experiments = tsv::read(list, |listed: Listed| {
        let table = list.with_file_name("").join(&listed.table);
        named.push(listed.group.is_some());
        let (experiment, unknown) = experiment(listed, &table, &at)?;
        tally.count(unknown, format!("genes of {} have no 3'UTR: dropped", experiment.about.id));
        Ok(experiment)
    })?;
    ensure!(!experiments.is_empty(), "{} lists no experiment", list.display());
    dataset.experiments.append(&mut experiments);
    let mut ids: Vec<&str> =
        dataset.experiments.iter().map(|experiment| experiment.about.id.as_str()).collect();
    ids.sort_unstable();
    if let Some(twice) = ids.windows(2).find(|two| two[0] == two[1]) {
        bail!("{}: two experiments have the id {:?}", list.display(), twice[0]);
    }
    for at in (0..named.len()).filter(|&at| !named[at]) {
        join_groups(&mut dataset.experiments, first + at)?;
    }
    centre(&mut dataset.experiments, first);
    finish(out, &dataset, tally)
}

/// An experiment with its table, and how many of the table's genes are unknown.
fn experiment(listed: Listed, table: &Path, genes: &HashMap<&str, usize>) -> Result<(Experiment, usize)> {
    let Listed { id, mirna, sequence, kind, group, series, .. } = listed;
    let about = About {
        group: group.unwrap_or_else(|| mirna.clone()),
        kind: kind.unwrap_or(Kind::OverExpression),
        series: series.unwrap_or_else(|| id.clone()),
        id,
        mirna,
        sequence,
    };
    about.rna()?;
    let mut changes = vec![None; genes.len()];
    let mut unknown = 0;
    tsv::read(table, |line: Line| {
        let raw = number(&line.log2_fold_change).context("log2_fold_change")?;
        let fdr = number(&line.fdr).context("fdr")?;
        ensure!(fdr.is_none_or(|fdr| (0.0..=1.0).contains(&fdr)), "fdr {:?} is not from 0 to 1", line.fdr);
        let Some(&row) = genes.get(line.gene.as_str()) else {
            unknown += 1;
            return Ok(());
        };
        ensure!(changes[row].is_none(), "gene {:?} stands here twice", line.gene);
        changes[row] = raw.map(|raw| Change { raw, centred: raw, fdr });
        Ok(())
    })?;
    ensure!(changes.iter().any(Option::is_some), "no gene of {} has a 3'UTR", table.display());
    Ok((Experiment { about, changes }, unknown))
}

/// A finite number; `None` where it is blank or NA.
fn number(text: &str) -> Result<Option<f64>> {
    if ["", "NA"].contains(&text.trim()) {
        return Ok(None);
    }
    let value: f64 = text.trim().parse().ok().with_context(|| format!("{text:?} is no number"))?;
    ensure!(value.is_finite(), "{text:?} is not finite");
    Ok(Some(value))
}

/// Puts an experiment into the group of those before it that share its seed; where they are of several groups, these become
/// one.
fn join_groups(experiments: &mut [Experiment], at: usize) -> Result<()> {
    let rna = experiments[at].about.rna()?;
    let mut shared = Vec::new();
    for experiment in &experiments[..at] {
        if share_a_seed(&experiment.about.rna()?, &rna) {
            shared.push(experiment.about.group.clone());
        }
    }
    if let Some(group) = shared.first().cloned() {
        experiments[at].about.group.clone_from(&group);
        experiments.iter_mut().filter(|experiment| shared.contains(&experiment.about.group)).for_each(
            |experiment| {
                experiment.about.group.clone_from(&group);
            },
        );
    }
    Ok(())
}

/// Centres the experiments from `first` on, where their series has enough groups.
fn centre(experiments: &mut [Experiment], first: usize) {
    for at in first..experiments.len() {
        let About { group, series, kind, .. } = &experiments[at].about;
        let Some(members) = centred_series(experiments, series).filter(|_| *kind == Kind::OverExpression)
        else {
            continue;
        };
        let others: Vec<&Experiment> =
            members.iter().map(|&at| &experiments[at]).filter(|other| other.about.group != *group).collect();
        let medians: Vec<f64> =
            (0..experiments[at].changes.len()).map(|gene| median_change(&others, gene)).collect();
        for (change, median) in experiments[at].changes.iter_mut().zip(medians) {
            if let Some(change) = change {
                change.centred = change.raw - median;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::data::repression::dataset::read;

    const LIST: &str = "id\tmirna\tsequence\ttable\nfirst\tlet-7a\tUGAGGUAGUAGGUUGUAUAGUU\tfirst.tsv\n\
                        second\tmiR-98\tUGAGGUAGUAAGUUGUAUUGUU\tsecond.tsv\n";

    fn made(first: &str, list: &str) -> Result<(Vec<String>, Dataset)> {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("utrs.fa"), ">A one\nACGTNN\nACG\n>B\nCUACCUCA\n").unwrap();
        fs::write(path("list.tsv"), list).unwrap();
        fs::write(path("first.tsv"), first).unwrap();
        fs::write(path("second.tsv"), "gene\tlogFC\tFDR\nA\t1\tNA\n").unwrap();
        let lines = own(Some(&path("utrs.fa")), &path("list.tsv"), Path::new("nowhere"), &path("out.tsv"))?;
        Ok((lines, read(&path("out.tsv"))?))
    }

    #[test]
    fn tables_of_ones_own_become_a_dataset() {
        let (lines, dataset) = made("gene\tlog2FoldChange\tpadj\nB\t-1.5\t0.01\nC\t0\t1\n", LIST).unwrap();
        assert_eq!(lines[..2], ["2 genes with a 3'UTR", "1 genes of first have no 3'UTR: dropped"]);
        assert_eq!(dataset.genes[0].utr.to_string(), "ACGUNNACG");
        let [first, second] = &dataset.experiments[..] else { panic!("{dataset:?}") };
        assert_eq!(first.changes, [None, Some(Change { raw: -1.5, centred: -1.5, fdr: Some(0.01) })]);
        assert_eq!(second.changes, [Some(Change { raw: 1.0, centred: 1.0, fdr: None }), None]);
        assert_eq!((first.about.kind, first.about.series.as_str()), (Kind::OverExpression, "first"));
        assert_eq!(
            (first.about.group.as_str(), second.about.group.as_str()),
            ("let-7a", "let-7a"),
            "one seed"
        );
    }

    #[test]
    fn a_wrong_row_is_named_with_its_field() {
        let refused = |first: &str, list: &str| format!("{:#}", made(first, list).unwrap_err());
        let good = "gene\tlogFC\tFDR\nA\t1\t0.5\n";
        for (first, list, parts) in [
            (good, LIST.replace("UGAGGUAGUAGGUU", "UGAGXUAG"), ["list.tsv, row 1", "sequence"]),
            (good, LIST.replace("\tfirst.tsv", "\tthird.tsv"), ["list.tsv, row 1", "third.tsv"]),
            (good, LIST.replace("second\t", "first\t"), ["two experiments", "first"]),
            (
                "gene\tlogFC\tFDR\nA\t1\t0.5\nB\tx\t0.5\n",
                LIST.into(),
                ["first.tsv, row 2", "log2_fold_change: \"x\""],
            ),
            ("gene\tlogFC\tFDR\nA\t1\t2\n", LIST.into(), ["first.tsv, row 1", "fdr \"2\""]),
            (
                "gene\tlogFC\tFDR\nA\t1\t1\nA\t2\t1\n",
                LIST.into(),
                ["first.tsv, row 2", "gene \"A\" stands here twice"],
            ),
            ("gene\tFDR\nA\t1\n", LIST.into(), ["first.tsv, row 1", "log2_fold_change"]),
            ("gene\tlogFC\tFDR\nC\t1\t1\n", LIST.into(), ["list.tsv, row 1", "no gene of"]),
        ] {
            let error = refused(first, &list);
            assert!(parts.iter().all(|part| error.contains(part)), "{parts:?} is not in {error}");
        }
    }

    #[test]
    fn a_series_of_many_groups_is_centred() {
        let experiment = |at: usize| {
            let letter = ["A", "C", "G", "U", "AC"][at];
            let about = About {
                id: format!("{at}"),
                mirna: format!("{at}"),
                sequence: letter.repeat(20)[..20].to_owned(),
                group: format!("{at}"),
                kind: Kind::OverExpression,
                series: "one".into(),
            };
            let raw = at as f64;
            Experiment { about, changes: vec![Some(Change { raw, centred: raw, fdr: None }), None] }
        };
        let mut experiments: Vec<Experiment> = (0..5).map(experiment).collect();
        centre(&mut experiments, 0);
        let centred: Vec<f64> =
            experiments.iter().map(|experiment| experiment.changes[0].unwrap().centred).collect();
        // Less the medians of 1, 2, 3, 4 and so on.
        assert_eq!(centred, [-2.5, -1.5, 0.0, 1.5, 2.5]);
        let mut few = experiments[..4].to_vec();
        centre(&mut few, 0);
        assert_eq!(few, experiments[..4]);
    }
}

//! Public tables → the dataset.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::Result;
use mirador_models::sha256;

use super::dataset::{About, Change, Dataset, Experiment, Gene, Kind, experiments_beside, write};
use crate::data::sources::{Functional, FunctionalGene, Tally};

/// Writes `out` and the table of experiments beside it. Returns what was done, in words.
pub fn public(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let dataset = of_public(data, &mut tally)?;
    finish(out, &dataset, tally)
}

/// The public files as a dataset.
pub(super) fn of_public(data: &Path, tally: &mut Tally) -> Result<Dataset> {
    let Functional { genes, experiments, changes, centred, fdr } = Functional::read(data, tally)?;
    let unknown = changes.len() - genes.iter().filter(|gene| changes.contains_key(&gene.id)).count();
    tally.count(unknown, "genes of the tables have no 3'UTR: dropped");
    let mut half = 0;
    let mut read = Vec::new();
    for (column, experiment) in experiments.into_iter().enumerate() {
        let change = |gene: &FunctionalGene| {
            let value = |table: &HashMap<String, Vec<Option<f64>>>| table.get(&gene.id)?[column];
            match (value(&changes), value(&centred)) {
                (Some(raw), Some(centred)) => Some(Change { raw, centred, fdr: value(&fdr) }),
                (None, None) => None,
                _ => {
                    half += 1;
                    None
                }
            }
        };
        let changes = genes.iter().map(change).collect();
        let about = About {
            id: experiment.id,
            mirna: experiment.mirna,
            sequence: experiment.sequence,
            group: experiment.group,
            kind: if experiment.kind == "KO" { Kind::KnockOut } else { Kind::OverExpression },
            series: experiment.series,
        };
        read.push(Experiment { about, changes });
    }
    tally.count(half, "changes stand in one of the two tables only: dropped");
    Ok(Dataset { genes: genes.into_iter().map(gene).collect(), experiments: read })
}

/// A gene of the dataset.
pub(super) fn gene(FunctionalGene { id, symbol, utr }: FunctionalGene) -> Gene {
    Gene { id, symbol, utr }
}

/// Writes a dataset and says what is in it.
pub(super) fn finish(out: &Path, dataset: &Dataset, mut tally: Tally) -> Result<Vec<String>> {
    write(out, dataset)?;
    let of = |kind: Kind| dataset.experiments.iter().filter(move |experiment| experiment.about.kind == kind);
    let groups =
        |kind: Kind| of(kind).map(|experiment| &experiment.about.group).collect::<BTreeSet<_>>().len();
    for (kind, name) in [(Kind::OverExpression, "over-expression"), (Kind::KnockOut, "knock-out")] {
        tally.count(of(kind).count(), format!("{name} experiments of {} seed groups", groups(kind)));
    }
    let blank = |experiment: &Experiment| experiment.changes.iter().filter(|change| change.is_none()).count();
    tally.count(dataset.experiments.iter().map(blank).sum(), "times a gene was not tested in an experiment");
    tally.count(dataset.genes.len(), format!("genes in {}", out.display()));
    tally.0.push(format!("SHA-256 {}", sha256(out)?));
    tally.0.push(format!("SHA-256 of the table of experiments {}", sha256(&experiments_beside(out))?));
    Ok(tally.0)
}

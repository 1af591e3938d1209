//! `mirador-train evaluate` and `audit`: a labelled TSV in, figures with intervals out.
//!
//! The file has a header with `mirna`, `site` and `label` (0 or 1); its sites are clustered here for the intervals. A
//! file that `prepare` wrote can be narrowed to one `source` or `split`.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::audit::Floor;
use super::dataset::{Example, Split, groups, labels, parse_label, parse_pair};
use super::metrics::Measured;
use super::split::clusters;
use super::train::probabilities;
use super::tsv;
use crate::models::WeightsDir;

/// Rows of any labelled TSV; `keep` is a column and a value, e.g. `source` and `hejret2023_test`.
pub fn read(path: &Path, keep: Option<&(String, String)>) -> Result<Vec<Example>> {
    let kept = tsv::read(path, |record: HashMap<String, String>| {
        let field = |name: &str| record.get(name).with_context(|| format!("no column {name:?}"));
        if let Some((column, value)) = keep
            && field(column)? != value
        {
            return Ok(None);
        }
        let pair = parse_pair(field("mirna")?, field("site")?)?;
        let label = parse_label(field("label")?.trim().parse().context("label")?)?;
        let source = record.get("source").cloned().unwrap_or_default();
        Ok(Some(Example { source, split: Split::Test, cluster: 0, pair, label }))
    })?;
    let mut rows: Vec<Example> = kept.into_iter().flatten().collect();
    ensure!(!rows.is_empty(), "{} has no such rows", path.display());
    let sites: Vec<_> = rows.iter().map(|row| &row.pair.site).collect();
    let numbers = clusters(&sites);
    rows.iter_mut().zip(numbers).for_each(|(row, cluster)| row.cluster = cluster);
    Ok(rows)
}

/// Figures of served weights on labelled rows.
pub fn evaluate(weights: &WeightsDir, device: tch::Device, rows: &[Example]) -> Result<Measured> {
    let replica = weights.load(device)?;
    weights.golden()?.verify(&replica)?;
    let threshold = f64::from(weights.config.decision_threshold);
    Ok(Measured::new(&labels(rows), &probabilities(&replica, rows), &groups(rows), threshold))
}

/// Prints figures as a table.
pub fn print(measured: &Measured) {
    let at = &measured.at_threshold;
    println!("rows                {} ({} positive)", measured.rows, measured.positives);
    println!("AUROC               {}", measured.auroc);
    println!("average precision   {}  (a coin: {:.3})", measured.average_precision, measured.base_rate);
    println!("Brier score         {:.3}", measured.brier);
    println!(
        "at threshold {:.2}   accuracy {:.3}, MCC {:.3}, F1 {:.3}",
        at.threshold, at.accuracy, at.mcc, at.f1
    );
    println!(
        "                    sensitivity {:.3}, specificity {:.3}, precision {:.3}",
        at.sensitivity, at.specificity, at.precision
    );
}

/// Prints floors as a table.
pub fn print_floors(floors: &[Floor]) {
    println!("{:<28}{:<24}average precision", "floor", "AUROC");
    for floor in floors {
        println!("{:<28}{:<24}{}", floor.probe, floor.auroc.to_string(), floor.average_precision);
    }
}

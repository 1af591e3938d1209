//! `mirador-train evaluate` and `audit`: a labelled TSV in, metrics with intervals out.
//!
//! The file has a header with `mirna`, `site` and `label` (0 or 1); its sites are clustered here for the intervals. A
//! file that `prepare` wrote can be narrowed to one `source` or `split`.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::WeightsDir;
use mirador_models::tasks::Task;

use crate::data::target_sites::dataset::{Example, Split};
use crate::data::target_sites::split::clusters;
use crate::data::tsv::{self, parse_label, parse_pair};
use crate::experiment::{FittedBaseline, Row, groups, scores, targets};
use crate::experiments::target_sites::baselines::baselines;
use crate::results::report::MeasuredBaseline;
use crate::stats::metrics::{Measured, Metric, MetricValue, with_intervals};

/// Rows of any labelled TSV; `keep` is a column and a value, e.g. `source` and `hejret2023_test`.
pub(super) fn read(path: &Path, keep: Option<&(String, String)>) -> Result<Vec<Row>> {
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
    Ok(rows.into_iter().map(Row::from).collect())
}

/// Metrics of served weights on labelled rows.
pub(super) fn evaluate(weights: &WeightsDir, device: tch::Device, rows: &[Row]) -> Result<Measured> {
    let replica = weights.load(device)?;
    let task = replica.encoder.task();
    ensure!(task == Task::TargetSite, "{} does not score target sites", weights.config.model);
    weights.golden()?.verify(&replica)?;
    Ok(Measured::new(task, &targets(rows), &scores(&replica, rows), &groups(rows)))
}

/// The baselines fitted on some rows and measured on others, by name.
pub(super) fn audit(train: &[Row], rows: &[Row]) -> Vec<MeasuredBaseline> {
    let (targets, groups) = (targets(rows), groups(rows));
    let measure = |baseline: &FittedBaseline<'_>| {
        let scored = baseline.score(rows);
        let metrics = with_intervals(Task::TargetSite, &targets, &scored.scores, &groups);
        MeasuredBaseline { name: scored.baseline, metrics }
    };
    baselines(train).iter().map(measure).collect()
}

/// Prints metrics as a table.
pub(super) fn print(measured: &Measured) {
    println!("rows                {}", measured.rows);
    measured.metrics.iter().for_each(|MetricValue { name, value }| println!("{name:<20}{value}"));
    let Some(classes) = &measured.classes else { return };
    let at = &classes.at_threshold;
    println!(
        "positives           {}  (average precision of a coin: {:.3})",
        classes.positives, classes.base_rate
    );
    println!("Brier score         {:.3}", classes.brier);
    println!(
        "at threshold {:.2}   accuracy {:.3}, MCC {:.3}, F1 {:.3}",
        at.threshold, at.accuracy, at.mcc, at.f1
    );
    println!(
        "                    sensitivity {:.3}, specificity {:.3}, precision {:.3}",
        at.sensitivity, at.specificity, at.precision
    );
}

/// Prints baselines as a table.
pub(super) fn print_baselines(baselines: &[MeasuredBaseline]) {
    println!(
        "{:<28}{}",
        "baseline",
        Metric::of(Task::TargetSite).iter().map(|name| format!("{name:<24}")).collect::<String>()
    );
    for baseline in baselines {
        let metrics: Vec<String> =
            baseline.metrics.iter().map(|metric| format!("{:<24}", metric.value.to_string())).collect();
        println!("{:<28}{}", baseline.name, metrics.concat());
    }
}

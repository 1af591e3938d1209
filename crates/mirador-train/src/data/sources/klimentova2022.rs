//! miRBench's bias-corrected AGO2 eCLIP test of Klimentova 2022, with the scores of eleven published tools, row by
//! row. A test only: nothing of it is trained on.

use std::path::Path;

use anyhow::{Context, Result};

use super::{Labelled, read_chimeras};

const FILE: &str = "target_sites/BioGeMT+miRBench_paper/AGO2_eCLIP_Klimentova2022_test_predictions.tsv";

/// Columns of the tools; a higher score means more likely to bind.
const PUBLISHED_TOOLS: [&str; 11] = [
    "miRBind_Klimentova2022",
    "TargetScanCnn_McGeary2019",
    "miRNA_CNN_Hejret2023",
    "RNACofold",
    "InteractionAwareModel_Yang2024",
    "Seed6mer",
    "Seed7mer",
    "Seed8mer",
    "Seed6merBulgeOrMismatch",
    "TargetNet_Min2021",
    "CnnMirTarget_Zheng2020",
];

/// The test, both labels.
pub fn klimentova2022(data: &Path) -> Result<Vec<Labelled>> {
    read_chimeras(&data.join(FILE))
}

/// Every tool's score for every row of the test, in its order.
pub fn published_scores(data: &Path) -> Result<Vec<(&'static str, Vec<f64>)>> {
    let path = data.join(FILE);
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(&path)?;
    let headers = reader.headers()?.clone();
    let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>()?;
    PUBLISHED_TOOLS
        .into_iter()
        .map(|tool| {
            let column = headers.iter().position(|name| name == tool).context(tool)?;
            let score = |record: &csv::StringRecord| {
                record.get(column).context("short row")?.parse().with_context(|| format!("{tool}: no number"))
            };
            Ok((tool, records.iter().map(score).collect::<Result<_>>()?))
        })
        .collect()
}

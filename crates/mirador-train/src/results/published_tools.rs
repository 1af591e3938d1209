//! What published tools reach on the bias-corrected tests.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::Task;
use serde::Deserialize;

use super::predictions::Predictions;
use super::report::PublishedTool;
use crate::data::sources::published_scores;
use crate::data::target_sites::prepare::{HEJRET_TEST, KLIMENTOVA_TEST};
use crate::stats::metrics::with_intervals;
use crate::stats::ranking::average_precision;

const HEJRET_TABLE: &str = "target_sites/stephaniesamm+Advancing-miRNA-Target-Site-Identification-via-Bias-Corrected-\
                            Chimeric-Datasets-for-ML-Approaches/AGO2_CLASH_Hejret2023_test_avg_p_score.tsv";

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "Tool")]
    tool: String,
    avg_p_score: f64,
}

/// The tools on this test, best first: measured from their row-by-row scores (Klimentova 2022), or the published
/// average precision where only that is public (Hejret 2023). None for other sets.
pub fn published_tools(data: &Path, test: &Predictions) -> Result<Vec<PublishedTool>> {
    let mut tools: Vec<PublishedTool> = match test.name.as_str() {
        KLIMENTOVA_TEST => {
            let scores = published_scores(data)?;
            ensure!(
                scores.iter().all(|(_, scores)| scores.len() == test.targets.len()),
                "{KLIMENTOVA_TEST} lost rows"
            );
            let tool = |(tool, scores): (&str, Vec<f64>)| {
                let measured = with_intervals(Task::TargetSite, &test.targets, &scores, &test.groups);
                let average_precision = average_precision(&test.labels(), &scores);
                PublishedTool { tool: tool.to_owned(), average_precision, measured: Some(measured) }
            };
            scores.into_iter().map(tool).collect()
        }
        HEJRET_TEST => {
            let path = data.join(HEJRET_TABLE);
            let mut reader =
                csv::ReaderBuilder::new().delimiter(b'\t').from_path(&path).context(HEJRET_TABLE)?;
            let tool = |record: Result<Record, csv::Error>| {
                let Record { tool, avg_p_score: average_precision } = record?;
                Ok(PublishedTool { tool, average_precision, measured: None })
            };
            reader.deserialize().map(tool).collect::<Result<_>>()?
        }
        _ => Vec::new(),
    };
    tools.sort_by(|a, b| b.average_precision.total_cmp(&a.average_precision));
    Ok(tools)
}

//! Each measured row's scores, the network's and the baselines', kept beside the checkpoints: what curves and
//! comparisons are made from.

use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::tasks::Task;

use crate::experiment::{Row, Scored, groups, targets};
use crate::stats::metrics::{Metric, with_intervals};

/// The first scores of a set are the network's: probabilities or levels.
pub const NETWORK: &str = "network";

/// One set of rows.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// Name of the set.
    pub name: String,
    /// 1 or 0, or the measured level.
    pub targets: Vec<f64>,
    /// Rows of one group are not independent.
    pub groups: Vec<usize>,
    /// By whom, the network first, and a score for each row.
    pub scores: Vec<Scored>,
}

impl Predictions {
    /// Predictions of these rows.
    pub fn new(name: &str, rows: &[Row], network: Vec<f64>, baselines: Vec<Scored>) -> Self {
        let mut scores = vec![Scored { name: NETWORK.to_owned(), scores: network }];
        scores.extend(baselines);
        Self { name: name.to_owned(), targets: targets(rows), groups: groups(rows), scores }
    }

    /// Adds the rows of another fold.
    pub fn extend(&mut self, other: Self) {
        if self.scores.is_empty() {
            *self = other;
            return;
        }
        self.targets.extend(other.targets);
        self.groups.extend(other.groups);
        for (all, scored) in self.scores.iter_mut().zip(other.scores) {
            all.scores.extend(scored.scores);
        }
    }

    /// The task's metrics of one of the scores.
    pub fn metrics(&self, task: Task, scored: &Scored) -> Vec<Metric> {
        with_intervals(task, &self.targets, &scored.scores, &self.groups)
    }

    /// The network's scores.
    pub fn network(&self) -> &[f64] {
        self.scores.first().map_or(&[], |scored| &scored.scores)
    }

    /// The scores of a baseline.
    pub fn baseline(&self, name: &str) -> Option<&[f64]> {
        self.scores.iter().find(|scored| scored.name == name).map(|scored| scored.scores.as_slice())
    }

    /// The rows' classes.
    pub fn labels(&self) -> Vec<bool> {
        self.targets.iter().map(|&target| target >= 0.5).collect()
    }
}

/// Writes sets, one after the other; all have the same baselines.
pub fn write(path: &Path, sets: &[Predictions]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    let names = sets.iter().take(1).flat_map(|set| set.scores.iter().map(|scored| scored.name.clone()));
    writer.write_record(["set", "target", "group"].map(str::to_owned).into_iter().chain(names))?;
    for set in sets {
        for row in 0..set.targets.len() {
            let scores = set.scores.iter().map(|scored| scored.scores[row].to_string());
            let first = [set.name.clone(), set.targets[row].to_string(), set.groups[row].to_string()];
            writer.write_record(first.into_iter().chain(scores))?;
        }
    }
    Ok(writer.flush()?)
}

/// Reads what [`write()`] wrote.
pub fn read(path: &Path) -> Result<Vec<Predictions>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(path)?;
    let names: Vec<String> = reader.headers()?.iter().skip(3).map(str::to_owned).collect();
    let mut sets: Vec<Predictions> = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record?;
        let number = |column: usize| -> Result<f64> {
            let text = record.get(column).unwrap_or_default();
            text.parse().with_context(|| format!("{}, row {}: {text:?}", path.display(), index + 1))
        };
        let name = &record[0];
        if sets.last().is_none_or(|last| last.name != name) {
            let scores = names.iter().map(|name| Scored { name: name.clone(), scores: Vec::new() }).collect();
            sets.push(Predictions { name: name.to_owned(), scores, ..Predictions::default() });
        }
        if let Some(set) = sets.last_mut() {
            set.targets.push(number(1)?);
            set.groups.push(number(2)? as usize);
            for (column, scored) in set.scores.iter_mut().enumerate() {
                scored.scores.push(number(3 + column)?);
            }
        }
    }
    Ok(sets)
}

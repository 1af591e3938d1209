//! Each measured row's scores, the network's and the floors', kept beside the checkpoints: what curves and
//! comparisons are made from.

use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::tasks::Task;

use crate::experiment::{Probe, Row, groups, targets};
use crate::stats::metrics::{Figure, with_intervals};

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
    pub scores: Vec<Probe>,
}

impl Predictions {
    /// Predictions of these rows.
    pub fn new(name: &str, rows: &[Row], network: Vec<f64>, floors: Vec<Probe>) -> Self {
        let mut scores = vec![Probe { name: NETWORK.to_owned(), scores: network }];
        scores.extend(floors);
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
        for (all, probe) in self.scores.iter_mut().zip(other.scores) {
            all.scores.extend(probe.scores);
        }
    }

    /// The task's figures of one of the scores.
    pub fn figures(&self, task: Task, probe: &Probe) -> Vec<Figure> {
        with_intervals(task, &self.targets, &probe.scores, &self.groups)
    }

    /// The network's scores.
    pub fn network(&self) -> &[f64] {
        self.scores.first().map_or(&[], |probe| &probe.scores)
    }

    /// The scores of a floor.
    pub fn floor(&self, name: &str) -> Option<&[f64]> {
        self.scores.iter().find(|probe| probe.name == name).map(|probe| probe.scores.as_slice())
    }

    /// The rows' classes.
    pub fn labels(&self) -> Vec<bool> {
        self.targets.iter().map(|&target| target >= 0.5).collect()
    }
}

/// Writes sets, one after the other; all have the same floors.
pub fn write(path: &Path, sets: &[Predictions]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    let names = sets.iter().take(1).flat_map(|set| set.scores.iter().map(|probe| probe.name.clone()));
    writer.write_record(["set", "target", "group"].map(str::to_owned).into_iter().chain(names))?;
    for set in sets {
        for row in 0..set.targets.len() {
            let scores = set.scores.iter().map(|probe| probe.scores[row].to_string());
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
            let scores = names.iter().map(|name| Probe { name: name.clone(), scores: Vec::new() }).collect();
            sets.push(Predictions { name: name.to_owned(), scores, ..Predictions::default() });
        }
        if let Some(set) = sets.last_mut() {
            set.targets.push(number(1)?);
            set.groups.push(number(2)? as usize);
            for (column, probe) in set.scores.iter_mut().enumerate() {
                probe.scores.push(number(3 + column)?);
            }
        }
    }
    Ok(sets)
}

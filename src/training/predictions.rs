//! Each measured row's score, kept beside the checkpoints: what curves and comparisons are made from.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::experiment::{Row, groups, targets};
use super::metrics::Measured;
use super::tsv;
use crate::tasks::Task;

/// One set of rows.
#[derive(Clone, Debug, Default)]
pub struct Predictions {
    /// Name of the set.
    pub name: String,
    /// 1 or 0, or the measured level.
    pub targets: Vec<f64>,
    /// Probability or level, by the network.
    pub scores: Vec<f64>,
    /// Rows of one group are not independent.
    pub groups: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    set: String,
    target: f64,
    score: f64,
    group: usize,
}

impl Predictions {
    /// Of these rows.
    pub fn new(name: &str, rows: &[Row], scores: &[f64]) -> Self {
        Self { name: name.to_owned(), targets: targets(rows), scores: scores.to_vec(), groups: groups(rows) }
    }

    /// Adds the rows of another fold.
    pub fn extend(&mut self, other: Self) {
        self.name = other.name;
        self.targets.extend(other.targets);
        self.scores.extend(other.scores);
        self.groups.extend(other.groups);
    }

    /// The task's figures.
    pub fn measure(&self, task: Task) -> Measured {
        Measured::new(task, &self.targets, &self.scores, &self.groups)
    }

    /// The rows' classes.
    pub fn labels(&self) -> Vec<bool> {
        self.targets.iter().map(|&target| target >= 0.5).collect()
    }
}

/// Writes sets, one after the other.
pub fn write(path: &Path, sets: &[Predictions]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    for set in sets {
        for ((&target, &score), &group) in set.targets.iter().zip(&set.scores).zip(&set.groups) {
            writer.serialize(Record { set: set.name.clone(), target, score, group })?;
        }
    }
    Ok(writer.flush()?)
}

/// Reads what [`write()`] wrote.
pub fn read(path: &Path) -> Result<Vec<Predictions>> {
    let mut sets: Vec<Predictions> = Vec::new();
    for Record { set, target, score, group } in tsv::read(path, Ok)? {
        if sets.last().is_none_or(|last| last.name != set) {
            sets.push(Predictions { name: set, ..Predictions::default() });
        }
        if let Some(last) = sets.last_mut() {
            last.targets.push(target);
            last.scores.push(score);
            last.groups.push(group);
        }
    }
    Ok(sets)
}

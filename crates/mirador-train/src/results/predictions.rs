//! Each measured row's scores, the network's and the baselines', kept beside the checkpoints: what curves and
//! comparisons are made from.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::tasks::Task;

use crate::experiment::{Baseline, Row, Scored, groups, targets};
use crate::recipe::{Recipe, Roots, mark, unmark};
use crate::stats::interval::bootstrap;
use crate::stats::metrics::{Metric, MetricValue, metrics, with_intervals};

/// The column of the network's scores: probabilities or levels.
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
    /// The network's score of each row.
    pub network: Vec<f64>,
    /// The baselines' scores of each row.
    pub baselines: Vec<Scored>,
}

impl Predictions {
    /// Predictions of these rows.
    pub fn new(name: &str, rows: &[Row], network: Vec<f64>, baselines: Vec<Scored>) -> Self {
        Self { name: name.to_owned(), targets: targets(rows), groups: groups(rows), network, baselines }
    }

    /// Adds the rows of another fold.
    pub fn extend(&mut self, other: Self) {
        if self.targets.is_empty() {
            *self = other;
            return;
        }
        self.targets.extend(other.targets);
        self.groups.extend(other.groups);
        self.network.extend(other.network);
        for (all, scored) in self.baselines.iter_mut().zip(other.baselines) {
            all.scores.extend(scored.scores);
        }
    }

    /// The task's metrics of a baseline.
    pub fn metrics(&self, task: Task, scored: &Scored) -> Vec<MetricValue> {
        with_intervals(task, &self.targets, &scored.scores, &self.groups)
    }

    /// What the network has more than other scores of the same rows, with intervals of the difference.
    pub fn difference(&self, task: Task, others: &[f64]) -> Vec<MetricValue> {
        let differences = bootstrap(&self.groups, |rows| {
            let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            let of = |scores: &[f64]| metrics(task, &pick(&self.targets), &pick(scores));
            of(&self.network).into_iter().zip(of(others)).map(|(own, other)| own - other).collect()
        });
        Metric::of(task).iter().zip(differences).map(|(&name, value)| MetricValue { name, value }).collect()
    }

    /// The scores of the network or of a baseline, by the name of its column.
    pub fn column(&self, name: &str) -> Option<&[f64]> {
        if name == NETWORK {
            return Some(&self.network);
        }
        let baseline: Baseline = name.parse().ok()?;
        self.baselines
            .iter()
            .find(|scored| scored.baseline == baseline)
            .map(|scored| scored.scores.as_slice())
    }

    /// The rows' classes.
    pub fn labels(&self) -> Vec<bool> {
        self.targets.iter().map(|&target| target >= 0.5).collect()
    }
}

/// The columns before those of the baselines.
const FIRST: [&str; 4] = ["set", "target", "group", NETWORK];

/// The file beside the checkpoints.
const FILE: &str = "predictions.tsv";

/// Writes a recipe's sets, one after the other; all have the same baselines.
pub fn write(roots: &Roots, recipe: &Recipe, sets: &[Predictions]) -> Result<()> {
    let folder = roots.runs_of(recipe);
    unmark(&folder)?;
    let path = folder.join(FILE);
    write_sets(&path, sets).with_context(|| path.display().to_string())?;
    mark(recipe, &folder)
}

fn write_sets(path: &Path, sets: &[Predictions]) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(path)?;
    let baselines = sets.iter().take(1).flat_map(|set| &set.baselines);
    let names = baselines.map(|scored| scored.baseline.into());
    writer.write_record(FIRST.into_iter().chain(names))?;
    for set in sets {
        for row in 0..set.targets.len() {
            let [target, network] = [set.targets[row], set.network[row]].map(|score| score.to_string());
            let first = [set.name.clone(), target, set.groups[row].to_string(), network];
            let scores = set.baselines.iter().map(|scored| scored.scores[row].to_string());
            writer.write_record(first.into_iter().chain(scores))?;
        }
    }
    Ok(writer.flush()?)
}

/// What [`write()`] wrote for a recipe; `None` where it did not, or wrote for the recipe before it was changed.
pub fn read(roots: &Roots, recipe: &Recipe) -> Result<Option<Vec<Predictions>>> {
    let folder = roots.runs_of(recipe);
    if !recipe.made(&folder) {
        return Ok(None);
    }
    let path = folder.join(FILE);
    let again = || format!("{}: remove it, and `{}` writes it again", path.display(), recipe.command());
    read_sets(&path).with_context(again).map(Some)
}

fn read_sets(path: &Path) -> Result<Vec<Predictions>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(path)?;
    let first: Vec<&str> = reader.headers()?.iter().take(4).collect();
    ensure!(first == FIRST, "its columns begin with {first:?}, not with {FIRST:?}");
    let names = reader.headers()?.iter().skip(4);
    let baselines: Vec<Scored> = names
        .map(|name| {
            Ok(Scored { baseline: name.parse().with_context(|| name.to_owned())?, scores: Vec::new() })
        })
        .collect::<Result<_>>()?;
    let mut sets: Vec<Predictions> = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record?;
        let number = |column: usize| -> Result<f64> {
            let text = record.get(column).unwrap_or_default();
            text.parse().with_context(|| format!("row {}: {text:?}", index + 1))
        };
        let name = &record[0];
        if sets.last().is_none_or(|last| last.name != name) {
            let baselines = baselines.clone();
            sets.push(Predictions { name: name.to_owned(), baselines, ..Predictions::default() });
        }
        if let Some(set) = sets.last_mut() {
            set.targets.push(number(1)?);
            set.groups.push(number(2)? as usize);
            set.network.push(number(3)?);
            for (column, scored) in set.baselines.iter_mut().enumerate() {
                scored.scores.push(number(4 + column)?);
            }
        }
    }
    Ok(sets)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn scores_are_taken_whole_and_only_by_the_recipe_that_made_them() {
        let root = tempfile::tempdir().unwrap();
        let committed = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let recipe = Recipe::read(&committed.join("recipes/dmiso/paper.json")).unwrap();
        let roots =
            Roots { recipes: committed.join("recipes"), weights: "w".into(), runs: root.path().to_owned() };
        let set = Predictions {
            name: "test".to_owned(),
            targets: vec![1.0, 0.0],
            groups: vec![0, 1],
            network: vec![0.75, 0.25],
            baselines: vec![Scored { baseline: Baseline::Mirna, scores: vec![0.5, 0.5] }],
        };
        let folder = roots.runs_of(&recipe);
        fs::create_dir_all(&folder).unwrap();
        assert!(read(&roots, &recipe).unwrap().is_none());
        write(&roots, &recipe, std::slice::from_ref(&set)).unwrap();
        let taken = read(&roots, &recipe).unwrap().unwrap();
        assert_eq!((taken.len(), &taken[0].network), (1, &set.network));
        let mut changed = recipe.clone();
        changed.seeds.pop();
        assert!(read(&roots, &changed).unwrap().is_none());

        let file = folder.join(FILE);
        fs::write(&file, "set\ttarget\n").unwrap();
        let refused = format!("{:#}", read(&roots, &recipe).unwrap_err());
        for part in ["predictions.tsv", "columns", "mirador-train train --model dmiso --version paper"] {
            assert!(refused.contains(part), "no {part} in {refused}");
        }
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap(); // where it cannot be written
        let refused = format!("{:#}", write(&roots, &recipe, &[set]).unwrap_err());
        assert!(refused.contains("predictions.tsv"), "{refused}");
        assert!(!recipe.made(&folder), "what was not written whole is nobody's");
    }
}

//! A trained network as a template sees it: the fields of its `metrics.json` under the names of the field.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Object, ObjectRepr, Serde, Value};

use crate::learn::checkpoint::Epoch;
use crate::recipe::{EpochMetric, Recipe};
use crate::results::predictions::Predictions;
use crate::results::report::{Report, SeedReport, SetReport};
use crate::stats::correlation::mean;
use crate::stats::interval::Interval;
use crate::stats::metrics::{AtThreshold, Metric, MetricValue};

/// A network that is trained.
#[derive(Debug)]
pub(super) struct Network {
    /// How it was trained.
    pub recipe: Recipe,
    /// What was measured.
    pub report: Report,
    /// Each row's scores; empty where the checkpoints are not here.
    pub predictions: Vec<Arc<Predictions>>,
    fields: Value,
}

impl Network {
    /// A network of these measurements.
    pub(super) fn new(recipe: Recipe, report: Report, predictions: Vec<Arc<Predictions>>) -> Self {
        let best = best_epochs(&report).map(|epoch| epoch.score);
        let fields = context! {
            name => recipe.id().to_string(),
            model => &recipe.model,
            version => &recipe.version,
            recipe => Value::from(Serde(&recipe)),
            parameters => report.parameters,
            preparation => &report.preparation,
            seeds => report.seeds.iter().map(|run| run.seed).collect::<Vec<u64>>(),
            best_scores => best.collect::<Vec<f64>>(),
            epochs => report.seeds.iter().map(|run| run.history.len()).collect::<Vec<usize>>(),
            best_epochs => best_epochs(&report).map(|epoch| epoch.epoch).collect::<Vec<usize>>(),
            validation => validation(&report),
            folds => Value::from(Serde(report.folds.clone())),
            sets => Value::from_pairs(report.sets.iter().map(|set| (set.name.as_str(), fields_of(set, &report)))),
        };
        Self { recipe, report, predictions, fields }
    }

    /// The validation metric that chooses.
    pub(super) fn chosen_by(&self) -> &'static str {
        match self.recipe.choose_by {
            EpochMetric::AveragePrecision => "average precision",
            EpochMetric::Auroc => "AUROC",
            EpochMetric::Accuracy => "accuracy",
            EpochMetric::Loss => "loss",
            EpochMetric::PearsonRSquared => "r²",
        }
    }
}

impl Object for Network {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.fields.get_item(key).ok().filter(|value| !value.is_undefined())
    }
}

/// The scores of a set's rows, for the functions that compute with them.
impl Object for Predictions {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "name" => Some(Value::from(&self.name)),
            "rows" => Some(Value::from(self.targets.len())),
            _ => None,
        }
    }
}

fn best_epochs(report: &Report) -> impl Iterator<Item = &Epoch> {
    report.seeds.iter().filter_map(SeedReport::best_epoch)
}

/// What validation said of the epoch that each run kept, by metric.
fn validation(report: &Report) -> Value {
    let mut metrics: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in best_epochs(report).flat_map(|epoch| &epoch.validation) {
        metrics.entry(name.to_string()).or_default().push(*value);
    }
    Value::from(metrics)
}

/// A measured set.
fn fields_of(set: &SetReport, report: &Report) -> Value {
    let measured = set.model.metrics.iter().enumerate();
    let metrics =
        measured.map(|(index, metric)| ShownMetric::by_name(metric, by_seed(report, &set.name, index)));
    let beside = |metrics: &[MetricValue]| -> Value {
        Value::from_pairs(metrics.iter().map(|metric| ShownMetric::by_name(metric, Vec::new())))
    };
    let published = set.published.iter().map(|tool| {
        let metrics = tool.measured.as_deref().map(beside);
        context! { name => &tool.tool, average_precision => tool.average_precision, metrics }
    });
    context! {
        name => &set.name,
        rows => set.model.rows,
        positives => set.model.classes.as_ref().map(|classes| classes.positives),
        at_threshold => set.model.classes.as_ref().map(|classes| Value::from(Serde(classes.at_threshold))),
        calls => Value::from(Serde(calls(report, &set.name))),
        metrics => Value::from_pairs(metrics),
        baselines => Value::from_pairs(
            set.baselines.iter().map(|baseline| (baseline.name.to_string(), beside(&baseline.metrics)))
        ),
        published => published.collect::<Value>(),
    }
}

/// What each run's calls at the decision threshold give on a set.
fn calls(report: &Report, set: &str) -> Vec<AtThreshold> {
    let of = |run: &SeedReport| run.calls.iter().find(|(name, _)| name == set).map(|(_, at)| *at);
    report.seeds.iter().filter_map(of).collect()
}

/// One metric of a set, a value for each seed: in cross-validation the mean of its folds, which come one after the other. None
/// where a set has one class only.
fn by_seed(report: &Report, set: &str, index: usize) -> Vec<f64> {
    let of = |run: &SeedReport| {
        run.tests.iter().find(|(name, _)| name == set).and_then(|(_, metrics)| *metrics.get(index)?)
    };
    let folds = report.seeds.iter().map(|run| run.fold + 1).max().unwrap_or(1);
    let seeds = report.seeds.chunks(folds).map(|runs| runs.iter().filter_map(of).collect::<Vec<f64>>());
    seeds.filter(|folds| !folds.is_empty()).map(|folds| mean(&folds)).collect()
}

/// One number of a table; a template that prints it prints its interval.
#[derive(Debug)]
pub(super) struct ShownMetric {
    name: Metric,
    /// The shipped run, with its 95 % interval.
    pub interval: Interval,
    /// A value for each seed; empty for validation rows, by which each run chose, and for baselines.
    pub runs: Vec<f64>,
}

impl ShownMetric {
    pub(super) fn by_name(metric: &MetricValue, runs: Vec<f64>) -> (&'static str, Value) {
        let MetricValue { name, value: interval } = *metric;
        (name.into(), Value::from_object(Self { name, interval, runs }))
    }
}

impl Object for ShownMetric {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "name" => Value::from(self.name.to_string()),
            "value" => Value::from(self.interval.value),
            "low" => Value::from(self.interval.low),
            "high" => Value::from(self.interval.high),
            "runs" => Value::from(self.runs.clone()),
            _ => return None,
        })
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.interval)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_seed_has_one_value_whatever_its_folds() {
        let run = |seed: u64, fold: usize, tests: serde_json::Value| json!({ "seed": seed, "fold": fold, "best": 0, "history": [], "tests": tests });
        let held_out = |value: Option<f64>| json!([["held_out", [value]]]);
        let report = |seeds: Vec<serde_json::Value>| -> Report {
            serde_json::from_value(json!({
                "command": "", "dataset_sha256": "", "preparation": [], "parameters": 1, "shared": [],
                "shipped": 0, "training_audit": [], "folds": [], "seeds": seeds, "sets": [],
            }))
            .unwrap()
        };
        let one = |seed, value| run(seed, 0, held_out(Some(value)));
        assert_eq!(by_seed(&report(vec![one(3, 0.5), one(1, 0.25)]), "held_out", 0), [0.5, 0.25]);
        // The second fold of seed 2 died, and another seed took its place; the third holds nothing out.
        let folds = vec![
            one(1, 0.25),
            run(1, 1, held_out(Some(0.75))),
            run(1, 2, json!([])),
            one(2, 0.5),
            run(1002, 1, held_out(Some(1.0))),
            run(2, 2, json!([])),
        ];
        assert_eq!(by_seed(&report(folds), "held_out", 0), [0.5, 0.75]);
        assert!(by_seed(&report(vec![run(1, 0, held_out(None))]), "held_out", 0).is_empty());
    }
}

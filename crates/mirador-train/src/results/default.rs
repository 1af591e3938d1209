//! A version may be its task's default only where no baseline of it is better: users take the default.

use anyhow::{Result, bail};
use mirador_models::tasks::Task;

use crate::recipe::Recipe;
use crate::results::report::MeasuredBaseline;
use crate::stats::metrics::{Metric, MetricValue};

/// The test that a task's default is held to its baselines on, and by which metric.
pub fn contest(task: Task) -> (&'static str, Metric) {
    match task {
        Task::TargetSite => ("hejret2023_test", Metric::AveragePrecision),
        // Cut as laboratories and miRDeep2 cut them; whole, as miRBase has them, their flanks help every rule.
        Task::PreMirna => ("held_out_mature_arms", Metric::Mcc),
        Task::Expression => ("test_86nt", Metric::PearsonSquared),
        Task::Repression => ("seed groups left out", Metric::Spearman),
    }
}

/// Refuses a default that a baseline beats, unless its recipe says why it should be one all the same; then what the card
/// has to say. Baselines that read more than the version does not count.
pub fn hold_to_baselines(
    recipe: &Recipe,
    task: Task,
    own: &[MetricValue],
    baselines: &[MeasuredBaseline],
) -> Result<Option<String>> {
    if !recipe.default {
        return Ok(None);
    }
    let (test, metric) = contest(task);
    let value = |values: &[MetricValue]| {
        values.iter().find(|value| value.name == metric).map_or(f64::NAN, |value| value.value.value)
    };
    let own = value(own);
    let better: Vec<String> = baselines
        .iter()
        .filter(|baseline| !baseline.name.reads_more())
        .map(|baseline| (baseline.name, value(&baseline.metrics)))
        // A version without this metric is not ahead of anything.
        .filter(|&(_, other)| own.is_nan() || own < other)
        .map(|(name, other)| format!("{name} {other:.3}"))
        .collect();
    if better.is_empty() {
        return Ok(None);
    }
    let said = format!("on {test} its {metric} is {own:.3}, below {}", better.join(", "));
    match &recipe.default_although {
        Some(reason) => Ok(Some(format!("Default although {said}: {reason}"))),
        None => bail!(
            "{} cannot be the default: {said}. Take \"default\" off its recipe, or say there why in \"default_although\"",
            recipe.id()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::experiment::Baseline;
    use crate::stats::interval::Interval;

    fn values(value: f64) -> Vec<MetricValue> {
        vec![MetricValue { name: Metric::Mcc, value: Interval { value, low: value, high: value } }]
    }

    fn recipe(rest: &str) -> Recipe {
        let text = format!(
            r#"{{"model": "premirna_cnn_lstm", "version": "a", "data": {{"pre_mirnas": {{"split": "folds"}}}},
                "seeds": [1], "stages": [{{"epochs": 1, "batch": 2, "learning_rate": 0.1}}]{rest}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_default_below_a_baseline_needs_a_reason() {
        let better = [MeasuredBaseline { name: Baseline::EndsInYag, metrics: values(0.84) }];
        let held =
            |rest: &str, own: f64| hold_to_baselines(&recipe(rest), Task::PreMirna, &values(own), &better);
        assert_eq!(held("", 0.8).unwrap(), None);
        assert_eq!(held(r#", "default": true"#, 0.85).unwrap(), None);
        let refused = held(r#", "default": true"#, 0.8).unwrap_err().to_string();
        assert!(refused.contains("MCC is 0.800, below ends in YAG 0.840"), "{refused}");
        assert!(held(r#", "default": true"#, f64::NAN).is_err());
        let said =
            held(r#", "default": true, "default_although": "it is calibrated""#, 0.8).unwrap().unwrap();
        assert!(said.ends_with("below ends in YAG 0.840: it is calibrated"), "{said}");
    }

    /// The committed weights: the metrics that stand beside them, by the recipe that they were made by.
    #[test]
    fn every_shipped_default_is_ahead_of_its_baselines() {
        let weights = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../weights"));
        let mut held = 0;
        for version in mirador_models::WeightsDir::scan(weights).unwrap() {
            let recipe = Recipe::beside(&version.path).unwrap();
            if !recipe.default {
                continue;
            }
            let task = mirador_models::find(&recipe.model).unwrap().task;
            let read = std::fs::read(version.path.join("metrics.json")).unwrap();
            let said = match task {
                Task::Repression => {
                    let report: crate::repression::Report = serde_json::from_slice(&read).unwrap();
                    hold_to_baselines(&recipe, task, &report.model.metrics, &report.baselines)
                }
                _ => {
                    let report: crate::results::report::Report = serde_json::from_slice(&read).unwrap();
                    let set = report.set(contest(task).0).unwrap();
                    hold_to_baselines(&recipe, task, &set.model.metrics, &set.baselines)
                }
            };
            said.unwrap();
            held += 1;
        }
        assert_eq!(held, 4, "each task has a default");
    }
}

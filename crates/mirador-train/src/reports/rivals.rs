//! A published network beside ours, as a template sees it.

use minijinja::context;
use minijinja::value::Value;

use super::network::ShownMetric;
use super::scores::signed;
use crate::results::rival::{Beside, Rival};
use crate::stats::metrics::MetricValue;

/// The fields of what was measured.
pub(super) fn fields(rival: &Rival) -> Value {
    let sets = rival.sets.iter().map(|set| (set.name.as_str(), fields_of(set)));
    context! {
        model => &rival.model,
        ours => rival.ours.to_string(),
        command => &rival.command,
        sha256 => &rival.sha256,
        sets => Value::from_pairs(sets),
    }
}

fn fields_of(set: &Beside) -> Value {
    let by_name = |metrics: &[MetricValue]| -> Value {
        Value::from_pairs(metrics.iter().map(|metric| ShownMetric::by_name(metric, Vec::new())))
    };
    let differences = set.difference.iter().map(|metric| {
        let name: &str = metric.name.into();
        (name, signed(&metric.value))
    });
    context! {
        rows => set.rows,
        metrics => by_name(&set.theirs.metrics),
        calibration_error => set.theirs.calibration_error,
        ours => context! {
            metrics => by_name(&set.ours.metrics),
            calibration_error => set.ours.calibration_error,
        },
        difference => Value::from_pairs(differences),
    }
}

//! Networks side by side on the same rows, as a template sees them.

use minijinja::context;
use minijinja::value::{Serde, Value};

use super::network::ShownMetric;
use super::scores::signed;
use crate::results::side_by_side::{ReachedHere, SetBeside, SideBySide};
use crate::stats::metrics::MetricValue;

/// The fields of a comparison.
pub(super) fn fields(compared: &SideBySide) -> Value {
    let abundance = compared.abundance.as_ref().map(|abundance| {
        let difference = abundance.difference.iter().map(|metric| signed(&metric.value));
        context! {
            network => &abundance.network,
            without => by_name(&abundance.without),
            with => by_name(&abundance.with),
            difference => difference.collect::<Vec<String>>(),
        }
    });
    context! {
        command => &compared.command,
        rows => compared.rows.to_string(),
        scorers => Value::from(Serde(compared.scorers.clone())),
        sets => compared.sets.iter().map(fields_of).collect::<Value>(),
        ranked => Value::from(Serde(compared.ranked.clone())),
        clusters => Value::from(Serde(compared.clusters.clone())),
        abundance,
    }
}

fn fields_of(set: &SetBeside) -> Value {
    let reached = |ReachedHere { scorer, metrics, at_threshold }: &ReachedHere| {
        context! { scorer, metrics => by_name(metrics), at_threshold => Value::from(Serde(*at_threshold)) }
    };
    context! {
        test => &set.test,
        kind => &set.kind,
        stratum => &set.stratum,
        rows => set.rows,
        positives => set.positives,
        reached => set.reached.iter().map(reached).collect::<Value>(),
    }
}

fn by_name(metrics: &[MetricValue]) -> Value {
    Value::from_pairs(metrics.iter().map(|metric| ShownMetric::by_name(metric, Vec::new())))
}

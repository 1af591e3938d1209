//! Comparisons and matrices as a template sees them.

use minijinja::context;
use minijinja::value::{Serde, Value};
use mirador_models::tasks::Task;

use super::network::ShownMetric;
use crate::results::comparison::{CalledSet, Compared, ComparedBaseline, ComparedSet, Comparison};
use crate::results::matrix::{Matrix, Said};
use crate::stats::metrics::{Measured, Metric};

/// Networks on the tests of a version: `command`, `tests_of`, `networks`.
pub(super) fn comparison(comparison: &Comparison) -> Value {
    context! {
        command => &comparison.command,
        tests_of => comparison.tests_of.to_string(),
        baselines => Value::from_pairs(comparison.baselines.iter().map(baseline)),
        networks => comparison.networks.iter().map(network).collect::<Value>(),
    }
}

/// By its name: what it says of each test.
fn baseline(of: &ComparedBaseline) -> (String, Value) {
    let set = |set: &CalledSet| {
        let metrics =
            Metric::of(Task::TargetSite).iter().map(|&name| <&str>::from(name)).zip(set.metrics.clone());
        let fields = context! {
            metrics => Value::from_pairs(metrics),
            at_threshold => Value::from(Serde(set.at_threshold)),
            called => set.called,
        };
        (set.name.clone(), fields)
    };
    (of.name.to_string(), Value::from_pairs(of.sets.iter().map(set)))
}

fn network(of: &Compared) -> Value {
    let sets = of.sets.iter().map(|set| (set.name.as_str(), set_of(set)));
    context! {
        version => of.version.to_string(),
        of_authors => of.of_authors,
        sha256 => &of.sha256,
        dataset => &of.dataset,
        sets => Value::from_pairs(sets),
    }
}

fn set_of(set: &ComparedSet) -> Value {
    context! {
        name => &set.name,
        in_own_data => set.in_own_data,
        all => fields(&set.all),
        others => set.others.as_ref().map(fields),
    }
}

fn fields(measured: &Measured) -> Value {
    let metrics = measured.metrics.iter().map(|metric| ShownMetric::by_name(metric, Vec::new()));
    context! {
        rows => measured.rows,
        metrics => Value::from_pairs(metrics),
        at_threshold => measured.classes.as_ref().map(|classes| Value::from(Serde(classes.at_threshold))),
        called_of_one_class => measured.called_of_one_class(),
    }
}

/// miRNAs against genes: `command`, `window`, `mirnas`, `genes`, `known`, `seeds`, `networks`.
pub(super) fn matrix(matrix: &Matrix) -> Value {
    let said = |said: &Said| {
        context! {
            network => &said.network,
            best => &said.best,
            called => &said.called,
            windows => &said.windows,
            by_kind => Value::from(Serde(matrix.by_kind(said))),
        }
    };
    context! {
        command => &matrix.command,
        window => matrix.window,
        mirnas => Value::from(Serde(&matrix.mirnas)),
        genes => Value::from(Serde(&matrix.genes)),
        known => &matrix.known,
        trained => &matrix.trained,
        seeds => &matrix.seeds,
        networks => matrix.networks.iter().map(said).collect::<Value>(),
    }
}

//! The functions and filters that a template may use; `reports/templates/README.md` describes them for its writer.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind, context};
use mirador_models::WeightsDir;
use mirador_models::tasks::Task;

use super::charts::Spread;
use super::network::{Network, ShownMetric};
use super::page::Page;
use super::scores::signed;
use super::unrelated::unrelated;
use super::{folds, measured, rivals, scores, side_by_side};
use crate::data::sources::published_scores;
use crate::data::target_sites::prepare::KLIMENTOVA_TEST;
use crate::recipe::EpochMetric;
use crate::results::predictions::Predictions;
use crate::results::report::{mean_and_range, range_of};
use crate::stats::correlation::mean;

/// Values by row and column.
type Cells = Vec<Vec<Option<f64>>>;

/// Gives a template all that it may use.
pub(super) fn add_to(environment: &mut Environment<'static>, page: Arc<Page>) {
    networks(environment, &page);
    pictures(environment, &page);
    row_scores(environment, &page);
    environment.add_function("by_fold", |network: Arc<Network>, set: String| folds::by_fold(&network, &set));
    environment.add_function(
        "paired_by_seed",
        |network: Arc<Network>, other: Arc<Network>, test: String, metric: String| {
            scores::paired_by_seed(&network, &other, &test, &metric)
        },
    );
    environment.add_filter("range", |values: Vec<f64>, digits: usize| range_of(values.into_iter(), digits));
    environment.add_filter("mean_range", |values: Vec<f64>| mean_and_range(values.into_iter()));
    environment.add_filter("mean_ci", |values: Vec<f64>| scores::mean_and_interval(&values));
    environment.add_filter("mean", |values: Vec<f64>| mean(&values));
    environment.add_filter("mean_sd", mean_and_deviation);
    environment.add_filter("over_runs", over_runs);
}

fn networks(environment: &mut Environment<'static>, page: &Arc<Page>) {
    let here = page.clone();
    environment.add_function("network", move |model: String, version: String| {
        here.network(&model, &version).map(|network| network.map(Value::from_object)).map_err(refused)
    });
    let here = page.clone();
    environment.add_function("recipe", move |model: String, version: String| {
        let recipe = here.recipe(&model, &version).map_err(refused)?;
        Ok::<Value, Error>(recipe.map_or(Value::from(()), |recipe| Value::from(Serde(recipe))))
    });
    let here = page.clone();
    environment.add_function("fitted", move |model: String, version: String| {
        let report = here.fitted(&model, &version).map_err(refused)?;
        Ok::<Value, Error>(report.map_or(Value::from(()), |report| Value::from(Serde(report))))
    });
    let here = page.clone();
    environment.add_function("served", move |task: String| {
        let networks = here.served(&task).map_err(refused)?;
        Ok::<Value, Error>(networks.into_iter().map(Value::from_object).collect())
    });
    let here = page.clone();
    environment.add_function("rival", move |model: String| {
        let rival = here.rival(&model).map_err(refused)?;
        Ok::<Value, Error>(rival.map_or(Value::from(()), |rival| rivals::fields(&rival)))
    });
    let here = page.clone();
    environment.add_function("side_by_side", move |name: String| {
        let found = here.side_by_side(&name).map_err(refused)?;
        Ok::<Value, Error>(found.map_or(Value::from(()), |found| side_by_side::fields(&found)))
    });
    let here = page.clone();
    environment.add_function("comparison", move |tests_of: String, command: String| {
        let found = here.comparison(&tests_of, &command).map_err(refused)?;
        Ok::<Value, Error>(found.map_or(Value::from(()), |found| measured::comparison(&found)))
    });
    let here = page.clone();
    environment.add_function("matrix", move |name: String, command: String| {
        let found = here.matrix(&name, &command).map_err(refused)?;
        Ok::<Value, Error>(found.map_or(Value::from(()), |found| measured::matrix(&found)))
    });
    let here = page.clone();
    environment.add_function("missing", move || Value::from(Serde(here.missing())));
}

fn pictures(environment: &mut Environment<'static>, page: &Arc<Page>) {
    let here = page.clone();
    environment.add_function("training_picture", move |network: Arc<Network>, file: String| {
        here.training_picture(&network, &file).map_err(refused)
    });
    let here = page.clone();
    environment.add_function(
        "class_curves",
        move |network: Arc<Network>, set: String, file: String, title: String, baselines: Vec<String>| {
            here.class_curves(&network, &set, &file, &title, &baselines).map_err(refused)
        },
    );
    let here = page.clone();
    environment.add_function("reliability", move |network: Arc<Network>, set: String| {
        here.reliability(&network, &set).map_err(refused)
    });
    let here = page.clone();
    environment.add_function(
        "bars",
        move |file: String, title: String, metric: String, from: f64, bars: Serde<Vec<(String, f64)>>| {
            here.bars(&file, &title, &metric, from, &bars).map_err(refused)
        },
    );
    let here = page.clone();
    environment.add_function(
        "epoch_curves",
        move |file: String, title: String, metric: Serde<EpochMetric>, names: Vec<String>, of: Vec<Value>| {
            let networks = of.iter().filter_map(|value| value.downcast_object::<Network>());
            let networks: Vec<(String, Arc<Network>)> = names.into_iter().zip(networks).collect();
            here.epoch_curves(&file, &title, metric.0, &networks).map_err(refused)
        },
    );
    let here = page.clone();
    environment.add_function(
        "grouped_bars",
        move |file: String,
              title: String,
              from: f64,
              groups: Vec<String>,
              series: Serde<Vec<(String, Vec<Spread>)>>| {
            here.grouped_bars(&file, &title, from, &groups, &series).map_err(refused)
        },
    );
    let here = page.clone();
    environment.add_function(
        "radar",
        move |file: String, title: String, axes: Vec<String>, series: Serde<Vec<(String, Vec<f64>)>>| {
            here.radar(&file, &title, &axes, &series).map_err(refused)
        },
    );
    let here = page.clone();
    environment.add_function(
        "heat_map",
        move |file: String, title: String, rows: Vec<String>, columns: Vec<String>, values: Serde<Cells>| {
            here.heat_map(&file, &title, &rows, &columns, &values).map_err(refused)
        },
    );
    let here = page.clone();
    environment.add_function(
        "curve",
        move |file: String, title: String, x: String, y: String, points: Serde<Vec<(f64, f64)>>| {
            here.curve(&file, &title, (&x, &y), points.0).map_err(refused)
        },
    );
}

fn row_scores(environment: &mut Environment<'static>, page: &Arc<Page>) {
    let here = page.clone();
    environment.add_function("row_scores", move |network: Arc<Network>, set: String| {
        here.scores(&network, &set).map(Value::from_dyn_object)
    });
    let here = page.clone();
    environment.add_function("differences_to", move |set: Arc<Predictions>, baseline: String| {
        differences(&here.runs.data, &set, &baseline).map_err(refused)
    });
    environment.add_function("difference_between", |set: Arc<Predictions>, other: Arc<Predictions>| {
        let difference = set.difference(Task::TargetSite, &other.network);
        difference.iter().map(|metric| signed(&metric.value)).collect::<Vec<String>>()
    });
    environment.add_function(
        "hairpin_difference",
        |set: Arc<Predictions>, baseline: String, metric: String| {
            let difference = set.column(&baseline).map(|scores| set.difference(Task::PreMirna, scores));
            let metric = difference.into_iter().flatten().find(|of| of.name.to_string() == metric);
            metric.map(|metric| signed(&metric.value))
        },
    );
    let here = page.clone();
    environment.add_function("unrelated", move |network: Arc<Network>| {
        let folder = here.runs.roots.folder(&network.recipe);
        if !folder.join("model.safetensors").is_file() {
            return Ok::<Value, Error>(Value::from(()));
        }
        let weights = WeightsDir::open(&folder).map_err(anyhow::Error::from);
        weights.and_then(|weights| unrelated(&weights)).map_err(refused)
    });
    environment.add_function("calibration", scores::calibration);
    environment.add_function("below_quantile", scores::below_quantile);
}

/// What a network has more than a baseline and than the published tools with public row scores.
fn differences(data: &Path, set: &Predictions, baseline: &str) -> Result<Vec<Value>> {
    let mut others: Vec<(&str, Vec<f64>)> = Vec::new();
    others.extend(set.column(baseline).map(|scores| (baseline, scores.to_vec())));
    if set.name == KLIMENTOVA_TEST && data.is_dir() {
        others.extend(published_scores(data)?);
    }
    let row = |(than, scores): &(&str, Vec<f64>)| {
        let difference = set.difference(Task::TargetSite, scores);
        let metrics: Vec<String> = difference.iter().map(|metric| signed(&metric.value)).collect();
        context! { than => *than, metrics }
    };
    Ok(others.iter().map(row).collect())
}

/// Mean and range where a metric has several runs, else its interval.
fn over_runs(metric: &ShownMetric) -> String {
    match metric.runs.len() {
        0 | 1 => metric.interval.to_string(),
        _ => mean_and_range(metric.runs.iter().copied()),
    }
}

/// Mean ± standard deviation; of a single value the value.
fn mean_and_deviation(values: Vec<f64>) -> String {
    match values.len() {
        0 | 1 => format!("{:.3}", mean(&values)),
        _ => format!("{:.3} ± {:.3}", mean(&values), scores::deviation(&values)),
    }
}

fn refused(error: anyhow::Error) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("{error:#}"))
}

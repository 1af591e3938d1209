//! The pictures of a report. Each function draws and gives the Markdown that shows it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::charts::{self, Spread};
use super::drawing::{self, Curve};
use super::network::Network;
use super::page::Page;
use crate::recipe::EpochMetric;
use crate::results::report::SeedReport;
use crate::stats::correlation::mean;
use crate::stats::metrics::Classes;

const UNIT: [(f64, f64); 2] = [(0.0, 1.0), (0.0, 1.0)];

impl Page {
    /// The validation metric that chooses, epoch by epoch, for up to five runs.
    pub(super) fn training_picture(&self, network: &Network, file: &str) -> Result<String> {
        let sign = network.recipe.choose_by.sign();
        let points = |run: &SeedReport| {
            let epochs = run.history.iter().zip(1..);
            epochs.map(|(epoch, at)| (f64::from(at), sign * epoch.score)).collect()
        };
        let has_folds = network.report.seeds.iter().any(|run| run.fold > 0);
        let name = |run: &SeedReport| match has_folds {
            true => format!("seed {}, fold {}", run.seed, run.fold + 1),
            false => format!("seed {}", run.seed),
        };
        let curve = |run: &SeedReport| Curve { name: name(run), points: points(run) };
        let curves: Vec<Curve> = network.report.seeds.iter().take(5).map(curve).collect();
        let values = || curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
        let (low, high) =
            (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        let longest = curves.iter().map(|curve| curve.points.len()).max().unwrap_or(1) as f64;
        let margin = (high - low).max(1e-3) * 0.1;
        let ranges = [(1.0, longest.max(2.0)), (low - margin, high + margin)];
        let axes = ("epoch", &*format!("validation {}", network.chosen_by()));
        let title = format!("{}: training", network.recipe.id());
        drawing::curves(&self.new_picture(file)?, &title, axes, ranges, &curves)?;
        Ok(self.shown(file, &title))
    }

    /// A validation metric by epoch, the mean over each network's runs.
    pub(super) fn epoch_curves(
        &self,
        file: &str,
        title: &str,
        metric: EpochMetric,
        networks: &[(String, Arc<Network>)],
    ) -> Result<String> {
        let curve = |(name, network): &(String, Arc<Network>)| {
            let runs = &network.report.seeds;
            let epochs = runs.iter().map(|run| run.history.len()).min().unwrap_or(0);
            let value = |run: &SeedReport, epoch: usize| run.history[epoch].validation.get(&metric).copied();
            let mean_at = |epoch: usize| {
                let values: Option<Vec<f64>> = runs.iter().map(|run| value(run, epoch)).collect();
                values.map(|values| ((epoch + 1) as f64, mean(&values)))
            };
            Curve { name: name.clone(), points: (0..epochs).filter_map(mean_at).collect() }
        };
        let curves: Vec<Curve> = networks.iter().map(curve).collect();
        let points: Vec<(f64, f64)> = curves.iter().flat_map(|curve| curve.points.clone()).collect();
        if points.is_empty() {
            return Ok(String::new());
        }
        let [(_, last), of_values] = [range(&points, |point| point.0), range(&points, |point| point.1)];
        let axes = ("epoch", &*format!("validation {metric}").replace('_', " "));
        drawing::curves(&self.new_picture(file)?, title, axes, [(1.0, last.max(2.0)), of_values], &curves)?;
        Ok(self.shown(file, title))
    }

    /// Bars in groups, each with its spread, from `from` on.
    pub(super) fn grouped_bars(
        &self,
        file: &str,
        title: &str,
        from: f64,
        groups: &[String],
        series: &[(String, Vec<Spread>)],
    ) -> Result<String> {
        charts::grouped_bars(&self.new_picture(file)?, title, from, groups, series)?;
        Ok(self.shown(file, title))
    }

    /// A closed line for each series over rays from 0 to 1.
    pub(super) fn radar(
        &self,
        file: &str,
        title: &str,
        axes: &[String],
        series: &[(String, Vec<f64>)],
    ) -> Result<String> {
        charts::radar(&self.new_picture(file)?, title, axes, series)?;
        Ok(self.shown(file, title))
    }

    /// Values from 0 to 1 in cells.
    pub(super) fn heat_map(
        &self,
        file: &str,
        title: &str,
        rows: &[String],
        columns: &[String],
        values: &[Vec<Option<f64>>],
    ) -> Result<String> {
        charts::heat_map(&self.new_picture(file)?, title, rows, columns, values)?;
        Ok(self.shown(file, title))
    }

    /// ROC and precision-recall curves of a set: the network beside some baselines.
    pub(super) fn class_curves(
        &self,
        network: &Network,
        set: &str,
        file: &str,
        title: &str,
        baselines: &[String],
    ) -> Result<String> {
        let kinds: [(&str, &str, (&str, &str), drawing::OfScores); 2] = [
            ("roc", "ROC", ("false positive rate", "true positive rate"), drawing::roc),
            ("pr", "precision and recall", ("recall", "precision"), drawing::precision_recall),
        ];
        let named = kinds.map(|(end, kind, ..)| (format!("{file}-{end}"), format!("{title}: {kind}")));
        if named.iter().all(|(file, _)| self.drawn_before(network, file)) {
            return Ok(named.map(|(file, title)| self.shown(&file, &title)).join("\n\n"));
        }
        let Some(set) = self.scores(network, set) else { return Ok(String::new()) };
        let labels = set.labels();
        let beside = baselines.iter().filter_map(|name| Some((name.as_str(), set.column(name)?)));
        let scores: Vec<(&str, &[f64])> =
            [("this network", &set.network[..])].into_iter().chain(beside).collect();
        for ((file, title), (_, _, axes, points)) in named.iter().zip(kinds) {
            let curve = |(name, scores): &(&str, &[f64])| Curve {
                name: (*name).to_owned(),
                points: points(&labels, scores),
            };
            let curves: Vec<Curve> = scores.iter().map(curve).collect();
            drawing::curves(&self.new_picture(file)?, title, axes, UNIT, &curves)?;
        }
        Ok(named.map(|(file, title)| self.shown(&file, &title)).join("\n\n"))
    }

    /// The fraction of positives by probability, in bins of a tenth.
    pub(super) fn reliability(&self, network: &Network, set: &str) -> Result<String> {
        let (file, title) = (format!("{set}-reliability"), format!("{set}: reliability"));
        if !self.drawn_before(network, &file) {
            let Some(set) = self.scores(network, set) else { return Ok(String::new()) };
            let classes = Classes::new(&set.targets, &set.network);
            let bins = classes.reliability.iter().filter(|bin| bin.rows > 0);
            let points = bins.map(|bin| (bin.predicted, bin.observed)).collect();
            let seen = Curve { name: "seen".to_owned(), points };
            let perfect = Curve { name: "perfect".to_owned(), points: vec![(0.0, 0.0), (1.0, 1.0)] };
            let axes = ("probability", "fraction of positives");
            drawing::curves(&self.new_picture(&file)?, &title, axes, UNIT, &[seen, perfect])?;
        }
        Ok(self.shown(&file, &title))
    }

    /// Horizontal bars, one for each name, from `from` on.
    pub(super) fn bars(
        &self,
        file: &str,
        title: &str,
        metric: &str,
        from: f64,
        bars: &[(String, f64)],
    ) -> Result<String> {
        drawing::bars(&self.new_picture(file)?, title, metric, from, bars)?;
        Ok(self.shown(file, title))
    }

    /// One curve, with room around it.
    pub(super) fn curve(
        &self,
        file: &str,
        title: &str,
        axes: (&str, &str),
        points: Vec<(f64, f64)>,
    ) -> Result<String> {
        let ranges = [range(&points, |point| point.0), range(&points, |point| point.1)];
        let curve = Curve { name: axes.1.to_owned(), points };
        drawing::curves(&self.new_picture(file)?, title, axes, ranges, &[curve])?;
        Ok(self.shown(file, title))
    }

    /// Whether a picture is there that cannot be drawn again: the row scores are not here, and it was committed with the
    /// run that wrote them.
    fn drawn_before(&self, network: &Network, file: &str) -> bool {
        network.predictions.is_empty() && self.path(file).is_file()
    }

    /// Where a picture goes; a report without one has no folder.
    fn new_picture(&self, file: &str) -> Result<PathBuf> {
        let path = self.path(file);
        let folder = path.parent().context("a picture is in its report's folder")?;
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(path)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.runs.reports.join(&self.name).join(format!("{file}.svg"))
    }

    fn shown(&self, file: &str, title: &str) -> String {
        format!("![{title}]({}/{file}.svg)", self.name)
    }
}

/// From the lowest to the highest, with room around them.
fn range(points: &[(f64, f64)], of: fn(&(f64, f64)) -> f64) -> (f64, f64) {
    let values = || points.iter().map(of);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let margin = (high - low).max(1e-3) * 0.1;
    (low - margin, high + margin)
}

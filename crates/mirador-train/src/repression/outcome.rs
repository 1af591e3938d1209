//! How well scores order an experiment's genes, and means of that over experiments.

use mirador_models::tasks::Task;

use super::fit::Scores;
use crate::data::repression::dataset::Experiment;
use crate::stats::correlation::spearman;
use crate::stats::interval::bootstrap;
use crate::stats::metrics::{Metric, MetricValue};
use crate::stats::ranking::{auroc, average_precision};

/// A gene is down from this repression on, raw and centred, log2, …
const DOWN: f64 = 0.5;
/// … and with a false discovery rate below this; …
const FDR: f64 = 0.05;
/// … below this centred repression it is not, and between both it is left out.
const NOT_DOWN: f64 = 0.2;
/// Genes that must be down for an experiment to tell classes apart, and the same where only some genes are measured.
const FEWEST_DOWN: usize = 30;
const FEWEST_DOWN_OF_SOME: usize = 3;

/// Spearman, AUROC and average precision; NaN where too few genes are down.
pub(super) type Figures = [f64; 3];

/// What became of an experiment's genes.
pub(super) struct Outcome {
    /// Which genes were tested.
    tested: Vec<usize>,
    /// Centred repression of each.
    repression: Vec<f64>,
    /// Whether each is down; `None` between.
    is_down: Vec<Option<bool>>,
}

impl Outcome {
    /// The outcome of an experiment.
    pub(super) fn of(experiment: &Experiment) -> Self {
        let kind = experiment.about.kind;
        let mut outcome = Self { tested: Vec::new(), repression: Vec::new(), is_down: Vec::new() };
        for (gene, change) in experiment.changes.iter().enumerate() {
            let Some(change) = change else { continue };
            let (raw, centred) = (kind.repression(change.raw), kind.repression(change.centred));
            let is_down = centred >= DOWN && raw >= DOWN && change.fdr.is_some_and(|fdr| fdr < FDR);
            outcome.tested.push(gene);
            outcome.repression.push(centred);
            outcome.is_down.push((is_down || centred < NOT_DOWN).then_some(is_down));
        }
        outcome
    }

    /// Genes that were tested.
    pub(super) fn tested(&self) -> usize {
        self.tested.len()
    }

    /// Genes that are down.
    pub(super) fn down(&self) -> usize {
        self.is_down.iter().filter(|is_down| **is_down == Some(true)).count()
    }

    /// Whether enough are down to tell classes apart.
    pub(super) fn has_classes(&self) -> bool {
        self.down() >= FEWEST_DOWN
    }

    /// The share of genes that are down among those that are or are not.
    pub(super) fn base_rate(&self) -> f64 {
        self.down() as f64 / self.is_down.iter().flatten().count() as f64
    }

    /// How well scores order all genes, or some.
    pub(super) fn figures(&self, scores: &Scores, genes: Option<&[bool]>) -> Figures {
        let rows: Vec<usize> =
            (0..self.tested.len()).filter(|&row| genes.is_none_or(|genes| genes[self.tested[row]])).collect();
        let scored = |scores: &[f64], rows: &[usize]| {
            rows.iter().map(|&row| scores[self.tested[row]]).collect::<Vec<f64>>()
        };
        let repression: Vec<f64> = rows.iter().map(|&row| self.repression[row]).collect();
        let correlation = spearman(&repression, &scored(&scores.repression, &rows));
        // A score that is the same of every gene says nothing.
        let correlation = if correlation.is_finite() { correlation } else { 0.0 };
        let told: Vec<usize> = rows.into_iter().filter(|&row| self.is_down[row].is_some()).collect();
        let labels: Vec<bool> = told.iter().map(|&row| self.is_down[row] == Some(true)).collect();
        if !self.has_classes() || labels.iter().filter(|&&label| label).count() < FEWEST_DOWN_OF_SOME {
            return [correlation, f64::NAN, f64::NAN];
        }
        let ranked = scored(&scores.rank, &told);
        [correlation, auroc(&labels, &ranked), average_precision(&labels, &ranked)]
    }
}

/// Means over experiments, each metric over those that have it.
pub(super) fn means(figures: &[Figures]) -> Figures {
    std::array::from_fn(|metric| {
        let known: Vec<f64> = figures.iter().map(|of| of[metric]).filter(|value| value.is_finite()).collect();
        known.iter().sum::<f64>() / known.len() as f64
    })
}

/// Means with 95 % intervals: bootstraps over the experiments' seed groups.
pub(super) fn with_intervals(figures: &[Figures], groups: &[usize]) -> Vec<MetricValue> {
    let values = bootstrap(groups, |rows| {
        means(&rows.iter().map(|&row| figures[row]).collect::<Vec<Figures>>()).to_vec()
    });
    Metric::of(Task::Repression)
        .iter()
        .zip(values)
        .map(|(&name, value)| MetricValue { name, value })
        .collect()
}

/// Paired differences of the means, with intervals.
pub(super) fn differences(figures: &[Figures], others: &[Figures], groups: &[usize]) -> Vec<MetricValue> {
    let less = |(one, other): (&Figures, &Figures)| std::array::from_fn(|metric| one[metric] - other[metric]);
    with_intervals(&figures.iter().zip(others).map(less).collect::<Vec<Figures>>(), groups)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::repression::dataset::{About, Change, Kind};

    fn experiment(kind: Kind, changes: Vec<Option<Change>>) -> Experiment {
        let text = || String::from("x");
        let about =
            About { id: text(), mirna: text(), sequence: text(), group: text(), kind, series: text() };
        Experiment { about, changes }
    }

    #[test]
    fn a_gene_is_down_by_both_changes_and_the_rate() {
        let change = |raw: f64, centred: f64, fdr: Option<f64>| Some(Change { raw, centred, fdr });
        let changes = vec![
            change(-0.5, -0.5, Some(0.04)),
            change(-0.5, -0.5, Some(0.05)),
            change(-0.5, -0.5, None),
            change(-0.4, -0.6, Some(0.01)),
            change(-0.6, -0.19, Some(0.01)),
            None,
            change(0.7, 0.7, Some(0.01)),
        ];
        let outcome = Outcome::of(&experiment(Kind::OverExpression, changes.clone()));
        assert_eq!(outcome.is_down, [Some(true), None, None, None, Some(false), Some(false)]);
        assert_eq!((outcome.tested(), outcome.down()), (6, 1));
        assert!((outcome.base_rate() - 1.0 / 3.0).abs() < 1e-12);
        let outcome = Outcome::of(&experiment(Kind::KnockOut, changes));
        assert_eq!(outcome.is_down.last(), Some(&Some(true)), "what goes up without the miRNA");
    }

    /// By hand: 30 genes down, 10 not, and the score puts 5 of the latter first.
    #[test]
    fn genes_are_ranked_by_all_sites_and_correlated_by_canonical_ones() {
        let change = |gene: usize| {
            let raw = if gene < 30 { -1.0 } else { 0.0 };
            Some(Change { raw, centred: raw, fdr: Some(0.01) })
        };
        let outcome = Outcome::of(&experiment(Kind::OverExpression, (0..40).map(change).collect()));
        let rank = (0..40)
            .map(|gene| {
                if gene >= 35 {
                    2.0
                } else if gene < 30 {
                    1.0
                } else {
                    0.0
                }
            })
            .collect();
        let scores =
            Scores { repression: (0..40).map(|gene| f64::from(u8::from(gene < 30))).collect(), rank };
        let [correlation, area, precision] = outcome.figures(&scores, None);
        assert!((correlation - 1.0).abs() < 1e-12);
        assert!((area - 0.5).abs() < 1e-12);
        assert!((precision - 30.0 / 35.0).abs() < 1e-12);
        // A part of the genes with two that are down tells no classes.
        let few: Vec<bool> = (0..40).map(|gene| !(2..30).contains(&gene)).collect();
        let [correlation, area, _] = outcome.figures(&scores, Some(&few));
        assert!((correlation - 1.0).abs() < 1e-12 && area.is_nan());
        assert_eq!(outcome.figures(&Scores::same(vec![0.0; 40]), None)[0], 0.0);
    }

    #[test]
    fn each_metric_is_a_mean_over_the_experiments_that_have_it() {
        let figures = [[0.1, 0.6, 0.2], [0.3, f64::NAN, f64::NAN], [0.2, 0.8, 0.4]];
        let near = |found: Figures, expected: Figures| {
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        };
        near(means(&figures), [0.2, 0.7, 0.3]);
        let shifted = figures.map(|of| of.map(|value| value - 0.05));
        for (difference, value) in differences(&figures, &shifted, &[0, 0, 1]).iter().zip([0.05; 3]) {
            let interval = difference.value;
            assert!(
                [interval.value, interval.low, interval.high].iter().all(|end| (end - value).abs() < 1e-12)
            );
        }
    }
}

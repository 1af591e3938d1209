//! Metrics of a task, with intervals. Never one under another's name: specificity is TN/(TN + FP), precision is
//! TP/(TP + FP); R² is 1 − RSS/TSS, r² is a squared correlation.

use mirador_models::tasks::{DECISION_THRESHOLD, Task};
use serde::{Deserialize, Serialize};

use super::correlation::{pearson, r_squared, root_mean_square, spearman};
use super::interval::{Interval, bootstrap};
use super::ranking::{Ranked, auroc, average_precision};

/// What is measured of a task; cards, reports and `metrics.json` print these names.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(into = "&'static str", try_from = "String")]
#[strum(serialize_all = "lowercase")]
pub enum Metric {
    /// Area under the receiver operating characteristic.
    #[strum(serialize = "AUROC")]
    Auroc,
    /// Area under the steps of precision over recall.
    #[strum(serialize = "average precision")]
    AveragePrecision,
    /// (TP + TN) / all.
    Accuracy,
    /// Matthews' correlation.
    #[strum(serialize = "MCC")]
    Mcc,
    /// TP / (TP + FN).
    Sensitivity,
    /// TN / (TN + FP).
    Specificity,
    /// Harmonic mean of precision and sensitivity.
    #[strum(serialize = "F1")]
    F1,
    /// Squared Pearson correlation.
    #[strum(serialize = "r² (squared Pearson)")]
    PearsonSquared,
    /// 1 − RSS/TSS.
    #[strum(serialize = "R² (1 − RSS/TSS)")]
    RSquared,
    /// Correlation of ranks.
    #[strum(serialize = "Spearman")]
    Spearman,
    /// Root of the mean squared error.
    #[strum(serialize = "RMSE")]
    Rmse,
}

impl TryFrom<String> for Metric {
    type Error = strum::ParseError;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        name.parse()
    }
}

impl Metric {
    /// A task's metrics, the first one the most important.
    pub fn of(task: Task) -> &'static [Self] {
        match task {
            Task::TargetSite => &[Self::Auroc, Self::AveragePrecision],
            Task::PreMirna => {
                &[Self::Accuracy, Self::Mcc, Self::Sensitivity, Self::Specificity, Self::F1, Self::Auroc]
            }
            Task::Expression => &[Self::PearsonSquared, Self::RSquared, Self::Spearman, Self::Rmse],
            Task::Repression => &[Self::Spearman, Self::Auroc, Self::AveragePrecision],
        }
    }
}

/// A metric with its 95 % interval.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct MetricValue {
    /// What was measured.
    pub name: Metric,
    /// How much it is.
    #[serde(flatten)]
    pub value: Interval,
}

/// A task's metrics in the order of [`Metric::of`]. Scores are probabilities, or the scores of a baseline.
pub fn metrics(task: Task, targets: &[f64], scores: &[f64]) -> Vec<f64> {
    let labels = || -> Vec<bool> { targets.iter().map(|&target| target >= 0.5).collect() };
    match task {
        Task::TargetSite => {
            let labels = labels();
            vec![auroc(&labels, scores), average_precision(&labels, scores)]
        }
        Task::PreMirna => {
            let labels = labels();
            let at = AtThreshold::new(&labels, scores, DECISION_THRESHOLD);
            vec![at.accuracy, at.mcc, at.sensitivity, at.specificity, at.f1, auroc(&labels, scores)]
        }
        Task::Repression => {
            let labels = labels();
            vec![spearman(targets, scores), auroc(&labels, scores), average_precision(&labels, scores)]
        }
        Task::Expression => vec![
            pearson(targets, scores).powi(2),
            r_squared(targets, scores),
            spearman(targets, scores),
            root_mean_square(targets, scores),
        ],
    }
}

/// Metrics with intervals: bootstraps over groups of rows.
pub fn with_intervals(task: Task, targets: &[f64], scores: &[f64], groups: &[usize]) -> Vec<MetricValue> {
    let values = if task == Task::TargetSite {
        let labels: Vec<bool> = targets.iter().map(|&target| target >= 0.5).collect();
        // Ranked once: a thousand samples of 14,000 rows need no sorting.
        let ranked = Ranked::new(&labels, scores);
        bootstrap(groups, |rows| ranked.auroc_and_average_precision(rows).to_vec())
    } else {
        bootstrap(groups, |rows| {
            let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            metrics(task, &pick(targets), &pick(scores))
        })
    };
    Metric::of(task).iter().zip(values).map(|(&name, value)| MetricValue { name, value }).collect()
}

/// Counts at a threshold and what follows from them.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AtThreshold {
    /// A score from here on is a yes.
    pub threshold: f64,
    /// (TP + TN) / all.
    pub accuracy: f64,
    /// TP / (TP + FN).
    pub sensitivity: f64,
    /// TN / (TN + FP).
    pub specificity: f64,
    /// TP / (TP + FP).
    pub precision: f64,
    /// Harmonic mean of precision and sensitivity.
    pub f1: f64,
    /// Matthews' correlation.
    pub mcc: f64,
}

impl AtThreshold {
    /// Counts at a threshold of these scores.
    pub fn new(labels: &[bool], scores: &[f64], threshold: f64) -> Self {
        let count = |label: bool, yes: bool| {
            let rows = labels.iter().zip(scores);
            rows.filter(|&(&l, &s)| l == label && (s >= threshold) == yes).count() as f64
        };
        let (tp, fn_, fp, tn) =
            (count(true, true), count(true, false), count(false, true), count(false, false));
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        Self {
            threshold,
            accuracy: share(tp + tn, tp + tn + fp + fn_),
            sensitivity: share(tp, tp + fn_),
            specificity: share(tn, tn + fp),
            precision: share(tp, tp + fp),
            f1: share(2.0 * tp, 2.0 * tp + fp + fn_),
            mcc: share(tp * tn - fp * fn_, ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt()),
        }
    }
}

/// Bins of equal width.
pub const BINS: usize = 10;

/// One bin of a reliability table.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Bin {
    /// Rows in the bin.
    pub rows: usize,
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of positives.
    pub observed: f64,
}

/// The bin that a probability falls into.
pub fn bin_of(probability: f64) -> usize {
    ((probability * BINS as f64) as usize).min(BINS - 1)
}

/// What can be said of probabilities only.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Classes {
    /// Positive rows.
    pub positives: usize,
    /// Their share: the average precision of a coin.
    pub base_rate: f64,
    /// At the decision threshold.
    pub at_threshold: AtThreshold,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Ten bins of equal width.
    pub reliability: Vec<Bin>,
}

/// Everything about one set of scored rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Rows.
    pub rows: usize,
    /// The task's metrics.
    #[serde(alias = "figures")]
    pub metrics: Vec<MetricValue>,
    /// Metrics of a task with two classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<Classes>,
}

impl Measured {
    /// Measures probabilities or levels.
    pub fn new(task: Task, targets: &[f64], scores: &[f64], groups: &[usize]) -> Self {
        Self {
            rows: targets.len(),
            metrics: with_intervals(task, targets, scores, groups),
            classes: task.has_two_classes().then(|| Classes::new(targets, scores)),
        }
    }
}

impl Measured {
    /// Where all rows are of one class, how many are called positive at the threshold.
    pub fn called_of_one_class(&self) -> Option<usize> {
        let Classes { positives, at_threshold, .. } = self.classes.as_ref()?;
        let called = |share: f64| (share * self.rows as f64).round() as usize;
        match *positives {
            0 => Some(called(1.0 - at_threshold.specificity)),
            all if all == self.rows => Some(called(at_threshold.sensitivity)),
            _ => None,
        }
    }
}

impl Classes {
    /// Metrics of these probabilities.
    pub fn new(targets: &[f64], probabilities: &[f64]) -> Self {
        let labels: Vec<bool> = targets.iter().map(|&target| target >= 0.5).collect();
        let rows = labels.len();
        let positives = labels.iter().filter(|&&label| label).count();
        let outcome = |row: usize| f64::from(u8::from(labels[row]));
        let squared = (0..rows).map(|row| (probabilities[row] - outcome(row)).powi(2));
        let bin = |index: usize| {
            let inside: Vec<usize> = (0..rows).filter(|&row| bin_of(probabilities[row]) == index).collect();
            let mean = |value: &dyn Fn(usize) -> f64| {
                inside.iter().map(|&row| value(row)).sum::<f64>() / inside.len().max(1) as f64
            };
            Bin { rows: inside.len(), predicted: mean(&|row| probabilities[row]), observed: mean(&outcome) }
        };
        Self {
            positives,
            base_rate: positives as f64 / rows as f64,
            at_threshold: AtThreshold::new(&labels, probabilities, DECISION_THRESHOLD),
            brier: squared.sum::<f64>() / rows as f64,
            reliability: (0..BINS).map(bin).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specificity_is_not_precision() {
        let labels = [true, true, false, true, false];
        let at = AtThreshold::new(&labels, &[0.9, 0.8, 0.7, 0.6, 0.1], 0.65);
        assert_eq!((at.sensitivity, at.specificity, at.precision), (2.0 / 3.0, 0.5, 2.0 / 3.0));
    }

    /// By hand: two pairs of four are in order against the labels, and so on.
    #[test]
    fn each_task_is_measured_by_its_own_metrics() {
        let named = |task: Task, targets: &[f64], scores: &[f64]| -> Vec<(Metric, f64)> {
            let values = metrics(task, targets, scores);
            assert_eq!(values.len(), Metric::of(task).len());
            Metric::of(task).iter().copied().zip(values).collect()
        };
        let near = |found: Vec<(Metric, f64)>, expected: &[(Metric, f64)]| {
            let names = |values: &[(Metric, f64)]| values.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            assert_eq!(names(&found), names(expected));
            let same = found.iter().zip(expected).all(|((_, a), (_, b))| (a - b).abs() < 1e-9);
            assert!(same, "{found:?}, not {expected:?}");
        };
        // Ranked: 1, 0, 1, 0; at one half: two hits, one false alarm, one right no.
        let (labels, scores) = ([1.0, 0.0, 1.0, 0.0], [0.9, 0.8, 0.7, 0.1]);
        near(
            named(Task::TargetSite, &labels, &scores),
            &[(Metric::Auroc, 0.75), (Metric::AveragePrecision, 5.0 / 6.0)],
        );
        near(
            named(Task::PreMirna, &labels, &scores),
            &[
                (Metric::Accuracy, 0.75),
                (Metric::Mcc, 2.0 / f64::sqrt(12.0)),
                (Metric::Sensitivity, 1.0),
                (Metric::Specificity, 0.5),
                (Metric::F1, 0.8),
                (Metric::Auroc, 0.75),
            ],
        );
        let (levels, predicted) = ([1.0, 2.0, 3.0], [2.0, 2.0, 5.0]);
        near(
            named(Task::Expression, &levels, &predicted),
            &[
                (Metric::PearsonSquared, 0.75),
                (Metric::RSquared, -1.5),
                (Metric::Spearman, f64::sqrt(0.75)),
                (Metric::Rmse, f64::sqrt(5.0 / 3.0)),
            ],
        );
    }

    #[test]
    fn an_interval_stands_around_each_metric() {
        let labels: Vec<f64> = (0..40).map(|row| f64::from(row % 2)).collect();
        let scores: Vec<f64> =
            (0..40).map(|row| f64::from(row % 2) * 0.3 + f64::from(row * 7 % 11) / 11.0).collect();
        let groups: Vec<usize> = (0..40).collect();
        let values = with_intervals(Task::TargetSite, &labels, &scores, &groups);
        let exact = metrics(Task::TargetSite, &labels, &scores);
        assert_eq!(values.len(), 2);
        for ((value, exact), name) in values.iter().zip(exact).zip(Metric::of(Task::TargetSite)) {
            assert_eq!((value.name, value.value.value), (*name, exact));
            assert!(value.value.low < exact && exact < value.value.high);
        }
    }
}

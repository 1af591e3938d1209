//! Figures of a binary classifier, with intervals. Never one under another's name: specificity is TN/(TN + FP),
//! precision is TP/(TP + FP).

use serde::{Deserialize, Serialize};

use super::interval::{Interval, ranked};

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
    /// Of these scores.
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

/// Everything about one set of scored rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Rows.
    pub rows: usize,
    /// Positives among them.
    pub positives: usize,
    /// Their share: the average precision of a coin.
    pub base_rate: f64,
    /// Area under the ROC curve.
    pub auroc: Interval,
    /// Average precision.
    pub average_precision: Interval,
    /// At the model's decision threshold.
    pub at_threshold: AtThreshold,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Ten bins of equal width.
    pub reliability: Vec<Bin>,
}

impl Measured {
    /// Of probabilities; `groups` are the site clusters.
    pub fn new(labels: &[bool], probabilities: &[f64], groups: &[usize], threshold: f64) -> Self {
        let [auroc, average_precision] = ranked(labels, probabilities, groups);
        let rows = labels.len();
        let positives = labels.iter().filter(|&&label| label).count();
        let outcome = |row: usize| f64::from(u8::from(labels[row]));
        let squared = (0..rows).map(|row| (probabilities[row] - outcome(row)).powi(2));
        let bin = |index: usize| {
            let inside: Vec<usize> =
                (0..rows).filter(|&row| ((probabilities[row] * 10.0) as usize).min(9) == index).collect();
            let mean = |value: &dyn Fn(usize) -> f64| {
                inside.iter().map(|&row| value(row)).sum::<f64>() / inside.len().max(1) as f64
            };
            Bin { rows: inside.len(), predicted: mean(&|row| probabilities[row]), observed: mean(&outcome) }
        };
        Self {
            rows,
            positives,
            base_rate: positives as f64 / rows as f64,
            auroc,
            average_precision,
            at_threshold: AtThreshold::new(labels, probabilities, threshold),
            brier: squared.sum::<f64>() / rows as f64,
            reliability: (0..10).map(bin).collect(),
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
}

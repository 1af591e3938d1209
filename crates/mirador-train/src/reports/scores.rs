//! What is computed from the scores of single rows, and from the runs of two networks.

use minijinja::context;
use minijinja::value::Value;

use crate::learn::calibration::{calibration_error, calibration_error_by_chance};
use crate::results::predictions::Predictions;
use crate::stats::correlation::{mean, pearson};
use crate::stats::interval::Interval;

/// The expected calibration error, and that of perfect probabilities on as many rows.
pub(super) fn calibration(set: &Predictions) -> Value {
    context! {
        expected => calibration_error(&set.labels(), &set.network),
        by_chance => calibration_error_by_chance(&set.network),
    }
}

/// The fraction of positives below a quantile of the negatives, divided by it.
pub(super) fn below_quantile(set: &Predictions, quantile: f64) -> Option<f64> {
    let scores = |label: bool| -> Vec<f64> {
        let rows = set.labels().into_iter().zip(&set.network);
        rows.filter(|(of, _)| *of == label).map(|(_, &score)| score).collect()
    };
    let (positives, mut negatives) = (scores(true), scores(false));
    negatives.sort_by(f64::total_cmp);
    let bound = negatives.get((quantile * negatives.len() as f64) as usize)?;
    let below = positives.iter().filter(|&score| score < bound).count();
    Some(below as f64 / positives.len() as f64 / quantile)
}

/// A difference with its sign.
pub(super) fn signed(Interval { value, low, high }: &Interval) -> String {
    format!("{value:+.3} ({low:+.3} to {high:+.3})")
}

/// The mean difference of two networks' runs, paired by their place, in standard errors; `None` below three pairs.
pub(super) fn paired_runs(runs: Vec<f64>, others: Vec<f64>) -> Option<Value> {
    let differences: Vec<f64> = runs.iter().zip(&others).map(|(a, b)| a - b).collect();
    let pairs = differences.len();
    if pairs < 3 {
        return None;
    }
    let mean = mean(&differences);
    let error = deviation(&differences) / (pairs as f64).sqrt();
    let correlation = pearson(&runs[..pairs], &others[..pairs]);
    Some(context! { pairs, mean, error, t => mean / error, correlation })
}

/// The standard deviation of a sample.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

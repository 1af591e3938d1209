//! What is computed from the scores of single rows, and from the runs of two networks.

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::Value;

use super::network::Network;
use crate::learn::calibration::{calibration_error, calibration_error_by_chance};
use crate::results::predictions::Predictions;
use crate::stats::correlation::mean;
use crate::stats::interval::Interval;
use crate::stats::significance::{signed_rank, student, student_95};

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

/// What one network's runs have more than another's on a test by one metric, paired by seed: a seed whose network died in
/// either makes no pair. `None` below three pairs, and where no pair differs from another.
pub(super) fn paired_by_seed(network: &Network, other: &Network, test: &str, metric: &str) -> Option<Value> {
    paired(network.report.by_seed(test, metric)?, &other.report.by_seed(test, metric)?)
}

fn paired(ours: BTreeMap<u64, f64>, theirs: &BTreeMap<u64, f64>) -> Option<Value> {
    let both = ours.into_iter().filter_map(|(seed, value)| Some((seed, value, *theirs.get(&seed)?)));
    let both: Vec<(u64, f64, f64)> = both.collect();
    let differences: Vec<f64> = both.iter().map(|(_, ours, theirs)| ours - theirs).collect();
    let pairs = differences.len();
    if pairs < 3 {
        return None;
    }
    let mean = mean(&differences);
    let error = deviation(&differences) / (pairs as f64).sqrt();
    if error == 0.0 {
        return None;
    }
    let t = mean / error;
    let half = student_95(pairs - 1) * error;
    Some(context! {
        pairs, mean, error, t,
        seeds => both.iter().map(|(seed, ..)| *seed).collect::<Vec<u64>>(),
        low => mean - half,
        high => mean + half,
        p => 10_f64.powf(student(t, pairs - 1)),
        signed_rank_p => 10_f64.powf(signed_rank(&differences).log10_p),
    })
}

/// Mean and 95 % interval of some runs, by Student's t.
pub(super) fn mean_and_interval(runs: &[f64]) -> String {
    let value = mean(runs);
    if runs.len() < 2 {
        return format!("{value:.3}");
    }
    let half = student_95(runs.len() - 1) * deviation(runs) / (runs.len() as f64).sqrt();
    Interval { value, low: value - half, high: value + half }.to_string()
}

/// The standard deviation of a sample.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_paired_by_seed() {
        let ours = BTreeMap::from([(1, 0.5), (1002, 0.9), (3, 0.4), (4, 0.6), (5, 0.7)]);
        let theirs = BTreeMap::from([(1, 0.4), (2, 0.1), (3, 0.3), (4, 0.3)]);
        let found = paired(ours, &theirs).unwrap();
        let number = |name: &str| f64::try_from(found.get_attr(name).unwrap()).unwrap();
        assert_eq!(number("pairs"), 3.0);
        assert!((number("mean") - 0.5 / 3.0).abs() < 1e-12);
        // t = 2.5 of two degrees: scipy's ttest_1samp([.1, .1, .3], 0).
        assert!((number("t") - 2.5).abs() < 1e-9);
        assert!((number("p") - 0.129_611_720_3).abs() < 1e-6);
        assert!(number("low") < 0.0 && number("high") > 0.45);
        assert!(paired(BTreeMap::from([(1, 0.5)]), &theirs).is_none());
    }
}

//! Metrics with 95 % intervals.

use std::collections::HashMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Bootstrap samples behind an interval.
const SAMPLES: usize = 1000;

/// A metric and its 95 % interval.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Interval {
    /// On all rows; NaN (in files: null) where a set has one class only.
    #[serde(deserialize_with = "null_is_nan")]
    pub value: f64,
    /// 2.5th percentile of the bootstrap.
    #[serde(deserialize_with = "null_is_nan")]
    pub low: f64,
    /// 97.5th percentile.
    #[serde(deserialize_with = "null_is_nan")]
    pub high: f64,
}

fn null_is_nan<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

impl std::fmt::Display for Interval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.value.is_nan() {
            return write!(f, "–");
        }
        write!(f, "{:.3} ({})", self.value, range(self.low, self.high, 3))
    }
}

/// From one number to another, in words where a minus beside the dash would be misread.
pub fn range(low: f64, high: f64, digits: usize) -> String {
    let between = if low.is_sign_negative() { " to " } else { "–" };
    format!("{low:.digits$}{between}{high:.digits$}")
}

/// A bootstrap over groups of rows (site clusters), not rows: rows of one group are not independent. `metrics` gives
/// the same number of metrics for any rows.
pub fn bootstrap(groups: &[usize], metrics: impl Fn(&[usize]) -> Vec<f64>) -> Vec<Interval> {
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for (row, &group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(row);
    }
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.sort_unstable();
    let all: Vec<usize> = (0..groups.len()).collect();
    let values = metrics(&all);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut samples: Vec<Vec<f64>> = vec![Vec::with_capacity(SAMPLES); values.len()];
    for _ in 0..SAMPLES {
        let rows: Vec<usize> =
            (0..members.len()).flat_map(|_| members[rng.random_range(0..members.len())].clone()).collect();
        for (sample, metric) in samples.iter_mut().zip(metrics(&rows)) {
            sample.push(metric);
        }
    }
    let interval = |(value, mut sample): (f64, Vec<f64>)| {
        sample.retain(|metric| metric.is_finite());
        sample.sort_by(f64::total_cmp);
        let at = |share: f64| sample.get((share * sample.len() as f64) as usize).copied().unwrap_or(f64::NAN);
        Interval { value, low: at(0.025), high: at(0.975) }
    };
    values.into_iter().zip(samples).map(interval).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minus_does_not_stand_beside_a_dash() {
        assert_eq!(range(0.25, 0.5, 2), "0.25–0.50");
        assert_eq!(range(-0.5, -0.25, 2), "-0.50 to -0.25");
        assert_eq!(Interval { value: 0.0, low: -0.0001, high: 0.1 }.to_string(), "0.000 (-0.000 to 0.100)");
    }
}

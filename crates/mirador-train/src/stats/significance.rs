//! How unlikely a difference or a correlation is by chance, as log10 p: the p of thousands of rows underflow.

use std::f64::consts::{LN_2, LN_10, PI};

use serde::{Deserialize, Serialize};

use super::correlation::ranks;

/// A two-sided test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// U of the first sample, or the smaller sum of signed ranks.
    pub statistic: f64,
    /// Logarithm to base 10 of the two-sided p, not corrected for other tests.
    pub log10_p: f64,
}

/// Mann and Whitney's rank-sum test of two samples: mid-ranks, variance corrected for ties, continuity corrected.
pub fn rank_sum(a: &[f64], b: &[f64]) -> Test {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let ranks = ranks(&[a, b].concat());
    let statistic = ranks[..a.len()].iter().sum::<f64>() - n * (n + 1.0) / 2.0;
    let all = n + m;
    let variance = n * m / 12.0 * (all + 1.0 - ties(ranks) / (all * (all - 1.0)));
    let distance = ((statistic - n * m / 2.0).abs() - 0.5).max(0.0);
    Test { statistic, log10_p: two_sided(distance / variance.sqrt()) }
}

/// The most differences whose signs are all tried; beyond, the sum of ranks is near enough to normal.
const SIGNS_TRIED: usize = 20;

/// Wilcoxon's signed-rank test of paired differences, exact where few differ. Zeros take part in the ranking and are then
/// dropped (Pratt 1959).
pub fn signed_rank(differences: &[f64]) -> Test {
    let ranks = ranks(&differences.iter().map(|difference| difference.abs()).collect::<Vec<f64>>());
    let sum = |sign: f64| -> f64 {
        let ranked = differences.iter().zip(&ranks);
        ranked
            .filter(|(difference, _)| **difference * sign > 0.0)
            .map(|(_, rank)| rank)
            .fold(0.0, |sum, rank| sum + rank)
    };
    let statistic = sum(1.0).min(sum(-1.0));
    let n = differences.len() as f64;
    let kept: Vec<f64> =
        differences.iter().zip(&ranks).filter(|row| *row.0 != 0.0).map(|row| *row.1).collect();
    if kept.len() <= SIGNS_TRIED {
        return Test { statistic, log10_p: of_all_signs(&kept, statistic).log10() };
    }
    let zeros = n - kept.len() as f64;
    let mean = n * (n + 1.0) / 4.0 - zeros * (zeros + 1.0) / 4.0;
    let squares = |n: f64| n * (n + 1.0) * (2.0 * n + 1.0);
    let variance = (squares(n) - squares(zeros) - ties(kept) / 2.0) / 24.0;
    Test { statistic, log10_p: two_sided((statistic - mean) / variance.sqrt()) }
}

/// The two-sided p of a smaller sum of signed ranks, were each rank as likely to be of either sign.
fn of_all_signs(ranks: &[f64], smaller: f64) -> f64 {
    // Mid-ranks are halves, so that twice a rank is whole.
    let doubled = |rank: f64| (2.0 * rank).round() as usize;
    // The share of all signs by the sum of the positive ranks.
    let mut shares = vec![1.0];
    for rank in ranks.iter().map(|&rank| doubled(rank)) {
        let mut with = vec![0.0; shares.len() + rank];
        for (sum, share) in shares.iter().enumerate() {
            with[sum] += share / 2.0;
            with[sum + rank] += share / 2.0;
        }
        shares = with;
    }
    let tail: f64 = shares.iter().take(doubled(smaller) + 1).sum();
    (2.0 * tail).min(1.0)
}

/// Logarithm to base 10 of the two-sided p of a correlation `r` of `n` rows, by Student's t.
pub fn correlation(r: f64, n: usize) -> f64 {
    let (a, x) = ((n as f64 - 2.0) / 2.0, 1.0 - r * r);
    ln_incomplete_beta(a, 0.5, x) / LN_10
}

/// Logarithm to base 10 of the two-sided p of Student's `t`.
pub fn student(t: f64, degrees: usize) -> f64 {
    let degrees = degrees as f64;
    ln_incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t)) / LN_10
}

/// The `t` beyond which, on both sides, Student's distribution has one part in twenty: half of a 95 % interval of a mean, in
/// standard errors.
pub fn student_95(degrees: usize) -> f64 {
    let (mut low, mut high) = (0.0, 100.0);
    while high - low > 1e-9 {
        let middle = (low + high) / 2.0;
        match student(middle, degrees) > 0.05_f64.log10() {
            true => low = middle,
            false => high = middle,
        }
    }
    low
}

/// One-sided binomial test: the probability of `successes` or more among `trials`, each with `probability`.
pub fn at_least(successes: usize, trials: usize, probability: f64) -> f64 {
    if successes == 0 {
        return 1.0;
    }
    let (k, n) = (successes as f64, trials as f64);
    // P(X ≥ k) is the incomplete beta function of k and n − k + 1.
    ln_incomplete_beta(k, n - k + 1.0, probability).exp()
}

/// Σ t³ − t over groups of t equal ranks.
fn ties(mut ranks: Vec<f64>) -> f64 {
    ranks.sort_by(f64::total_cmp);
    ranks
        .chunk_by(|one, other| one == other)
        .map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64)
        .sum()
}

/// Logarithm to base 10 of the two-sided p of a normal deviate; 0 where nothing varies.
fn two_sided(z: f64) -> f64 {
    if z.is_nan() {
        return 0.0;
    }
    let z = z.abs();
    if z < 2.0 {
        return (1.0 - error_function(z / 2f64.sqrt())).log10();
    }
    // Laplace's continued fraction of Mills' ratio, from its end.
    let ratio = (1..=200).rev().fold(z, |below, step| z + f64::from(step) / below);
    (LN_2 - z * z / 2.0 - (2.0 * PI).sqrt().ln() - ratio.ln()) / LN_10
}

/// erf by its series; good below 2.
fn error_function(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for step in 1..60 {
        let step = f64::from(step);
        term *= -x * x / step;
        sum += term / (2.0 * step + 1.0);
    }
    2.0 / PI.sqrt() * sum
}

/// Logarithm of the regularised incomplete beta function, by its continued fraction (Numerical Recipes, 6.4).
fn ln_incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if x >= 1.0 {
        return 0.0;
    }
    let front = a * x.ln() + b * (1.0 - x).ln() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    match x < (a + 1.0) / (a + b + 2.0) {
        true => front - a.ln() + fraction(a, b, x).ln(),
        false => (1.0 - front.exp() * fraction(b, a, 1.0 - x) / b).ln(),
    }
}

/// Lentz's way down the continued fraction.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let not_zero = |value: f64| if value.abs() < 1e-300 { 1e-300 } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..1000 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut last = 1.0;
        for numerator in [even, odd] {
            d = 1.0 / not_zero(1.0 + numerator * d);
            c = not_zero(1.0 + numerator / c);
            last = d * c;
            value *= last;
        }
        if (last - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// Logarithm of the gamma function, by Lanczos (g = 7, 9 terms); for positive arguments.
fn ln_gamma(x: f64) -> f64 {
    const TERMS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let at = x + 7.5;
    let sum: f64 = (1..9).map(|term| TERMS[term] / (x + term as f64)).sum();
    0.5 * (2.0 * PI).ln() + (x + 0.5) * at.ln() - at + (TERMS[0] + sum).ln()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn golden(name: &str) -> Vec<Value> {
        let text = include_str!("../../tests/goldens/significance.json");
        serde_json::from_str::<Value>(text).unwrap()[name].as_array().unwrap().clone()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn near(found: f64, case: &Value, name: &str) {
        let expected = case[name].as_f64().unwrap();
        assert!((found - expected).abs() <= 1e-9 * (1.0 + expected.abs()), "{found} is not {expected}");
    }

    #[test]
    fn a_binomial_test_sums_its_tail() {
        for (successes, trials, probability, expected) in [
            (8, 10, 0.5, 56.0 / 1024.0),
            (1, 3, 0.1, 0.271),
            (0, 5, 0.2, 1.0),
            (20, 20, 0.3, 0.3_f64.powi(20)),
        ] {
            let found = at_least(successes, trials, probability);
            assert!((found - expected).abs() <= 1e-12 + 1e-9 * expected, "{found} is not {expected}");
        }
    }

    #[test]
    fn tests_agree_with_scipy() {
        for case in golden("rank_sums") {
            let test = rank_sum(&numbers(&case["a"]), &numbers(&case["b"]));
            near(test.statistic, &case, "statistic");
            near(test.log10_p, &case, "log10_p");
        }
        for case in golden("signed_ranks") {
            let test = signed_rank(&numbers(&case["differences"]));
            near(test.statistic, &case, "statistic");
            near(test.log10_p, &case, "log10_p");
        }
    }

    #[test]
    fn tails_agree_with_scipy_beyond_the_least_float() {
        for case in golden("normals") {
            near(two_sided(case["z"].as_f64().unwrap()), &case, "log10_p");
        }
        for case in golden("correlations") {
            let n = case["n"].as_u64().unwrap() as usize;
            near(correlation(case["r"].as_f64().unwrap(), n), &case, "log10_p");
        }
    }

    #[test]
    fn the_bounds_of_student_are_those_of_printed_tables() {
        for (degrees, bound) in [(1, 12.7062), (4, 2.7764), (9, 2.2622), (30, 2.0423)] {
            let found = student_95(degrees);
            assert!((found - bound).abs() < 1e-4, "{found} is not {bound}");
            assert!((student(found, degrees) - 0.05_f64.log10()).abs() < 1e-6);
        }
        assert_eq!(student(0.0, 5), 0.0);
    }

    #[test]
    fn where_nothing_differs_there_is_no_evidence() {
        assert_eq!(rank_sum(&[1.0; 5], &[1.0; 5]).log10_p, 0.0);
        assert_eq!(signed_rank(&[0.0; 5]).log10_p, 0.0);
        assert_eq!(correlation(0.0, 10), 0.0);
    }
}

//! How well numbers follow other numbers.

/// Pearson's correlation; NaN when either side is constant.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (aa * bb).sqrt()
}

/// Spearman's correlation: Pearson's of the ranks.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    pearson(&ranks(a), &ranks(b))
}

/// 1 − RSS/TSS: below zero when the mean alone predicts better.
pub fn r_squared(measured: &[f64], predicted: &[f64]) -> f64 {
    let mean = mean(measured);
    let residual: f64 = measured.iter().zip(predicted).map(|(m, p)| (m - p).powi(2)).sum();
    1.0 - residual / measured.iter().map(|m| (m - mean).powi(2)).sum::<f64>()
}

/// Root of the mean squared difference.
pub fn root_mean_square(measured: &[f64], predicted: &[f64]) -> f64 {
    mean(&measured.iter().zip(predicted).map(|(m, p)| (m - p).powi(2)).collect::<Vec<f64>>()).sqrt()
}

/// Ranks from 1; equal values share the average of theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]).scan(0, |before, tied| {
        *before += tied.len();
        Some((*before, tied))
    }) {
        let (upto, tied) = tied;
        let rank = upto as f64 - (tied.len() - 1) as f64 / 2.0;
        tied.iter().for_each(|&index| ranks[index] = rank);
    }
    ranks
}

/// The arithmetic mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert!((spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_mean_explains_nothing_and_a_shift_spoils_r_squared_only() {
        let measured = [1.0, 2.0, 3.0];
        assert_eq!(r_squared(&measured, &[2.0; 3]), 0.0);
        let shifted = [2.0, 3.0, 4.0];
        assert!((pearson(&measured, &shifted) - 1.0).abs() < 1e-12);
        assert_eq!(r_squared(&measured, &shifted), -0.5);
    }
}

//! Ridge regression by its normal equations.

use tch::{Kind, Tensor};

/// A fitted line over some features.
#[derive(Debug)]
pub struct Linear {
    means: Tensor,
    weights: Tensor,
    intercept: f64,
}

impl Linear {
    /// Minimises Σ(y − w·x − b)² + `lambda`·|w|² over rows of equally many features; the intercept is free.
    pub fn fit(rows: &[Vec<f64>], targets: &[f64], lambda: f64) -> Self {
        let features = matrix(rows);
        let means = features.mean_dim(0, false, Kind::Double);
        let centred = &features - &means;
        let intercept = targets.iter().sum::<f64>() / targets.len() as f64;
        let targets = Tensor::from_slice(targets) - intercept;
        let penalty = Tensor::eye(means.size()[0], (Kind::Double, means.device())) * lambda;
        let weights = Tensor::linalg_solve(
            &(centred.tr().matmul(&centred) + penalty),
            &centred.tr().mv(&targets),
            true,
        );
        Self { means, weights, intercept }
    }

    /// The line at these rows.
    pub fn predict(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let values = (matrix(rows) - &self.means).mv(&self.weights) + self.intercept;
        let mut found = vec![0.0; rows.len()];
        values.copy_data(&mut found, rows.len());
        found
    }
}

fn matrix(rows: &[Vec<f64>]) -> Tensor {
    let width = rows.first().map_or(0, Vec::len) as i64;
    Tensor::from_slice(&rows.concat()).view([rows.len() as i64, width])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_line_and_shrinks_it() {
        let rows: Vec<Vec<f64>> = (0..20).map(|n| vec![f64::from(n), f64::from(n * n % 7)]).collect();
        let targets: Vec<f64> = rows.iter().map(|row| 2.0 * row[0] - 3.0 * row[1] + 5.0).collect();
        let predicted = Linear::fit(&rows, &targets, 1e-9).predict(&[vec![30.0, 1.0]]);
        assert!((predicted[0] - 62.0).abs() < 1e-6, "{predicted:?}");
        let flat = Linear::fit(&rows, &targets, 1e12).predict(&[vec![30.0, 1.0]])[0];
        assert!((flat - targets.iter().sum::<f64>() / 20.0).abs() < 1e-3);
    }
}

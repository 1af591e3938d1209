//! Ridge regression by its normal equations.

use tch::{Kind, Tensor};

/// A fitted line over some features.
#[derive(Debug)]
pub(super) struct Linear {
    means: Vec<f64>,
    weights: Vec<f64>,
    intercept: f64,
}

impl Linear {
    /// Minimises Σ(y − w·x − b)² + `lambda`·|w|² over rows of equally many features; the intercept is free.
    pub(super) fn fit(rows: &[Vec<f64>], targets: &[f64], lambda: f64) -> Self {
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
        Self { means: values(&means), weights: values(&weights), intercept }
    }

    /// The line at a row.
    pub(super) fn at(&self, row: &[f64]) -> f64 {
        let terms = row.iter().zip(&self.means).zip(&self.weights);
        self.intercept + terms.map(|((value, mean), weight)| (value - mean) * weight).sum::<f64>()
    }
}

fn values(vector: &Tensor) -> Vec<f64> {
    let mut values = vec![0.0; vector.numel()];
    vector.copy_data(&mut values, vector.numel());
    values
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
        let predicted = Linear::fit(&rows, &targets, 1e-9).at(&[30.0, 1.0]);
        assert!((predicted - 62.0).abs() < 1e-6, "{predicted}");
        let flat = Linear::fit(&rows, &targets, 1e12).at(&[30.0, 1.0]);
        assert!((flat - targets.iter().sum::<f64>() / 20.0).abs() < 1e-3);
    }
}

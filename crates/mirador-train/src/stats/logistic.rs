//! Logistic regression by Newton's method.

/// Newton's steps; five are enough where the classes overlap.
const STEPS: usize = 25;

/// A fitted regression. Features are taken from their mean and in units of their deviation.
pub struct Logistic {
    scale: Vec<[f64; 2]>,
    /// One for each feature, and the constant.
    weights: Vec<f64>,
}

impl Logistic {
    /// A regression of these classes on these features, as many in each row. `ridge`, the factor of Σw²/2, keeps the weights
    /// finite where a rule parts the classes.
    pub fn fit(rows: &[(Vec<f64>, bool)], ridge: f64) -> Self {
        let features = rows.first().map_or(0, |row| row.0.len());
        let scale = (0..features).map(|index| scale(rows.iter().map(|row| row.0[index]))).collect();
        let mut fitted = Self { scale, weights: vec![0.0; features + 1] };
        let rows: Vec<(Vec<f64>, bool)> =
            rows.iter().map(|(features, label)| (fitted.inputs(features), *label)).collect();
        let size = features + 1;
        for _ in 0..STEPS {
            let mut gradient: Vec<f64> = fitted.weights.iter().map(|weight| ridge * weight).collect();
            let mut curvature = vec![vec![0.0; size]; size];
            (0..size).for_each(|index| curvature[index][index] = ridge);
            for (inputs, label) in &rows {
                let p = fitted.of(inputs);
                let error = p - f64::from(u8::from(*label));
                for a in 0..size {
                    gradient[a] += error * inputs[a];
                    let bend = p * (1.0 - p) * inputs[a];
                    curvature[a].iter_mut().zip(inputs).for_each(|(sum, input)| *sum += bend * input);
                }
            }
            let step = solve(curvature, gradient);
            fitted.weights.iter_mut().zip(step).for_each(|(weight, step)| *weight -= step);
        }
        fitted
    }

    /// That the class is the positive one.
    pub fn probability(&self, features: &[f64]) -> f64 {
        self.of(&self.inputs(features))
    }

    /// The scaled features, and one for the constant.
    fn inputs(&self, features: &[f64]) -> Vec<f64> {
        let scaled = features.iter().zip(&self.scale).map(|(value, [mean, sd])| (value - mean) / sd);
        scaled.chain([1.0]).collect()
    }

    fn of(&self, inputs: &[f64]) -> f64 {
        let sum: f64 = inputs.iter().zip(&self.weights).map(|(input, weight)| input * weight).sum();
        1.0 / (1.0 + (-sum).exp())
    }
}

/// Mean and deviation; 1 in place of no deviation.
pub fn scale(values: impl Iterator<Item = f64> + Clone) -> [f64; 2] {
    let n = values.clone().count().max(1) as f64;
    let mean = values.clone().sum::<f64>() / n;
    let deviation = (values.map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    [mean, if deviation > 0.0 { deviation } else { 1.0 }]
}

/// x with `matrix`·x = `right`, by elimination; a matrix of curvatures needs no pivots.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    for pivot in 0..right.len() {
        let above = matrix[pivot].clone();
        for row in (0..right.len()).filter(|&row| row != pivot) {
            let factor = matrix[row][pivot] / above[pivot];
            matrix[row].iter_mut().zip(&above).for_each(|(value, above)| *value -= factor * above);
            right[row] -= factor * right[pivot];
        }
    }
    right.iter().enumerate().map(|(index, right)| right / matrix[index][index]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_log_odds_of_a_table() {
        // Positive: 3 of 4 rows with the feature, 1 of 4 without; the second feature says nothing.
        let row = |feature: f64, label: bool| (vec![feature, 3.0], label);
        let table = [(1.0, [true, true, true, false]), (0.0, [true, false, false, false])];
        let rows: Vec<_> =
            table.iter().flat_map(|(feature, labels)| labels.map(|label| row(*feature, label))).collect();
        let rows: Vec<_> = rows.iter().cycle().take(8000).cloned().collect();
        let fitted = Logistic::fit(&rows, 1e-3);
        assert!((fitted.probability(&row(1.0, true).0) - 0.75).abs() < 1e-4);
        assert!((fitted.probability(&row(0.0, true).0) - 0.25).abs() < 1e-4);
    }
}

//! Logistic regression by Newton's method, for a baseline.

/// Features, and one for the constant.
const FEATURES: usize = 7;
const SIZE: usize = FEATURES + 1;
/// Newton's steps; five are enough where the classes overlap.
const STEPS: usize = 25;
/// Factor of Σw²/2: keeps the weights finite where a rule parts the classes.
const RIDGE: f64 = 1e-3;

/// A fitted regression.
pub(super) struct Logistic {
    weights: [f64; SIZE],
}

impl Logistic {
    /// A regression of these classes on these features.
    pub(super) fn fit(rows: &[([f64; FEATURES], bool)]) -> Self {
        let mut fitted = Self { weights: [0.0; SIZE] };
        for _ in 0..STEPS {
            let mut gradient = fitted.weights.map(|weight| RIDGE * weight);
            let mut curvature = [[0.0; SIZE]; SIZE];
            (0..SIZE).for_each(|index| curvature[index][index] = RIDGE);
            for (features, label) in rows {
                let (inputs, p) = (with_constant(features), fitted.probability(features));
                let error = p - f64::from(u8::from(*label));
                for a in 0..SIZE {
                    gradient[a] += error * inputs[a];
                    for b in 0..SIZE {
                        curvature[a][b] += p * (1.0 - p) * inputs[a] * inputs[b];
                    }
                }
            }
            let step = solve(curvature, gradient);
            (0..SIZE).for_each(|index| fitted.weights[index] -= step[index]);
        }
        fitted
    }

    /// That the class is the positive one.
    pub(super) fn probability(&self, features: &[f64; FEATURES]) -> f64 {
        let sum: f64 =
            with_constant(features).iter().zip(&self.weights).map(|(input, weight)| input * weight).sum();
        1.0 / (1.0 + (-sum).exp())
    }
}

fn with_constant(features: &[f64; FEATURES]) -> [f64; SIZE] {
    let mut inputs = [1.0; SIZE];
    inputs[..FEATURES].copy_from_slice(features);
    inputs
}

/// x with `matrix`·x = `right`, by elimination; a matrix of curvatures needs no pivots.
fn solve(mut matrix: [[f64; SIZE]; SIZE], mut right: [f64; SIZE]) -> [f64; SIZE] {
    for pivot in 0..SIZE {
        let above = matrix[pivot];
        for row in (0..SIZE).filter(|&row| row != pivot) {
            let factor = matrix[row][pivot] / above[pivot];
            matrix[row].iter_mut().zip(above).for_each(|(value, above)| *value -= factor * above);
            right[row] -= factor * right[pivot];
        }
    }
    std::array::from_fn(|index| right[index] / matrix[index][index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_log_odds_of_a_table() {
        // Positive: 3 of 4 rows with the feature, 1 of 4 without.
        let row = |feature: f64, label: bool| ([feature, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], label);
        let table = [(1.0, [true, true, true, false]), (0.0, [true, false, false, false])];
        let rows: Vec<_> =
            table.iter().flat_map(|(feature, labels)| labels.map(|label| row(*feature, label))).collect();
        let rows: Vec<_> = rows.iter().cycle().take(8000).cloned().collect();
        let fitted = Logistic::fit(&rows);
        assert!((fitted.probability(&row(1.0, true).0) - 0.75).abs() < 1e-4);
        assert!((fitted.probability(&row(0.0, true).0) - 0.25).abs() < 1e-4);
    }
}

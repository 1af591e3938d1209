//! The classifiers of Rorbach 2018, as the R packages that it calls set them: none is tuned.

use smartcore::decomposition::lda::{LDA, LDAParameters};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::error::Failed;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::naive_bayes::gaussian::{GaussianNB, GaussianNBParameters};
use smartcore::svm::Kernels;
use smartcore::svm::svc::{SVC, SVCParameters};
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};

use crate::experiment::Baseline;
use crate::stats::logistic::{Logistic, scale};

type Matrix = DenseMatrix<f64>;

/// `randomForest`: trees; the other settings are the square root of the features at a split, and whole leaves.
const TREES: usize = 500;
/// `tree`: least rows of a leaf.
const LEAF: usize = 5;
/// `tree`: least rows of a node that is parted.
const NODE: usize = 10;
/// `svm` of e1071: the price of a row on the wrong side.
const COST: f64 = 1.0;
/// `glm` has no ridge; this one keeps weights finite.
const RIDGE: f64 = 1e-3;
const SEED: u64 = 1;

/// Training rows in units of their deviations, their classes, and the rows to score in the same units.
struct Task {
    train: Vec<Vec<f64>>,
    labels: Vec<bool>,
    rows: Vec<Vec<f64>>,
}

/// Fits a classifier and scores the rows.
type Fit = fn(&Task) -> Result<Vec<f64>, Failed>;

/// The probability of the positive class for each of `rows`, by each classifier fitted on `train`. One that cannot be fitted
/// says the training rows' share of positives.
pub(super) fn classify(train: &[(&[f64], bool)], rows: &[Vec<f64>]) -> Vec<(Baseline, Vec<f64>)> {
    let width = train.first().map_or(0, |row| row.0.len());
    let scales: Vec<[f64; 2]> = (0..width).map(|at| scale(train.iter().map(|row| row.0[at]))).collect();
    let scaled = |row: &[f64]| -> Vec<f64> {
        row.iter().zip(&scales).map(|(value, [mean, deviation])| (value - mean) / deviation).collect()
    };
    let task = Task {
        train: train.iter().map(|row| scaled(row.0)).collect(),
        labels: train.iter().map(|row| row.1).collect(),
        rows: rows.iter().map(|row| scaled(row)).collect(),
    };
    let share = task.labels.iter().filter(|&&label| label).count() as f64 / train.len().max(1) as f64;
    let fits: [(Baseline, Fit); 6] = [
        (Baseline::RorbachSvm, support_vectors),
        (Baseline::RorbachForest, forest),
        (Baseline::RorbachDiscriminant, discriminant),
        (Baseline::RorbachLogistic, logistic),
        (Baseline::RorbachTree, tree),
        (Baseline::RorbachBayes, bayes),
    ];
    fits.map(|(baseline, fit)| (baseline, fit(&task).unwrap_or_else(|_| vec![share; rows.len()]))).into()
}

fn matrix(rows: &[Vec<f64>]) -> Result<Matrix, Failed> {
    DenseMatrix::from_2d_vec(&rows.to_vec())
}

impl Task {
    fn numbers(&self) -> Vec<f64> {
        self.labels.iter().map(|&label| f64::from(u8::from(label))).collect()
    }

    fn classes(&self) -> Vec<u32> {
        self.labels.iter().map(|&label| u32::from(label)).collect()
    }

    fn width(&self) -> usize {
        self.train.first().map_or(0, Vec::len)
    }
}

/// Radial kernel of width 1/features.
fn support_vectors(task: &Task) -> Result<Vec<f64>, Failed> {
    let (train, rows, classes) = (matrix(&task.train)?, matrix(&task.rows)?, task.classes());
    let kernel = Kernels::rbf().with_gamma(1.0 / task.width() as f64);
    let parameters = SVCParameters::default().with_c(COST).with_kernel(kernel).with_seed(Some(SEED));
    let distances = SVC::fit(&train, &classes, &parameters)?.decision_function(&rows)?;
    Ok(distances.into_iter().map(probability).collect())
}

/// The mean vote of trees on 0 and 1: to reduce its variance is to reduce Gini's impurity.
fn forest(task: &Task) -> Result<Vec<f64>, Failed> {
    let parameters = RandomForestRegressorParameters::default()
        .with_n_trees(TREES)
        .with_m((task.width() as f64).sqrt() as usize)
        .with_seed(SEED);
    RandomForestRegressor::fit(&matrix(&task.train)?, &task.numbers(), parameters)?
        .predict(&matrix(&task.rows)?)
}

/// One tree on 0 and 1.
fn tree(task: &Task) -> Result<Vec<f64>, Failed> {
    let parameters =
        DecisionTreeRegressorParameters::default().with_min_samples_leaf(LEAF).with_min_samples_split(NODE);
    DecisionTreeRegressor::fit(&matrix(&task.train)?, &task.numbers(), parameters)?
        .predict(&matrix(&task.rows)?)
}

fn logistic(task: &Task) -> Result<Vec<f64>, Failed> {
    let train: Vec<_> = task.train.iter().cloned().zip(task.labels.iter().copied()).collect();
    let fitted = Logistic::fit(&train, RIDGE);
    Ok(task.rows.iter().map(|row| fitted.probability(row)).collect())
}

/// Both classes are normal along the line that parts them best, with one deviation.
fn discriminant(task: &Task) -> Result<Vec<f64>, Failed> {
    let train = matrix(&task.train)?;
    let line = LDA::fit(&train, &task.classes(), LDAParameters::default())?;
    let along = |rows: &Matrix| -> Result<Vec<f64>, Failed> {
        let places = line.transform(rows)?;
        Ok((0..places.shape().0).map(|row| *places.get((row, 0))).collect())
    };
    let places = along(&train)?;
    let [canonical, mirtrons] = [false, true].map(|class| {
        let of_class = places.iter().zip(&task.labels).filter(|(_, label)| **label == class);
        let places: Vec<f64> = of_class.map(|(&place, _)| place).collect();
        (scale(places.iter().copied()), places.len() as f64)
    });
    let (([mean, deviation], n), ([other_mean, other_deviation], m)) = (mirtrons, canonical);
    let variance = (n * deviation.powi(2) + m * other_deviation.powi(2)) / (n + m - 2.0);
    let log_odds =
        |place: f64| (mean - other_mean) / variance * (place - 0.5 * (mean + other_mean)) + (n / m).ln();
    Ok(along(&matrix(&task.rows)?)?.into_iter().map(|place| probability(log_odds(place))).collect())
}

/// Every feature is normal in each class, and independent of the others.
fn bayes(task: &Task) -> Result<Vec<f64>, Failed> {
    let parameters = GaussianNBParameters::default();
    let fitted: GaussianNB<f64, u32, Matrix, Vec<u32>> =
        GaussianNB::fit(&matrix(&task.train)?, &task.classes(), parameters)?;
    let log = |class: usize, row: &[f64]| {
        let normal = |(value, (mean, variance)): (&f64, (&f64, &f64))| {
            -0.5 * ((value - mean).powi(2) / variance + variance.ln())
        };
        let of_class = fitted.theta()[class].iter().zip(&fitted.var()[class]);
        fitted.class_priors()[class].ln() + row.iter().zip(of_class).map(normal).sum::<f64>()
    };
    Ok(task.rows.iter().map(|row| probability(log(1, row) - log(0, row))).collect())
}

fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Two features that part the classes, and one that says nothing.
    fn rows(count: usize, seed: u64) -> Vec<(Vec<f64>, bool)> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let row = |index: usize| {
            let label = index.is_multiple_of(3);
            let middle = if label { 5.0 } else { 3.0 };
            let [a, b, c] = [(); 3].map(|()| rng.random_range(-1.0..1.0));
            (vec![middle + a, 40.0 - 3.0 * middle + 3.0 * b, c], label)
        };
        (0..count).map(row).collect()
    }

    #[test]
    fn every_classifier_learns_what_parts_two_classes() {
        let (train, test) = (rows(150, 1), rows(60, 2));
        let train: Vec<(&[f64], bool)> = train.iter().map(|(row, label)| (&row[..], *label)).collect();
        let scored: Vec<Vec<f64>> = test.iter().map(|row| row.0.clone()).collect();
        for (baseline, scores) in classify(&train, &scored) {
            let right = test.iter().zip(&scores).filter(|(row, score)| row.1 == (**score >= 0.5)).count();
            assert!(right >= 57, "{baseline}: {right} of 60");
            assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{baseline}");
        }
    }

    #[test]
    fn one_class_gives_its_share() {
        let train = [([1.0, 2.0], true), ([2.0, 1.0], true), ([0.5, 0.5], true)];
        let train: Vec<(&[f64], bool)> = train.iter().map(|(row, label)| (&row[..], *label)).collect();
        for (baseline, scores) in classify(&train, &[vec![1.0, 1.0]]) {
            assert!(scores[0] > 0.9, "{baseline}: {scores:?}");
        }
    }
}

//! Probabilities that mean what they say: a slope and an offset for the logit, fitted on validation rows (Platt 1999).

use std::collections::HashMap;

use mirador_models::Replica;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::experiment::Row;
use crate::stats::metrics::{BINS, bin_of};

/// Newton's steps.
const STEPS: usize = 25;

/// Fits a network's slope and offset on rows, each stratum with the same weight. Their prevalence becomes that of the
/// probability.
pub fn calibrate(replica: &Replica, rows: &[Row]) {
    let Some(mut variable) = replica.network.calibration() else { return };
    let inputs: Vec<_> = rows.iter().map(|row| row.input.clone()).collect();
    let mut sizes: HashMap<&str, f64> = HashMap::new();
    rows.iter().for_each(|row| *sizes.entry(&row.stratum).or_default() += 1.0);
    let logits = replica.score(&inputs).into_iter().map(f64::from);
    let weighed: Vec<(f64, f64, f64)> = logits
        .zip(rows)
        .map(|(logit, row)| (logit, f64::from(row.target), 1.0 / sizes[row.stratum.as_str()]))
        .collect();
    let (slope, offset) = fit(&weighed);
    tch::no_grad(|| {
        let fitted =
            &variable * slope + Tensor::from_slice(&[0.0, offset as f32]).to_device(variable.device());
        variable.copy_(&fitted);
    });
}

/// Expected calibration error at a prevalence of one half: in ten bins of equal width, how far the mean probability
/// lies from the share of positives, each class weighing one half.
pub fn calibration_error(labels: &[bool], probabilities: &[f64]) -> f64 {
    let positives = labels.iter().filter(|&&label| label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let mut bins = [0.0; BINS];
    for (&label, &probability) in labels.iter().zip(probabilities) {
        let (weight, outcome) = if label { (0.5 / positives, 1.0) } else { (0.5 / negatives, 0.0) };
        bins[bin_of(probability)] += weight * (probability - outcome);
    }
    bins.iter().map(|bin| bin.abs()).sum()
}

/// The error for labels drawn by these probabilities: what as many rows show of a network that is never wrong about
/// itself. Mean of a hundred draws.
pub fn calibration_error_by_chance(probabilities: &[f64]) -> f64 {
    const DRAWS: usize = 100;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut draw = || -> f64 {
        let labels: Vec<bool> =
            probabilities.iter().map(|&probability| rng.random_bool(probability)).collect();
        calibration_error(&labels, probabilities)
    };
    (0..DRAWS).map(|_| draw()).sum::<f64>() / DRAWS as f64
}

/// Slope and offset of logit, target and weight: the most likely.
fn fit(rows: &[(f64, f64, f64)]) -> (f64, f64) {
    // From 1 a network that is far too sure of itself would throw the steps off.
    let (mut slope, mut offset) = (0.0, 0.0);
    for _ in 0..STEPS {
        let (mut gradient, mut curvature) = ([0.0; 2], [1e-9, 0.0, 1e-9]);
        for &(logit, target, weight) in rows {
            let p = 1.0 / (1.0 + (-(slope * logit + offset)).exp());
            let (error, bend) = (weight * (p - target), weight * p * (1.0 - p));
            gradient = [gradient[0] + error * logit, gradient[1] + error];
            curvature =
                [curvature[0] + bend * logit * logit, curvature[1] + bend * logit, curvature[2] + bend];
        }
        let [a, b, c] = curvature;
        let determinant = a * c - b * b;
        slope -= (c * gradient[0] - b * gradient[1]) / determinant;
        offset -= (a * gradient[1] - b * gradient[0]) / determinant;
    }
    (slope, offset)
}

#[cfg(test)]
mod tests {
    use mirador_models::networks::{dmiso, pairmap};
    use mirador_models::tasks::target_site::Pair;
    use mirador_models::{Model, Options};
    use tch::Device;

    use super::*;

    #[test]
    fn each_class_weighs_one_half_of_the_calibration_error() {
        let error = |labels: &[bool], probabilities: &[f64]| calibration_error(labels, probabilities);
        assert!((error(&[true, false], &[0.85, 0.25]) - (0.075 + 0.125)).abs() < 1e-12);
        assert!(
            (error(&[true, false], &[0.55, 0.55]) - 0.05).abs() < 1e-12,
            "in one bin they cancel in part"
        );
        assert!(
            (error(&[true, false, false], &[0.85, 0.25, 0.35]) - (0.075 + 0.0625 + 0.0875)).abs() < 1e-12
        );
    }

    #[test]
    fn rows_that_are_right_about_themselves_err_by_chance() {
        // Two rows of one half have both labels in half of the draws: no error; else their bin is a quarter off.
        assert!((calibration_error_by_chance(&[0.5, 0.5]) - 0.125).abs() < 0.05);
        assert_eq!(calibration_error_by_chance(&[1.0, 0.0]), 0.0);
    }

    /// A network whose logit has nothing to do with the label, and rows of two strata.
    #[test]
    fn a_replica_says_the_share_of_positives_afterwards() {
        tch::manual_seed(1);
        let options: Options = serde_json::from_str(r#"{"units": 0}"#).unwrap();
        let replica = |model: &Model, options: &Options| Replica::new(model, options, Device::Cpu).unwrap();
        let pairmap = replica(&pairmap::MODEL, &options);
        let row = |index: usize| {
            let site = ["AACUAUACAACCUACUACCUCA", "GGGAAACCCUUUGGGAAACCCA"][index / 4 % 2];
            let pair = Pair { mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(), site: site.parse().unwrap() };
            // A quarter of the first 80 rows, none of the other 16, which weigh as much.
            let target = f32::from(u8::from(index < 80 && index.is_multiple_of(4)));
            let stratum = if index < 80 { "many" } else { "few" }.to_owned();
            Row { id: index.to_string(), input: pair.into(), target, group: index, stratum }
        };
        let rows: Vec<Row> = (0..96).map(row).collect();
        let before = pairmap.score(&[rows[0].input.clone()])[0];
        calibrate(&pairmap, &rows);
        let after = pairmap.score(&[rows[0].input.clone()])[0];
        let share = 1.0 / (1.0 + (-f64::from(after)).exp());
        assert!((share - 0.125).abs() < 1e-3 && before != after, "{before}, then {after}: {share}");

        let dmiso = replica(&dmiso::MODEL, &Options::new());
        let before = dmiso.score(&[rows[0].input.clone()]);
        calibrate(&dmiso, &rows);
        assert_eq!(dmiso.score(&[rows[0].input.clone()]), before, "it has nothing to calibrate");
    }

    #[test]
    fn a_coin_that_says_one_half_is_calibrated() {
        let labels = [true, true, true, false];
        assert!(calibration_error(&labels, &[0.5; 4]) < 1e-12);
        assert!((calibration_error(&labels, &[0.95; 4]) - 0.45).abs() < 1e-12);
        assert!(calibration_error_by_chance(&[0.5; 1000]) < 0.02);
    }

    #[test]
    fn finds_what_was_bent() {
        // Logits twice too large and off by one; targets are their true probabilities.
        let row = |step: i32| {
            let truth = f64::from(step) / 20.0;
            (2.0 * truth + 1.0, 1.0 / (1.0 + (-truth).exp()), 1.0)
        };
        let (slope, offset) = fit(&(-60..=60).map(row).collect::<Vec<_>>());
        assert!((slope - 0.5).abs() < 1e-6 && (offset + 0.5).abs() < 1e-6, "{slope} {offset}");
    }
}

//! The fit, in closed form: least squares with the likeness of the training promoters to each other as its penalty
//! (kernel ridge regression on some of the promoters: Williams & Seeger 2001, Nyström's method).

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use super::likeness::Likeness;
use super::network::{outside, standardised};
use super::{CORE, LEAST, UPSTREAM, WINDOW};

/// Factors of the penalty, for the core and for the whole, of whose promoters fewer are known.
const RIDGES: [f64; 2] = [2.0, 0.5];
/// Keeps the equations solvable where a promoter stands among the landmarks twice.
const LEAST_RIDGE: f64 = 1e-3;
/// What a gene counts once more with the least of its promoter.
const LEAST_WEIGHT: f64 = 0.5;
/// Rows that are run at once.
const CHUNK: i64 = 2_048;

/// Draws the landmarks and sets every variable from the training rows: inputs (n, width) and targets (n).
pub(super) fn fit(store: &VarStore, inputs: &Tensor, targets: &Tensor) {
    let (Some(core), Some(whole)) = (Likeness::of(store, 0), Likeness::of(store, 1)) else { return };
    let _no_grad = tch::no_grad_guard();
    let codes = inputs.narrow(1, 0, WINDOW as i64);
    let features = inputs.slice(1, WINDOW as i64, None, 1);
    let variables = store.variables();
    let set = |name: &str, value: &Tensor| {
        if let Some(variable) = variables.get(name) {
            variable.shallow_clone().copy_(value);
        }
    };
    let (mean, sd) = moments(&features);
    set("feature_mean", &mean);
    set("feature_sd", &sd);
    let known = features.isnan().logical_not().any_dim(1, true).to_kind(Kind::Float);
    let features = standardised(&features, &mean, &sd);

    let near = crop(&codes, CORE);
    core.adapt(&near);
    let beside = Tensor::cat(&[&features, &known], 1);
    let mut equations = Equations::new(&core, &beside, targets);
    equations.add(&near, 1.0);
    equations.add(&crop(&codes, LEAST), LEAST_WEIGHT);
    let line = equations.line(RIDGES[0]);
    set("features", &line);
    equations.solve(RIDGES[0]);

    let long = long_rows(&codes);
    let [codes, features] = [&codes, &features].map(|rows| rows.index_select(0, &long));
    let targets = targets.index_select(0, &long) - features.mv(&line);
    whole.adapt(&codes);
    let beside = features.narrow(1, 0, 0);
    let mut equations = Equations::new(&whole, &beside, &targets);
    equations.add(&codes, 1.0);
    equations.solve(RIDGES[1]);
}

/// N beyond this part.
fn crop(codes: &Tensor, [before, after]: [usize; 2]) -> Tensor {
    let [first, letters] = [UPSTREAM - before, before + after].map(|place| place as i64);
    let part = codes.narrow(1, first, letters);
    part.constant_pad_nd([first, WINDOW as i64 - first - letters])
}

/// Rows that have letters beyond the core; all where none has.
fn long_rows(codes: &Tensor) -> Tensor {
    let long = outside(codes).squeeze_dim(1).gt(0.0);
    let long = if long.any().int64_value(&[]) == 0 { long.logical_not() } else { long };
    long.nonzero().squeeze_dim(1)
}

/// Mean and standard deviation of the known features; a feature that no row or every row has alike keeps its own scale.
fn moments(features: &Tensor) -> (Tensor, Tensor) {
    let mean = features.nanmean(0, false, Kind::Float);
    let sd = (features - &mean).square().nanmean(0, false, Kind::Float).sqrt();
    let sd = sd.where_self(&sd.gt(0.0), &sd.ones_like());
    (mean.nan_to_num(0.0, None, None), sd)
}

/// Normal equations of what a likeness and, beside it, some columns tell of the level.
struct Equations<'a> {
    likeness: &'a Likeness,
    /// Features and whether any is known, or nothing (n, b).
    beside: &'a Tensor,
    /// About the mean (n).
    targets: Tensor,
    left: Tensor,
    right: Tensor,
}

impl<'a> Equations<'a> {
    fn new(likeness: &'a Likeness, beside: &'a Tensor, targets: &Tensor) -> Self {
        let columns = likeness.size() + beside.size()[1];
        let zeros = |shape: &[i64]| Tensor::zeros(shape, (Kind::Double, targets.device()));
        let (left, right) = (zeros(&[columns, columns]), zeros(&[columns]));
        let mean = targets.mean(Kind::Float);
        likeness.offset.shallow_clone().copy_(&mean.view([1]));
        Self { likeness, beside, targets: targets - mean, left, right }
    }

    /// Adds every row with these codes.
    fn add(&mut self, codes: &Tensor, weight: f64) {
        let rows = [codes, self.beside, &self.targets].map(|rows| rows.split(CHUNK, 0));
        let [codes, beside, targets] = &rows;
        for ((codes, beside), targets) in codes.iter().zip(beside).zip(targets) {
            let columns = Tensor::cat(&[&self.likeness.to_landmarks(codes), beside], 1);
            self.left += columns.tr().matmul(&columns) * weight;
            self.right += columns.tr().mv(targets) * weight;
        }
    }

    /// The line over the features, and takes what it tells off the targets. Half-lives are measured of expressed genes,
    /// so that any is known tells of the level by itself; it is therefore fitted beside a column that says so, which is
    /// left out afterwards.
    fn line(&mut self, ridge: f64) -> Tensor {
        let (landmarks, columns) = (self.likeness.size(), self.right.size()[0]);
        let features = columns - landmarks - 1;
        let line = solved(&self.penalised(ridge, columns), &self.right).narrow(0, landmarks, features);
        self.right -= self.left.narrow(1, landmarks, features).mv(&line);
        line.to_kind(Kind::Float)
    }

    /// Sets the likeness's weights.
    fn solve(&self, ridge: f64) {
        let landmarks = self.likeness.size();
        let weights = solved(&self.penalised(ridge, landmarks), &self.right.narrow(0, 0, landmarks));
        self.likeness.weights.shallow_clone().copy_(&weights);
    }

    /// The first so many equations with their penalty.
    fn penalised(&self, ridge: f64, columns: i64) -> Tensor {
        let landmarks = self.likeness.size();
        let left = self.left.narrow(0, 0, columns).narrow(1, 0, columns)
            + Tensor::eye(columns, (Kind::Double, self.left.device())) * LEAST_RIDGE;
        let mut block = left.narrow(0, 0, landmarks).narrow(1, 0, landmarks);
        block += self.likeness.to_landmarks(&self.likeness.landmarks) * ridge;
        left
    }
}

fn solved(left: &Tensor, right: &Tensor) -> Tensor {
    right.unsqueeze(1).cholesky_solve(&left.linalg_cholesky(false), false).squeeze_dim(1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tch::Device;

    use super::*;
    use crate::Replica;
    use crate::networks::promoter::MODEL;

    const ROWS: i64 = 400;

    /// Promoters, every other one without letters beyond the core, and half-lives, known of the higher half.
    fn rows() -> (Tensor, Tensor) {
        tch::manual_seed(7);
        let codes = Tensor::randint_low(1, 5, [ROWS, WINDOW as i64], (Kind::Float, Device::Cpu));
        let half_life = Tensor::randn([ROWS, 1], (Kind::Float, Device::Cpu));
        let count =
            codes.narrow(1, 200, 86).eq(2.0).to_kind(Kind::Float).sum_dim_intlist(1, false, Kind::Float);
        let of_letters = (count - 21.5) / 4.0;
        let level = of_letters + half_life.squeeze_dim(1) * 0.3;
        let unknown = level.lt(0.0).unsqueeze(1);
        let half_life = half_life.where_self(&unknown.logical_not(), &Tensor::from(f32::NAN));
        let short = crop(&codes, CORE);
        let odd = Tensor::arange(ROWS, (Kind::Int64, Device::Cpu)).remainder(2).eq(1).unsqueeze(1);
        (Tensor::cat(&[short.where_self(&odd, &codes), half_life], 1), level)
    }

    fn fitted(seed: i64, inputs: &Tensor, level: &Tensor) -> Replica {
        let options =
            serde_json::from_value(json!({"features": ["measured"], "landmarks": [300, 150]})).unwrap();
        let replica = Replica::new(&MODEL, &options, Device::Cpu).unwrap();
        tch::manual_seed(seed);
        fit(&replica.store, inputs, level);
        replica
    }

    fn levels(replica: &Replica, inputs: &Tensor) -> Tensor {
        tch::no_grad(|| replica.network.forward_t(inputs, false)).squeeze_dim(1)
    }

    fn correlation(a: &Tensor, b: &Tensor) -> f64 {
        Tensor::stack(&[a, b], 0).corrcoef().get(0).get(1).double_value(&[])
    }

    #[test]
    fn it_finds_letters_and_the_line() {
        let (inputs, level) = rows();
        let replica = fitted(1, &inputs, &level);
        let found = levels(&replica, &inputs);
        assert!(correlation(&found, &level) > 0.8, "{}", correlation(&found, &level));
        let slope = replica.store.variables()["features"].double_value(&[0]);
        assert!(slope > 0.02 && slope < 0.3, "{slope}");
    }

    /// One and the same half-life says the same of a gene whether the others' are known or not: that it is known has no
    /// effect but its value's.
    #[test]
    fn an_unknown_half_life_is_the_mean() {
        let (inputs, level) = rows();
        let replica = fitted(1, &inputs, &level);
        let mean = replica.store.variables()["feature_mean"].double_value(&[0]);
        let (known, unknown) = (inputs.copy(), inputs.copy());
        let _ = known.narrow(1, WINDOW as i64, 1).fill_(mean);
        let _ = unknown.narrow(1, WINDOW as i64, 1).fill_(f64::NAN);
        let difference = (levels(&replica, &known) - levels(&replica, &unknown)).abs().max();
        assert!(difference.double_value(&[]) < 1e-5);
    }

    #[test]
    fn what_is_loaded_later_is_what_answers() {
        let (inputs, level) = rows();
        let (first, second) = (fitted(1, &inputs, &level), fitted(2, &inputs, &level));
        let expected = levels(&second, &inputs);
        let _ = levels(&first, &inputs);
        crate::Tensors::of(&second.store).load_into(&first.store).unwrap();
        assert_eq!(levels(&first, &inputs), expected);
    }
}

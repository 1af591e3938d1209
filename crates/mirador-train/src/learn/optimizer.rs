//! Adam (Kingma & Ba 2015), AdamW (Loshchilov & Hutter 2019), gradient descent with momentum, and a running mean of the
//! weights, with a state that can be written to a checkpoint: tch's own optimisers keep theirs out of reach, and a
//! resumed run has to end with the same weights.

use std::collections::BTreeMap;

use tch::nn::VarStore;
use tch::{Kind, Tensor};

use crate::recipe::{OptimizerKind, Stage};

const BETA_1: f64 = 0.9;
const MOMENTUM: f64 = 0.9;
const EPSILON: f64 = 1e-7; // Keras' value; libtorch's is 1e-8.

/// About so many values are in a part of a variable.
const PART: i64 = 1 << 15;

/// Optimiser state of one network.
#[derive(Debug)]
pub struct Optimizer {
    kind: OptimizerKind,
    weight_decay: f64,
    clip_norm: f64,
    slots: Vec<Slot>,
    step: i32,
    /// Share of the old mean that a step keeps; 0 follows the weights themselves.
    mean_decay: f64,
}

#[derive(Debug)]
struct Slot {
    name: String,
    variable: Tensor,
    trainable: bool,
    first: Tensor,
    second: Tensor,
    mean: Tensor,
}

/// Some rows of a variable, as views.
struct Part {
    variable: Tensor,
    gradient: Option<Tensor>,
    first: Tensor,
    second: Tensor,
    mean: Tensor,
}

impl Slot {
    /// The variable in parts that stay in the processor's cache between the operations of a step: of a large one read from
    /// memory for each, Adam took longer than the gradient.
    fn parts(&self, gradient: Option<Tensor>) -> impl Iterator<Item = Part> + use<> {
        let tensors = [&self.variable, &self.first, &self.second, &self.mean].map(Tensor::shallow_clone);
        let rows = self.variable.size().first().copied().unwrap_or(0);
        let length = (PART * rows / (self.variable.numel() as i64).max(1)).max(1);
        // What has no rows is one value.
        let starts: Vec<i64> = if rows == 0 { vec![0] } else { (0..rows).step_by(length as usize).collect() };
        starts.into_iter().map(move |start| {
            let part = |tensor: &Tensor| match rows {
                0 => tensor.shallow_clone(),
                _ => tensor.narrow(0, start, length.min(rows - start)),
            };
            let [variable, first, second, mean] = tensors.each_ref().map(part);
            Part { variable, gradient: gradient.as_ref().map(part), first, second, mean }
        })
    }
}

impl Optimizer {
    /// For all variables of a network; running statistics take part in the mean only.
    pub fn new(store: &VarStore, stage: &Stage) -> Self {
        let mut slots: Vec<Slot> = store
            .variables()
            .into_iter()
            .map(|(name, variable)| Slot {
                name,
                trainable: variable.requires_grad(),
                first: variable.zeros_like().detach(),
                second: variable.zeros_like().detach(),
                mean: variable.detach().copy(),
                variable,
            })
            .collect();
        slots.sort_by(|a, b| a.name.cmp(&b.name));
        let Stage { optimizer: kind, weight_decay, clip_norm, mean_decay, .. } = *stage;
        Self { kind, weight_decay, clip_norm, slots, step: 0, mean_decay }
    }

    /// One step down the gradient of `loss`.
    pub fn minimise(&mut self, loss: &Tensor, learning_rate: f64) {
        for slot in self.slots.iter_mut().filter(|slot| slot.trainable) {
            slot.variable.zero_grad();
        }
        loss.backward();
        self.step += 1;
        let beta_2: f64 = match self.kind {
            OptimizerKind::AdamW => 0.98,
            OptimizerKind::Adam | OptimizerKind::Momentum => 0.999,
        };
        let bias_1 = 1.0 - BETA_1.powi(self.step);
        let bias_2 = 1.0 - beta_2.powi(self.step);
        let shrink = self.shrink();
        // The mean starts short, so that it does not remember the initial values.
        let steps = f64::from(self.step);
        let keep = self.mean_decay.min((1.0 + steps) / (10.0 + steps));
        tch::no_grad(|| {
            for slot in &mut self.slots {
                let mut gradient = slot.trainable.then(|| slot.variable.grad());
                if let Some(gradient) = gradient.as_mut().filter(|_| shrink < 1.0) {
                    *gradient *= shrink;
                }
                for mut part in slot.parts(gradient) {
                    if let Some(mut gradient) = part.gradient.take() {
                        if self.weight_decay > 0.0 && slot.variable.dim() > 1 {
                            match self.kind {
                                OptimizerKind::AdamW => {
                                    part.variable *= 1.0 - learning_rate * self.weight_decay
                                }
                                _ => gradient += &part.variable * self.weight_decay,
                            }
                        }
                        match self.kind {
                            OptimizerKind::Adam | OptimizerKind::AdamW => {
                                let _ = part.first.lerp_(&gradient, 1.0 - BETA_1);
                                let _ = part.second.lerp_(&gradient.square(), 1.0 - beta_2);
                                let scale = (&part.second / bias_2).sqrt_() + EPSILON;
                                let _ =
                                    part.variable.g_sub_(&(&part.first * (learning_rate / bias_1) / scale));
                            }
                            OptimizerKind::Momentum => {
                                part.first *= MOMENTUM;
                                part.first += gradient * learning_rate;
                                let _ = part.variable.g_sub_(&part.first);
                            }
                        }
                    }
                    let _ = part.mean.lerp_(&part.variable, 1.0 - keep);
                }
            }
        });
    }

    /// What the gradient is multiplied with, so that its norm is `clip_norm` at most.
    fn shrink(&self) -> f64 {
        if self.clip_norm == 0.0 {
            return 1.0;
        }
        let squares = self.slots.iter().filter(|slot| slot.trainable);
        let squares: f64 =
            squares.map(|slot| slot.variable.grad().square().sum(Kind::Double).double_value(&[])).sum();
        (self.clip_norm / squares.sqrt()).min(1.0)
    }

    /// Runs `measure` with the mean in place of the weights.
    pub fn with_mean<T>(&mut self, measure: impl FnOnce() -> T) -> T {
        self.swap();
        let result = measure();
        self.swap();
        result
    }

    fn swap(&mut self) {
        tch::no_grad(|| {
            for slot in &mut self.slots {
                let weights = slot.variable.copy();
                slot.variable.copy_(&slot.mean);
                slot.mean.copy_(&weights);
            }
        });
    }

    /// Puts the mean in place of the weights for good.
    pub fn keep_mean(&mut self) {
        tch::no_grad(|| self.slots.iter_mut().for_each(|slot| slot.variable.copy_(&slot.mean)));
    }

    /// Everything a checkpoint has to hold beside the variables, by name.
    pub fn state(&self) -> (i32, BTreeMap<String, Tensor>) {
        let state = self.slots.iter().flat_map(|slot| {
            [("first", &slot.first), ("second", &slot.second), ("mean", &slot.mean)]
                .map(|(part, tensor)| (format!("{part}.{}", slot.name), tensor.shallow_clone()))
        });
        (self.step, state.collect())
    }

    /// Number of steps made, as a checkpoint kept it.
    pub fn set_step(&mut self, step: i32) {
        self.step = step;
    }
}

#[cfg(test)]
mod tests {
    use tch::Device;
    use tch::nn::{self, Init, OptimizerConfig};

    use super::*;

    /// A store with one matrix, and a loss that is neither linear nor separable in it.
    fn network() -> (VarStore, Tensor) {
        let store = VarStore::new(Device::Cpu);
        let matrix = store.root().var("matrix", &[2, 3], Init::Const(0.0));
        let start = Tensor::from_slice(&[0.5_f32, -1.0, 2.0, 0.1, -0.3, 0.7]).view([2, 3]);
        tch::no_grad(|| matrix.shallow_clone().copy_(&start));
        (store, matrix)
    }

    fn loss(matrix: &Tensor, step: usize) -> Tensor {
        let rows = Tensor::from_slice(&[1.0_f32, 2.0, -0.5]) * (step as f64 + 1.0);
        (matrix.matmul(&rows).tanh().square().sum(Kind::Float) + matrix.square().sum(Kind::Float) * 0.1)
            .sqrt()
    }

    fn values(matrix: &Tensor) -> Vec<f64> {
        Vec::<f64>::try_from(&matrix.detach().to_kind(Kind::Double).view([-1])).unwrap()
    }

    fn near(found: &[f64], expected: &[f64]) {
        let same = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6);
        assert!(same && found.len() == expected.len(), "{found:?}, not {expected:?}");
    }

    /// The gradient of `loss`, by libtorch.
    fn gradient(matrix: &Tensor, step: usize) -> Vec<f64> {
        let copy = matrix.detach().copy().set_requires_grad(true);
        loss(&copy, step).backward();
        values(&copy.grad())
    }

    #[test]
    fn adam_steps_as_libtorch_does() {
        let ((ours, matrix), (theirs, other)) = (network(), network());
        let mut optimizer = Optimizer::new(&ours, &Stage::default());
        let adam = nn::Adam { eps: EPSILON, ..nn::Adam::default() };
        let mut libtorch = adam.build(&theirs, 0.05).unwrap();
        for step in 0..5 {
            optimizer.minimise(&loss(&matrix, step), 0.05);
            libtorch.backward_step(&loss(&other, step));
            near(&values(&matrix), &values(&other));
        }
        assert!(values(&matrix).iter().zip([0.5, -1.0]).any(|(now, before)| (now - before).abs() > 0.1));
    }

    #[test]
    fn biases_do_not_decay() {
        let after = |weight_decay: f64| {
            let store = VarStore::new(Device::Cpu);
            let bias = store.root().var("bias", &[3], Init::Const(0.5));
            let stage = Stage { optimizer: OptimizerKind::AdamW, weight_decay, ..Stage::default() };
            Optimizer::new(&store, &stage).minimise(&bias.square().sum(Kind::Float), 0.05);
            values(&bias)
        };
        near(&after(0.5), &after(0.0));
    }

    #[test]
    fn adam_w_decays_past_its_moments() {
        let (store, matrix) = network();
        let stage = Stage { optimizer: OptimizerKind::AdamW, weight_decay: 0.1, ..Stage::default() };
        let mut optimizer = Optimizer::new(&store, &stage);
        let (rate, mut weights) = (0.05, values(&matrix));
        let (mut first, mut second) = ([0.0; 6], [0.0; 6]);
        for step in 0..3 {
            let gradient = gradient(&matrix, step);
            optimizer.minimise(&loss(&matrix, step), rate);
            for index in 0..6 {
                first[index] = 0.9 * first[index] + 0.1 * gradient[index];
                second[index] = 0.98 * second[index] + 0.02 * gradient[index].powi(2);
                let steps = step as i32 + 1;
                let first = first[index] / (1.0 - 0.9_f64.powi(steps));
                let second = second[index] / (1.0 - 0.98_f64.powi(steps));
                weights[index] = weights[index] * (1.0 - rate * 0.1) - rate * first / (second.sqrt() + 1e-7);
            }
            near(&values(&matrix), &weights);
        }
    }

    #[test]
    fn momentum_decay_and_clipping_follow_the_gradient() {
        let (store, matrix) = network();
        let stage = Stage {
            optimizer: OptimizerKind::Momentum,
            weight_decay: 0.2,
            clip_norm: 0.5,
            ..Stage::default()
        };
        let mut optimizer = Optimizer::new(&store, &stage);
        let (mut weights, mut momentum) = (values(&matrix), [0.0; 6]);
        for step in 0..3 {
            let gradient = gradient(&matrix, step);
            let norm = gradient.iter().map(|value| value * value).sum::<f64>().sqrt();
            assert!(norm > 0.5, "there is something to clip");
            optimizer.minimise(&loss(&matrix, step), 0.1);
            for index in 0..6 {
                let gradient = gradient[index] * 0.5 / norm + 0.2 * weights[index];
                momentum[index] = 0.9 * momentum[index] + 0.1 * gradient;
                weights[index] -= momentum[index];
            }
            near(&values(&matrix), &weights);
        }
    }

    #[test]
    fn the_running_mean_starts_short_and_takes_the_weights_place() {
        let (store, matrix) = network();
        let mut optimizer = Optimizer::new(&store, &Stage { mean_decay: 0.9, ..Stage::default() });
        let mut mean = values(&matrix);
        for step in 0..4 {
            optimizer.minimise(&loss(&matrix, step), 0.05);
            let keep = f64::min(0.9, (2.0 + step as f64) / (11.0 + step as f64));
            let weights = values(&matrix);
            mean.iter_mut()
                .zip(&weights)
                .for_each(|(mean, weight)| *mean = keep * *mean + (1.0 - keep) * weight);
        }
        let weights = values(&matrix);
        near(&optimizer.with_mean(|| values(&matrix)), &mean);
        near(&values(&matrix), &weights);
        optimizer.keep_mean();
        near(&values(&matrix), &mean);
    }

    #[test]
    fn an_optimiser_goes_on_from_what_a_checkpoint_kept() {
        let ((store, matrix), (fresh_store, fresh)) = (network(), network());
        let stage = Stage { mean_decay: 0.9, ..Stage::default() };
        let (mut optimizer, mut other) =
            (Optimizer::new(&store, &stage), Optimizer::new(&fresh_store, &stage));
        (0..3).for_each(|step| optimizer.minimise(&loss(&matrix, step), 0.05));
        let (steps, kept) = optimizer.state();
        assert_eq!(steps, 3);
        assert_eq!(
            kept.keys().map(String::as_str).collect::<Vec<_>>(),
            ["first.matrix", "mean.matrix", "second.matrix"]
        );
        tch::no_grad(|| {
            fresh.shallow_clone().copy_(&matrix);
            for (name, mut tensor) in other.state().1 {
                tensor.copy_(&kept[&name]);
            }
        });
        other.set_step(steps);
        optimizer.minimise(&loss(&matrix, 3), 0.05);
        other.minimise(&loss(&fresh, 3), 0.05);
        near(&values(&fresh), &values(&matrix));
        let (mean, other) = (optimizer.with_mean(|| values(&matrix)), other.with_mean(|| values(&fresh)));
        near(&other, &mean);
    }

    #[test]
    fn running_statistics_take_no_step_and_are_no_part_of_the_clipped_norm() {
        let stage = Stage { optimizer: OptimizerKind::Momentum, clip_norm: 0.5, ..Stage::default() };
        let after = |statistics: bool| {
            let (store, matrix) = network();
            let running = statistics.then(|| store.root().zeros_no_train("running", &[2]));
            Optimizer::new(&store, &stage).minimise(&loss(&matrix, 0), 0.1);
            assert!(running.is_none_or(|running| values(&running) == [0.0, 0.0]));
            values(&matrix)
        };
        near(&after(true), &after(false));
    }
}

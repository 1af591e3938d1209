//! The training loop. It knows a recipe and a network that maps inputs to logits, and no model by name.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use mirador_models::tasks::{Input, Loss, probability};
use mirador_models::{Model, Replica, Tensors};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Reduction, Tensor};

use super::checkpoint::{Checkpoint, Epoch, State};
use super::optimizer::Optimizer;
use crate::experiment::{Experiment, Labelled};
use crate::recipe::{EpochMetric, Stage};
use crate::stats::correlation::pearson;
use crate::stats::ranking::{auroc, average_precision};

/// One seed's run on one fold.
pub struct Run<'a> {
    /// The network's kind.
    pub model: &'static Model,
    /// How to train it.
    pub stages: &'a [Stage],
    /// Start of every random number.
    pub seed: u64,
    /// The rows.
    pub experiment: &'a dyn Experiment,
    /// The fold that is held out.
    pub fold: usize,
    /// What chooses the epoch.
    pub choose_by: EpochMetric,
    /// Where it goes on after a kill.
    pub checkpoint: Checkpoint,
    /// Tells one recipe and data file from another.
    pub fingerprint: &'a str,
}

impl Run<'_> {
    /// Trains, or goes on where a killed run stopped; leaves the best epoch's weights in `replica`.
    pub fn fit(&self, replica: &Replica) -> Result<State> {
        replica.network.remember_frozen();
        let mut state = self.checkpoint.state(self.fingerprint)?;
        if self.stages.is_empty() {
            return Ok(self.without_epochs(replica, state));
        }
        let mut best = Tensors::of(&replica.store);
        let mut resume = state.history.last().map(|last| (last.stage, last.epoch));
        for (index, stage) in self.stages.iter().enumerate() {
            let mut optimizer = Optimizer::new(&replica.store, stage);
            let mut first = 1;
            match resume {
                Some((at, _)) if at > index => continue,
                Some((at, epoch)) if at == index => {
                    best = self.checkpoint.restore(&state, replica, &mut optimizer)?;
                    first = epoch + 1;
                    resume = None;
                }
                _ => {}
            }
            eprintln!(
                "seed {} fold {} stage {index}: from epoch {first} to at most {}",
                self.seed, self.fold, stage.epochs
            );
            for epoch in first..=stage.epochs {
                if is_over(stage, index, &state) || self.is_dead(&state) {
                    break;
                }
                let loss = self.epoch(replica, &mut optimizer, stage, (index, epoch))?;
                let validation = optimizer.with_mean(|| self.validate(replica));
                let score = self.score(&validation);
                if !loss.is_finite() || !score.is_finite() {
                    bail!(
                        "seed {}, stage {index}, epoch {epoch}: the loss is {loss}; lower the rate",
                        self.seed
                    );
                }
                let metrics: Vec<String> =
                    validation.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
                eprintln!(
                    "seed {} fold {} stage {index} epoch {epoch:>3}/{}: loss {loss:.4}; validation {}",
                    self.seed,
                    self.fold,
                    stage.epochs,
                    metrics.join(", ")
                );
                let record = Epoch { stage: index, epoch, loss, validation, score };
                state.history.push(record);
                if is_best(stage, &state) {
                    state.best = Some(state.history.len() - 1);
                    best = optimizer.with_mean(|| Tensors::of(&replica.store));
                }
                state.step = optimizer.state().0;
                self.checkpoint.save(&state, replica, &optimizer, &best)?;
            }
            // The next stage starts from the mean of this one.
            optimizer.keep_mean();
        }
        best.load_into(&replica.store)?;
        Ok(state)
    }

    /// What validation says of a network that is as its training rows set it.
    fn without_epochs(&self, replica: &Replica, state: State) -> State {
        let validation = self.validate(replica);
        let score = self.score(&validation);
        eprintln!("seed {} fold {}: validation {} {:.4}", self.seed, self.fold, self.choose_by, score);
        let loss = validation.get(&EpochMetric::Loss).copied().unwrap_or_default();
        let only = Epoch { stage: 0, epoch: 0, loss, validation, score };
        State { history: vec![only], best: Some(0), ..state }
    }

    /// One pass over an epoch's rows; returns the mean loss. Its random numbers depend on nothing before it.
    fn epoch(
        &self,
        replica: &Replica,
        optimizer: &mut Optimizer,
        stage: &Stage,
        (index, epoch): (usize, usize),
    ) -> Result<f64> {
        let place = self.seed * 1_000_000 + (index * 10_000 + epoch) as u64;
        let mut rng = ChaCha8Rng::seed_from_u64(place);
        tch::manual_seed(place as i64);
        let mut rows = self.experiment.draw(self.fold, stage, &mut rng)?;
        rows.shuffle(&mut rng);
        // Batch normalisation cannot take a batch of one.
        let batches: Vec<&[Labelled]> = rows.chunks(stage.batch).filter(|batch| batch.len() > 1).collect();
        let progress = bar(batches.len(), 0);
        let mut sum = 0.0;
        for (step, batch) in batches.iter().enumerate() {
            let at = (epoch - 1) * batches.len() + step;
            let rate = stage.schedule.rate(stage.learning_rate, at, stage.epochs * batches.len());
            let loss = self.loss(replica, batch, stage.l1);
            optimizer.minimise(&loss, rate);
            if step % 50 == 0 {
                progress.set_message(format!("loss {:.4}", loss.double_value(&[])));
            }
            sum += loss.double_value(&[]);
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(sum / batches.len() as f64)
    }

    fn loss(&self, replica: &Replica, batch: &[Labelled], l1: f64) -> Tensor {
        let device = replica.store.device();
        let (inputs, targets) = encode(replica, batch);
        let outputs = replica.network.forward_t(&inputs.to_device(device), true);
        let targets = targets.to_device(device);
        let mut loss = match self.model.task.loss() {
            Loss::BinaryCrossEntropy => {
                outputs.binary_cross_entropy_with_logits::<Tensor>(&targets, None, None, Reduction::Mean)
            }
            Loss::MeanSquaredError => outputs.mse_loss(&targets, Reduction::Mean),
        };
        if l1 > 0.0 {
            let variables = replica.store.variables();
            for name in self.model.l1_variables {
                if let Some(variable) = variables.get(*name) {
                    loss += l1 * variable.abs().sum(Kind::Float);
                }
            }
        }
        loss
    }

    /// Metrics on the validation rows: means over the strata, since the largest would decide alone otherwise.
    fn validate(&self, replica: &Replica) -> BTreeMap<EpochMetric, f64> {
        let rows = &self.experiment.folds()[self.fold].validation;
        let inputs: Vec<Input> = rows.iter().map(|row| row.input.clone()).collect();
        let mut strata: BTreeMap<&str, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
        for (row, output) in rows.iter().zip(replica.score(&inputs)) {
            let (targets, outputs) = strata.entry(&row.stratum).or_default();
            targets.push(f64::from(row.target));
            outputs.push(f64::from(output));
        }
        let mut means = BTreeMap::new();
        for (targets, outputs) in strata.values() {
            // A constant output has no correlation; a checkpoint cannot hold "not a number".
            let metrics = metrics(self.model.task.loss(), targets, outputs).into_iter();
            for (name, metric) in metrics.filter(|(_, metric)| metric.is_finite()) {
                *means.entry(name).or_default() += metric / strata.len() as f64;
            }
        }
        means
    }

    /// The last epoch's network says the same of every row: its units died, and do not come back.
    fn is_dead(&self, state: &State) -> bool {
        let correlates = |epoch: &Epoch| epoch.validation.contains_key(&EpochMetric::PearsonRSquared);
        self.model.task.loss() == Loss::MeanSquaredError
            && state.history.last().is_some_and(|last| !correlates(last))
    }

    /// Higher is better.
    fn score(&self, validation: &BTreeMap<EpochMetric, f64>) -> f64 {
        validation.get(&self.choose_by).map_or(f64::NAN, |metric| self.choose_by.sign() * metric)
    }
}

/// A batch as tensors (n, width) and (n, 1). Of a site that takes several windows the first is trained on.
pub fn encode(replica: &Replica, batch: &[Labelled]) -> (Tensor, Tensor) {
    let width = replica.encoder.width;
    let mut inputs = Vec::with_capacity(batch.len() * width);
    for (input, _) in batch {
        inputs.extend_from_slice(&replica.encoder.encode(input).values[..width]);
    }
    let targets: Vec<f32> = batch.iter().map(|&(_, target)| target).collect();
    let shape = [batch.len() as i64, width as i64];
    (Tensor::from_slice(&inputs).view(shape), Tensor::from_slice(&targets).view([-1, 1]))
}

/// What is followed from epoch to epoch.
fn metrics(loss: Loss, targets: &[f64], outputs: &[f64]) -> Vec<(EpochMetric, f64)> {
    let mean = |of: &dyn Fn(f64, f64) -> f64| {
        let sum: f64 = targets.iter().zip(outputs).map(|(&target, &output)| of(target, output)).sum();
        sum / targets.len() as f64
    };
    match loss {
        Loss::BinaryCrossEntropy => {
            let labels: Vec<bool> = targets.iter().map(|&target| target >= 0.5).collect();
            // log(1 + e^z) − y·z, written so that it cannot overflow.
            let entropy = |target: f64, z: f64| z.max(0.0) + (-z.abs()).exp().ln_1p() - target * z;
            let right =
                |target: f64, z: f64| f64::from(u8::from((target >= 0.5) == (probability(z as f32) >= 0.5)));
            vec![
                (EpochMetric::AveragePrecision, average_precision(&labels, outputs)),
                (EpochMetric::Auroc, auroc(&labels, outputs)),
                (EpochMetric::Accuracy, mean(&right)),
                (EpochMetric::Loss, mean(&entropy)),
            ]
        }
        Loss::MeanSquaredError => vec![
            (EpochMetric::Loss, mean(&|target, output| (target - output).powi(2))),
            (EpochMetric::PearsonRSquared, pearson(targets, outputs).powi(2)),
        ],
    }
}

/// The last epoch is the best of its stage. A new stage forgets the best of the one before: only the last one's
/// weights are shipped.
fn is_best(stage: &Stage, state: &State) -> bool {
    let Some(last) = state.history.last() else { return false };
    state
        .best
        .and_then(|best| state.history.get(best))
        .is_none_or(|best| stage.keep_last || best.stage < last.stage || last.score > best.score)
}

/// Patience has run out.
fn is_over(stage: &Stage, index: usize, state: &State) -> bool {
    let since = state.best.map_or(0, |best| state.history.len() - 1 - best);
    let in_stage =
        state.best.and_then(|best| state.history.get(best)).is_some_and(|best| best.stage == index);
    stage.patience > 0 && in_stage && since >= stage.patience
}

/// Progress over steps, some of them done.
pub fn bar(steps: usize, done: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {eta} left {msg}");
    let bar = ProgressBar::new(steps as u64).with_position(done as u64);
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_epoch_is_kept_where_a_stage_says_so() {
        let epoch = |score: f64| Epoch { stage: 0, epoch: 1, loss: 0.0, validation: BTreeMap::new(), score };
        let state =
            |scores: [f64; 2]| State { history: scores.map(epoch).into(), best: Some(0), ..State::default() };
        let [best, last] = [false, true].map(|keep_last| Stage { keep_last, ..Stage::default() });
        assert!(is_best(&best, &state([0.5, 0.6])) && !is_best(&best, &state([0.6, 0.5])));
        assert!(is_best(&last, &state([0.6, 0.5])));
    }
}

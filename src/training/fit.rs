//! The training loop. It knows a recipe and a network that maps inputs to logits, and no model by name.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Reduction, Tensor};

use super::checkpoint::{Checkpoint, Epoch, State};
use super::examples::{Examples, Labelled};
use super::optimizer::Adam;
use super::ranking::{auroc, average_precision};
use super::recipe::Stage;
use crate::models::{Model, Replica, Tensors};
use crate::tasks::{Loss, target_site::Pair};

/// One seed's run.
pub struct Run<'a> {
    /// The network's kind.
    pub model: &'static Model,
    /// How to train it.
    pub stages: &'a [Stage],
    /// Start of every random number.
    pub seed: u64,
    /// The rows.
    pub examples: &'a Examples,
    /// Where it goes on after a kill.
    pub checkpoint: Checkpoint,
    /// Tells one recipe and data file from another.
    pub fingerprint: &'a str,
}

impl Run<'_> {
    /// Trains, or goes on where a killed run stopped; leaves the best epoch's weights in `replica`.
    pub fn fit(&self, replica: &Replica) -> Result<State> {
        let mut state = self.checkpoint.state(self.fingerprint)?;
        let mut best = Tensors::of(&replica.store);
        let mut resume = state.history.last().map(|last| (last.stage, last.epoch));
        for (index, stage) in self.stages.iter().enumerate() {
            let mut adam = Adam::new(&replica.store, stage.mean_decay);
            let mut first = 1;
            match resume {
                Some((at, _)) if at > index => continue,
                Some((at, epoch)) if at == index => {
                    best = self.checkpoint.restore(&state, replica, &mut adam)?;
                    first = epoch + 1;
                    resume = None;
                }
                _ => {}
            }
            for epoch in first..=stage.epochs {
                if is_over(stage, index, &state) {
                    break;
                }
                let loss = self.epoch(replica, &mut adam, stage, (index, epoch))?;
                let (precision, area) = adam.with_mean(|| self.validate(replica));
                if !loss.is_finite() || !precision.is_finite() {
                    bail!(
                        "seed {}, stage {index}, epoch {epoch}: the loss is {loss}; lower the rate",
                        self.seed
                    );
                }
                let record = Epoch {
                    stage: index,
                    epoch,
                    loss,
                    validation_average_precision: precision,
                    validation_auroc: area,
                };
                println!(
                    "seed {} stage {index} epoch {epoch:>3}/{}: loss {loss:.4}, validation AP {precision:.4}, \
                     AUROC {area:.4}",
                    self.seed, stage.epochs
                );
                state.history.push(record);
                if is_best(&state) {
                    state.best = Some(state.history.len() - 1);
                    best = adam.with_mean(|| Tensors::of(&replica.store));
                }
                state.step = adam.state().0;
                self.checkpoint.save(&state, replica, &adam, &best)?;
            }
            // The next stage starts from the mean of this one.
            adam.keep_mean();
        }
        best.load_into(&replica.store)?;
        Ok(state)
    }

    /// One pass over an epoch's rows; returns the mean loss. Its random numbers depend on nothing before it.
    fn epoch(
        &self,
        replica: &Replica,
        adam: &mut Adam,
        stage: &Stage,
        (index, epoch): (usize, usize),
    ) -> Result<f64> {
        let place = self.seed * 1_000_000 + (index * 10_000 + epoch) as u64;
        let mut rng = ChaCha8Rng::seed_from_u64(place);
        tch::manual_seed(place as i64);
        let mut rows = self.examples.draw(stage.rows, &mut rng)?;
        rows.shuffle(&mut rng);
        // Batch normalisation cannot take a batch of one.
        let batches: Vec<&[Labelled]> = rows.chunks(stage.batch).filter(|batch| batch.len() > 1).collect();
        let progress = bar(batches.len() as u64);
        let mut sum = 0.0;
        for (step, batch) in batches.iter().enumerate() {
            let at = (epoch - 1) * batches.len() + step;
            let rate = stage.schedule.rate(stage.learning_rate, at, stage.epochs * batches.len());
            let loss = self.loss(replica, batch, stage.l1);
            adam.minimise(&loss, rate);
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
        let inputs: Vec<f32> = batch.iter().flat_map(|(pair, _)| (self.model.encode)(pair).values).collect();
        let labels: Vec<f32> = batch.iter().map(|&(_, label)| label).collect();
        let shape = [batch.len() as i64, self.model.input_width as i64];
        let inputs = Tensor::from_slice(&inputs).view(shape).to_device(device);
        let labels = Tensor::from_slice(&labels).view([-1, 1]).to_device(device);
        let logits = replica.network.forward_t(&inputs, true);
        let Loss::BinaryCrossEntropy = self.model.task.loss();
        let mut loss =
            logits.binary_cross_entropy_with_logits::<Tensor>(&labels, None, None, Reduction::Mean);
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

    /// Average precision and AUROC on the validation rows: means over the sources, since the largest would decide
    /// alone otherwise.
    fn validate(&self, replica: &Replica) -> (f64, f64) {
        let rows = &self.examples.validation;
        let pairs: Vec<Pair> = rows.iter().map(|row| row.pair.clone()).collect();
        let mut sources: BTreeMap<&str, (Vec<bool>, Vec<f64>)> = BTreeMap::new();
        for (row, logit) in rows.iter().zip(replica.score(&pairs)) {
            let (labels, scores) = sources.entry(row.stratum()).or_default();
            labels.push(row.label);
            scores.push(f64::from(logit));
        }
        let mean = |figure: fn(&[bool], &[f64]) -> f64| {
            sources.values().map(|(labels, scores)| figure(labels, scores)).sum::<f64>()
                / sources.len() as f64
        };
        (mean(average_precision), mean(auroc))
    }
}

/// The last epoch is the best of its stage. A new stage forgets the best of the one before: only the last one's
/// weights are shipped.
fn is_best(state: &State) -> bool {
    let Some(last) = state.history.last() else { return false };
    state.best.and_then(|best| state.history.get(best)).is_none_or(|best| {
        best.stage < last.stage || last.validation_average_precision > best.validation_average_precision
    })
}

/// Patience has run out.
fn is_over(stage: &Stage, index: usize, state: &State) -> bool {
    let since = state.best.map_or(0, |best| state.history.len() - 1 - best);
    let in_stage =
        state.best.and_then(|best| state.history.get(best)).is_some_and(|best| best.stage == index);
    stage.patience > 0 && in_stage && since >= stage.patience
}

fn bar(steps: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {per_sec} {eta} left, {msg}");
    ProgressBar::new(steps).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

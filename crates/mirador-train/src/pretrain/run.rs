//! The loop of the masked language model: goes on where a killed run stopped, with the same random numbers.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use mirador_models::Tensors;
use mirador_models::networks::deepmirnatar::kmers::kmers;
use mirna::Rna;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::Device;

use super::masked_lm::{Batch, MaskedLm, Row};
use super::masks::{corrupt, draw};
use crate::learn::checkpoint::{read_state, write_state};
use crate::learn::fit::bar;
use crate::learn::optimizer::Optimizer;
use crate::recipe::{OptimizerKind, Stage};

/// The rate at its highest.
const RATE: f64 = 1e-3;
/// Factor of Σw²/2 over matrices.
const WEIGHT_DECAY: f64 = 0.01;
/// Steps over which the rate rises, or a tenth of a short run; then it falls to 0 along a line.
const WARM_UP: usize = 500;
/// Steps between checkpoints.
const CHECKPOINT: usize = 200;

/// What is chosen on the command line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How often the text is read.
    pub passes: usize,
    /// Windows in a step.
    pub batch: usize,
    /// Layers of BERT.
    pub layers: usize,
    /// Neighbouring words that are hidden together.
    pub mask_run: usize,
}

/// `state.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    /// Settings and text that the run belongs to.
    settings: Settings,
    text_sha256: String,
    /// Steps made.
    pub step: usize,
    /// Seconds that they took.
    pub seconds: f64,
    /// Steps made, and the mean loss of the steps since the entry before.
    pub history: Vec<(usize, f64)>,
}

/// Trains, or goes on; the model is left as the last step made it.
pub(super) fn train(
    model: &MaskedLm,
    windows: &[Rna],
    settings: &Settings,
    text_sha256: &str,
    folder: &Path,
) -> Result<State> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let words: Vec<Vec<i64>> = windows.iter().map(|window| kmers(window)).collect();
    let adam_w = Stage { optimizer: OptimizerKind::AdamW, weight_decay: WEIGHT_DECAY, ..Stage::default() };
    let mut optimizer = Optimizer::new(&model.store, &adam_w);
    let mut state = restore(model, &mut optimizer, settings, text_sha256, folder)?;
    let steps_of_pass = words.len().div_ceil(settings.batch);
    let steps = settings.passes * steps_of_pass;
    let progress = bar(steps, state.step);
    let (mut batches, mut pass_of_batches) = (Vec::new(), None);
    let (mut sum, mut since, mut start) = (0.0, 0, Instant::now());
    while state.step < steps {
        let pass = state.step / steps_of_pass;
        if pass_of_batches != Some(pass) {
            batches = shuffled(&words, settings.batch, pass);
            pass_of_batches = Some(pass);
        }
        let batch = &batches[state.step % steps_of_pass];
        let batch = hidden(&words, batch, settings.mask_run, state.step, model.store.device());
        let loss = model.loss(&batch);
        state.step += 1;
        optimizer.minimise(&loss, rate(state.step, steps));
        sum += loss.double_value(&[]);
        since += 1;
        progress.inc(1);
        if state.step.is_multiple_of(CHECKPOINT) || state.step == steps {
            let mean = sum / f64::from(since);
            ensure!(mean.is_finite(), "step {}: the loss is {mean}", state.step);
            state.seconds += start.elapsed().as_secs_f64();
            state.history.push((state.step, mean));
            (sum, since, start) = (0.0, 0, Instant::now());
            println!("step {}/{steps}: loss {mean:.4}, {:.0} s", state.step, state.seconds);
            save(model, &optimizer, &state, folder)?;
        }
    }
    progress.finish_and_clear();
    Ok(state)
}

/// Batches of like lengths in a random order, the same for the same pass.
fn shuffled(words: &[Vec<i64>], batch: usize, pass: usize) -> Vec<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(pass as u64);
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.shuffle(&mut rng);
    order.sort_by_key(|&row| words[row].len());
    let mut batches: Vec<Vec<usize>> = order.chunks(batch).map(<[usize]>::to_vec).collect();
    batches.shuffle(&mut rng);
    batches
}

/// A batch with words hidden; also seeds the step's dropout.
fn hidden(words: &[Vec<i64>], rows: &[usize], run: usize, step: usize, device: Device) -> Batch {
    tch::manual_seed(step as i64);
    let mut rng = ChaCha8Rng::seed_from_u64(step as u64);
    let row = |&row: &usize| {
        let words = words[row].clone();
        let places = draw(&words, run, &mut rng);
        Row { shown: corrupt(&words, &places, &mut rng), words, places }
    };
    Batch::new(&rows.iter().map(row).collect::<Vec<_>>(), device)
}

/// At a step, from 1, out of `steps`.
fn rate(step: usize, steps: usize) -> f64 {
    let warm_up = WARM_UP.min(steps / 10).max(1);
    let rising = step as f64 / warm_up as f64;
    let falling = (steps - step) as f64 / (steps - warm_up).max(1) as f64;
    RATE * rising.min(falling)
}

fn save(model: &MaskedLm, optimizer: &Optimizer, state: &State, folder: &Path) -> Result<()> {
    let mut tensors = Tensors::default();
    tensors.extend_with("weights.", Tensors::of(&model.store));
    tensors.extend_with("adam.", Tensors::copy(optimizer.state().1));
    tensors.write(&folder.join(format!("checkpoint-{}.safetensors", state.step)))?;
    write_state(folder, state)?;
    if let [.., (before, _), _] = state.history[..] {
        // A leftover costs disk only.
        let _ = fs::remove_file(folder.join(format!("checkpoint-{before}.safetensors")));
    }
    Ok(())
}

fn restore(
    model: &MaskedLm,
    optimizer: &mut Optimizer,
    settings: &Settings,
    text_sha256: &str,
    folder: &Path,
) -> Result<State> {
    let fresh = State {
        settings: settings.clone(),
        text_sha256: text_sha256.to_owned(),
        step: 0,
        seconds: 0.0,
        history: Vec::new(),
    };
    let Some(state) = read_state::<State>(folder)? else { return Ok(fresh) };
    ensure!(
        (&state.settings, state.text_sha256.as_str()) == (settings, text_sha256),
        "{} was begun with other settings or another text; remove the folder to start again",
        folder.display()
    );
    let mut tensors = Tensors::read(&folder.join(format!("checkpoint-{}.safetensors", state.step)))?;
    tensors.split_off("weights.").load_into(&model.store)?;
    tensors.split_off("adam.").copy_into(optimizer.state().1)?;
    optimizer.set_step(i32::try_from(state.step)?);
    tensors.expect_empty()?;
    Ok(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_rises_then_falls_to_zero() {
        let rates: Vec<f64> = (1..=10_000).map(|step| rate(step, 10_000)).collect();
        assert!(rates[..500].is_sorted() && rates[499..].iter().rev().is_sorted());
        assert_eq!((rates[499], rates[9_999]), (RATE, 0.0));
    }
}

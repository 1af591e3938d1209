//! What a killed run needs to go on as if nothing had happened: weights, optimiser, best weights so far, history.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use mirador_models::{Replica, Tensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::optimizer::Optimizer;
use crate::recipe::EpochMetric;

/// One epoch as it was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// Index of the recipe's stage.
    pub stage: usize,
    /// From 1, within the stage.
    pub epoch: usize,
    /// Mean training loss, penalty included.
    pub loss: f64,
    /// Metrics on validation rows, means over strata.
    pub validation: BTreeMap<EpochMetric, f64>,
    /// The one that chooses; higher is better.
    pub score: f64,
}

/// `state.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The recipe and the data that the run belongs to.
    pub fingerprint: String,
    /// Epochs done.
    pub history: Vec<Epoch>,
    /// Index in `history` of the best epoch of the last stage.
    pub best: Option<usize>,
    /// Optimiser steps made in the current stage.
    pub step: i32,
}

/// Puts `state.json` in its place at once: written after the tensor file that it names, so that file is complete.
pub fn write_state(folder: &Path, state: &impl Serialize) -> Result<()> {
    let temporary = folder.join("state.json.new");
    fs::write(&temporary, serde_json::to_vec_pretty(state)?)?;
    Ok(fs::rename(temporary, folder.join("state.json"))?)
}

/// The `state.json` of a run that was begun before.
pub fn read_state<S: DeserializeOwned>(folder: &Path) -> Result<Option<S>> {
    let path = folder.join("state.json");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    serde_json::from_str(&text).with_context(|| path.display().to_string()).map(Some)
}

/// One run's folder.
pub struct Checkpoint {
    folder: PathBuf,
}

impl Checkpoint {
    /// In a folder, which is made.
    pub fn new(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn tensors(&self, epochs: usize) -> PathBuf {
        self.folder.join(format!("checkpoint-{epochs:04}.safetensors"))
    }

    /// Keeps the run as it is after an epoch.
    pub fn save(
        &self,
        state: &State,
        replica: &Replica,
        optimizer: &Optimizer,
        best: &Tensors,
    ) -> Result<()> {
        let mut tensors = Tensors::default();
        tensors.extend_with("weights.", Tensors::of(&replica.store));
        tensors.extend_with("adam.", Tensors::copy(optimizer.state().1));
        tensors.extend_with("best.", best.clone());
        let epochs = state.history.len();
        tensors.write(&self.tensors(epochs))?;
        write_state(&self.folder, state)?;
        if let Some(before) = epochs.checked_sub(1) {
            // Absent after the first epoch; a leftover costs disk only.
            let _ = fs::remove_file(self.tensors(before));
        }
        Ok(())
    }

    /// The state of a run that was begun before with the same recipe and data.
    pub fn state(&self, fingerprint: &str) -> Result<State> {
        let Some(state) = read_state::<State>(&self.folder)? else {
            return Ok(State { fingerprint: fingerprint.to_owned(), ..State::default() });
        };
        ensure!(
            state.fingerprint == fingerprint,
            "{} was begun with another recipe or other data; remove the folder to start again",
            self.folder.display()
        );
        Ok(state)
    }

    /// Restores weights and optimiser; returns the best weights so far.
    pub fn restore(&self, state: &State, replica: &Replica, optimizer: &mut Optimizer) -> Result<Tensors> {
        let mut tensors = Tensors::read(&self.tensors(state.history.len()))?;
        tensors.split_off("weights.").load_into(&replica.store)?;
        tensors.split_off("adam.").copy_into(optimizer.state().1)?;
        optimizer.set_step(state.step);
        let best = tensors.split_off("best.");
        tensors.expect_empty()?;
        Ok(best)
    }
}

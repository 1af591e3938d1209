//! A network with its weights on a device: numbers in, numbers out.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tch::{Device, Kind, Tensor, nn};

use crate::encoding::best_window;
use crate::tasks::Input;
use crate::tensors::values;
use crate::{Encoder, LoadError, Model, Network, Options};

/// Inputs that [`Replica::score`] runs at once.
const BATCH: usize = 512;

/// A network that belongs to one thread for life: tensors are `Send`, not `Sync`.
pub struct Replica {
    /// The variables.
    pub store: nn::VarStore,
    /// The layers.
    pub network: Network,
    /// From letters to its input.
    pub encoder: Encoder,
}

/// The weights of a network, which several replicas read.
pub struct Weights {
    variables: Mutex<HashMap<String, Tensor>>,
    device: Device,
}

impl Replica {
    /// A network as training starts it; set the seed before.
    pub fn new(model: &Model, options: &Options, device: Device) -> Result<Self, LoadError> {
        let store = nn::VarStore::new(device);
        let network = (model.network)(&store.root(), options)?;
        Ok(Self { store, network, encoder: (model.encoder)(options)? })
    }

    /// The replica's weights, for others to share.
    pub fn weights(&self) -> Weights {
        Weights { variables: Mutex::new(self.store.variables()), device: self.store.device() }
    }

    /// A network over weights that others use too: nobody may train it.
    pub fn sharing(model: &Model, options: &Options, weights: &Weights) -> Result<Self, LoadError> {
        let replica = Self::new(model, options, weights.device)?;
        let shared = weights.variables.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, mut variable) in replica.store.variables() {
            let weights = shared.get(&name).ok_or(LoadError::Missing(name))?;
            tch::no_grad(|| variable.set_data(weights));
        }
        drop(shared);
        Ok(replica)
    }

    /// Outputs of n encoded inputs, one after the other in `inputs`. A fault in libtorch panics.
    ///
    /// # Panics
    /// Also when `inputs` is not a whole number of inputs.
    pub fn forward(&self, inputs: &[f32]) -> Vec<f32> {
        let width = self.encoder.width;
        assert_eq!(inputs.len() % width, 0, "not a whole number of inputs");
        let _no_grad = tch::no_grad_guard();
        let rows = inputs.len() / width;
        let batch = Tensor::from_slice(inputs).view([rows as i64, width as i64]);
        let outputs = self.network.forward_t(&self.staged(batch), false);
        values(&outputs)
    }

    /// On the replica's device. CUDA copies out of pinned memory, of which libtorch keeps what it once had, beside the
    /// work of others.
    fn staged(&self, batch: Tensor) -> Tensor {
        match self.store.device() {
            device @ Device::Cuda(_) => batch.pin_memory(device).to_device_(device, Kind::Float, true, false),
            device => batch.to_device(device),
        }
    }

    /// Outputs of rows, in batches; the largest over a row's windows.
    pub fn score(&self, rows: &[Input]) -> Vec<f32> {
        rows.chunks(BATCH)
            .flat_map(|chunk| {
                let encoded: Vec<_> = chunk.iter().map(|row| self.encoder.encode(row)).collect();
                let inputs: Vec<f32> = encoded.iter().flat_map(|row| &row.values).copied().collect();
                let outputs = self.forward(&inputs);
                let mut rest = outputs.as_slice();
                encoded
                    .iter()
                    .map(|row| {
                        let (of_row, others) = rest.split_at(row.inputs());
                        rest = others;
                        best_window(&row.windows, of_row).0
                    })
                    .collect::<Vec<f32>>()
            })
            .collect()
    }

    /// Outputs of inner layers of n encoded inputs, by name, row after row. Empty where the network
    /// shows none. A fault in libtorch panics.
    pub fn stages(&self, inputs: &[f32]) -> Vec<(&'static str, Vec<f32>)> {
        let _no_grad = tch::no_grad_guard();
        let batch = Tensor::from_slice(inputs).view([-1, self.encoder.width as i64]);
        let stages = self.network.stages(&batch.to_device(self.store.device()));
        stages.into_iter().map(|(name, outputs)| (name, values(&outputs))).collect()
    }

    /// Values that training changes.
    pub fn trainable_parameters(&self) -> usize {
        self.store.trainable_variables().iter().map(Tensor::numel).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::dmiso;

    /// Each replica would else hold its own copy of the weights.
    #[test]
    fn replicas_read_the_same_memory() {
        let options = Options::new();
        let first = Replica::new(&dmiso::MODEL, &options, Device::Cpu).unwrap();
        let second = Replica::sharing(&dmiso::MODEL, &options, &first.weights()).unwrap();
        let theirs = second.store.variables();
        for (name, variable) in first.store.variables() {
            assert_eq!(variable.data_ptr(), theirs[&name].data_ptr(), "{name}");
        }
    }
}

//! A network with its weights on a device: numbers in, logits out.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor, nn};

use super::{LoadError, Model, Network, Options};
use crate::rna::Rna;
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS, probability};

/// How far a logit may lie from its golden value, relative to 1 + |logit|; a probability must agree to 1e-5.
pub const GOLDEN_TOLERANCE: f32 = 1e-4;

/// A network that belongs to one thread for life: tensors are `Send`, not `Sync`.
#[derive(Debug)]
pub struct Replica {
    /// Its variables.
    pub store: nn::VarStore,
    /// Its layers.
    pub network: Network,
    /// From letters to its input.
    pub encode: fn(&Pair) -> crate::encoding::Encoded,
    width: usize,
}

impl Replica {
    /// A network as training starts it; set the seed before.
    pub fn new(model: &Model, options: &Options, device: Device) -> Result<Self, LoadError> {
        let store = nn::VarStore::new(device);
        let network = (model.network)(&store.root(), options)?;
        Ok(Self { store, network, encode: model.encode, width: model.input_width })
    }

    /// Logits of n encoded inputs, one after the other in `inputs`. A fault in libtorch panics.
    ///
    /// # Panics
    /// Also when `inputs` is not a whole number of inputs.
    pub fn forward(&self, inputs: &[f32]) -> Vec<f32> {
        assert_eq!(inputs.len() % self.width, 0, "not a whole number of inputs");
        let _no_grad = tch::no_grad_guard();
        let rows = inputs.len() / self.width;
        let batch = Tensor::from_slice(inputs).view([rows as i64, self.width as i64]);
        let logits = self.network.forward_t(&batch.to_device(self.store.device()), false);
        let mut values = vec![0.0; rows];
        logits.to_device(Device::Cpu).contiguous().copy_data(&mut values, rows);
        values
    }

    /// Logits of pairs, in batches of at most 512.
    pub fn score(&self, pairs: &[Pair]) -> Vec<f32> {
        pairs
            .chunks(512)
            .flat_map(|chunk| {
                let inputs: Vec<f32> = chunk.iter().flat_map(|pair| (self.encode)(pair).values).collect();
                self.forward(&inputs)
            })
            .collect()
    }

    /// Values that training changes.
    pub fn trainable_parameters(&self) -> usize {
        self.store.trainable_variables().iter().map(Tensor::numel).sum()
    }
}

/// `golden.json`: inputs and the logits that training saw for them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Golden {
    cases: Vec<GoldenCase>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct GoldenCase {
    mirna: String,
    site: String,
    logit: f32,
}

impl Golden {
    /// What `replica` says of these pairs.
    pub fn record(replica: &Replica, pairs: &[Pair]) -> Self {
        let cases = replica.score(pairs).into_iter().zip(pairs).map(|(logit, pair)| GoldenCase {
            mirna: pair.mirna.to_string(),
            site: pair.site.to_string(),
            logit,
        });
        Self { cases: cases.collect() }
    }

    /// Fails at the first pair for which `replica` says something else.
    pub fn verify(&self, replica: &Replica) -> Result<(), LoadError> {
        for (case, golden) in self.cases.iter().enumerate() {
            let read = |text, lengths| Rna::parse(text, lengths).map(|(rna, _)| rna);
            let pair = read(&golden.mirna, MIRNA_LENGTHS)
                .and_then(|mirna| Ok(Pair { mirna, site: read(&golden.site, SITE_LENGTHS)? }))
                .map_err(|error| LoadError::GoldenInput { case, error })?;
            let (got, expected) = (replica.score(&[pair])[0], golden.logit);
            let near = (got - expected).abs() <= GOLDEN_TOLERANCE * (1.0 + expected.abs())
                && (probability(got) - probability(expected)).abs() <= 1e-5;
            if !near {
                return Err(LoadError::Golden { case, got, expected });
            }
        }
        Ok(())
    }
}

//! The scanning of blocks of transcripts by networks that share their weights.

use anyhow::{Context, Result, anyhow};
use mirador_models::device::Device;
use mirador_models::encoding::best_window;
use mirador_models::tasks::Task;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Pairing, Replica, SiteEffects, Weights, WeightsDir};

use super::models::{check, choose};
use crate::config::NetworkConfig;
use crate::scan::{Look, Probe, Scanned, Transcript, look};

/// Inputs of one batch. Each block's windows are batched alone, in batches of this size, the last one filled up: a network's
/// last bits depend on the size of its batch, and a file's results not on how it was cut into shards.
const BATCH: usize = 64;

/// What a scan needs of the models.
pub(super) struct Engine {
    /// The model of binding.
    pub binding: WeightsDir,
    /// The model of repression.
    pub repression: WeightsDir,
    weights: Weights,
    pairing: Option<Pairing>,
    effects: SiteEffects,
}

impl Engine {
    /// Loads the models and holds both to their golden outputs.
    pub(super) fn load(
        network: &NetworkConfig,
        device: Device,
        [binding, repression]: [Option<&str>; 2],
    ) -> Result<Self> {
        let binding = choose(network, Task::TargetSite, binding)?;
        let repression = choose(network, Task::Repression, repression)?;
        let first = binding.load(device)?;
        check(&binding, &first)?;
        let table = repression.load(Device::Cpu)?;
        check(&repression, &table)?;
        let pairing = binding.model()?.pairing.map(|make| make(&first.store)).transpose()?;
        let make = repression.model()?.site_effects.context("the model of repression tells of no site")?;
        let effects = make(&table.store)?;
        Ok(Self { binding, repression, weights: first.weights(), pairing, effects })
    }

    /// So many networks over the same weights.
    pub(super) fn scorers(&self, threads: usize) -> Result<Vec<Scorer<'_>>> {
        (0..threads).map(|_| self.scorer()).collect()
    }

    fn scorer(&self) -> Result<Scorer<'_>> {
        let replica = Replica::sharing(self.binding.model()?, &self.binding.config.options, &self.weights)?;
        Ok(Scorer { engine: self, replica })
    }
}

/// What one thread scans with.
pub(super) struct Scorer<'a> {
    engine: &'a Engine,
    replica: Replica,
}

impl Scorer<'_> {
    /// Each miRNA on each of a block's transcripts.
    pub(super) fn scan(
        &self,
        probes: &[Probe],
        transcripts: &[Transcript],
        how: Look,
    ) -> Result<Vec<Scanned>> {
        let items =
            || transcripts.iter().flat_map(|transcript| probes.iter().map(move |probe| (probe, transcript)));
        let looked: Vec<_> =
            items().map(|(probe, transcript)| look(probe, transcript, &self.engine.effects, how)).collect();
        let counts: Vec<usize> = items()
            .zip(&looked)
            .map(|((probe, transcript), looked)| looked.pairs(probe, transcript).count())
            .collect();
        let pairs =
            items().zip(&looked).flat_map(|((probe, transcript), looked)| looked.pairs(probe, transcript));
        let logits = self.score(pairs)?;
        let mut rest = logits.as_slice();
        let judged = items().zip(looked).zip(counts).map(|(((probe, transcript), looked), count)| {
            let (own, others) = rest.split_at(count);
            rest = others;
            looked.judge(probe, transcript, how, own, self.engine.pairing.as_ref())
        });
        Ok(judged.collect())
    }

    /// Logits in batches of one size.
    fn score(&self, pairs: impl Iterator<Item = Pair>) -> Result<Vec<f32>> {
        let width = self.replica.encoder.width;
        let (mut inputs, mut outputs, mut rows) = (Vec::with_capacity(BATCH * width), Vec::new(), Vec::new());
        let mut flush = |inputs: &mut Vec<f32>, whole: bool| {
            while inputs.len() >= BATCH * width || (whole && !inputs.is_empty()) {
                let rest = inputs.split_off(inputs.len().min(BATCH * width));
                let real = inputs.len() / width;
                inputs.resize(BATCH * width, 0.0);
                for row in real..BATCH {
                    inputs.copy_within(0..width, row * width);
                }
                outputs.extend_from_slice(&self.replica.forward(inputs)[..real]);
                *inputs = rest;
            }
        };
        for pair in pairs {
            let encoded = self.replica.encoder.encode(&pair.into());
            inputs.extend_from_slice(&encoded.values);
            rows.push((encoded.inputs(), encoded.windows));
            flush(&mut inputs, false);
        }
        flush(&mut inputs, true);
        let mut rest = outputs.as_slice();
        let mut logits = Vec::with_capacity(rows.len());
        for (count, windows) in rows {
            let (own, others) = rest.split_at(count);
            rest = others;
            let (logit, _) = best_window(&windows, own);
            logit
                .is_finite()
                .then(|| logits.push(logit))
                .ok_or_else(|| anyhow!("the network gave no number"))?;
        }
        Ok(logits)
    }
}

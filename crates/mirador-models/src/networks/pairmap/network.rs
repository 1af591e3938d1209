//! The network: align; let the score speak; correct it by the duplex in numbers.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::Switches;
use super::alignment::{Alignment, Rows};
use super::duplex::{FEATURES, features};
use super::panel::{COMPARED, Panel};
use crate::networks::layers::{batch_norm, dense};
use crate::{Layers, LoadError, Network, Options};

/// Scores are around 15.
const SCORE_SCALE: f64 = 0.1;
/// Normalised numbers beyond this are cut, so that no odd row shouts.
const MOST: f64 = 5.0;

#[derive(Debug)]
struct Pairmap {
    alignment: Alignment,
    score: nn::Linear,
    head: Option<Head>,
    calibration: Tensor,
}

#[derive(Debug)]
struct Head {
    panel: Option<Panel>,
    norm: nn::BatchNorm,
    duplex: nn::Linear,
    joined: nn::Linear,
    output: nn::Linear,
    dropout: f64,
}

pub(super) fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
    let switches: Switches = LoadError::options(options)?;
    let calibration = path.zeros_no_train("calibration", &[2]);
    let _ = tch::no_grad(|| calibration.get(0).fill_(1.0));
    Ok(Box::new(Pairmap {
        alignment: Alignment::new(path / "alignment"),
        score: dense(path / "score", 1, 1),
        head: (switches.units > 0).then(|| Head::new(&(path / "head"), switches)),
        calibration,
    }))
}

impl Layers for Pairmap {
    fn calibration(&self) -> Option<Tensor> {
        Some(self.calibration.shallow_clone())
    }
}

impl ModuleT for Pairmap {
    fn forward_t(&self, input: &Tensor, train: bool) -> Tensor {
        let rows = Rows::of(input);
        let letters = rows.letters();
        let (score, alignments) = self.alignment.align(&letters, train);
        let mut logit = (&score * SCORE_SCALE).apply(&self.score); // (n, 1)
        if let Some(head) = &self.head {
            let each = letters.iter().zip(rows.site_types()).zip(&alignments);
            let numbers: Vec<f32> =
                each.flat_map(|((&row, site_type), alignment)| features(row, site_type, alignment)).collect();
            let tensor = |numbers: &[f32], each: usize| {
                Tensor::from_slice(numbers).view([-1, each as i64]).to_device(input.device())
            };
            let mut parts = vec![score, tensor(&numbers, FEATURES)];
            if let Some(panel) = &head.panel {
                let compared = panel.compare(&self.alignment.aligner(), &rows, &letters, &alignments);
                parts.push(tensor(&compared, COMPARED));
            }
            logit += head.forward(&Tensor::cat(&parts, 1), train);
        }
        logit * self.calibration.get(0) + self.calibration.get(1)
    }
}

impl Head {
    fn new(path: &nn::Path, Switches { units, dropout, panel }: Switches) -> Self {
        let panel = (panel > 0).then(|| Panel::new(&(path / "panel"), panel));
        let inputs = (1 + FEATURES + if panel.is_some() { COMPARED } else { 0 }) as i64;
        Self {
            panel,
            norm: batch_norm(path / "norm", inputs),
            duplex: dense(path / "duplex", inputs, units),
            joined: dense(path / "joined", units, units),
            output: dense(path / "output", units, 1),
            dropout,
        }
    }

    fn forward(&self, numbers: &Tensor, train: bool) -> Tensor {
        numbers // (n, 148), with a panel (n, 152)
            .apply_t(&self.norm, train)
            .clamp(-MOST, MOST)
            .apply(&self.duplex)
            .relu()
            .dropout(self.dropout, train)
            .apply(&self.joined)
            .relu()
            .dropout(self.dropout, train)
            .apply(&self.output) // (n, 1)
    }
}

//! The network: align; let the score speak; correct it by the duplex in numbers.

use tch::Tensor;
use tch::nn::{self, ModuleT};

use super::Switches;
use super::alignment::{Alignment, Rows};
use super::duplex::{FEATURES, features};
use crate::models::layers::{batch_norm, dense};
use crate::models::{LoadError, Network, Options};

/// Scores are around 15.
const SCORE_SCALE: f64 = 0.1;
/// Normalised numbers beyond this are cut, so that no odd row shouts.
const MOST: f64 = 5.0;

#[derive(Debug)]
struct Pairmap {
    alignment: Alignment,
    score: nn::Linear,
    head: Option<Head>,
    /// Slope and offset of the logit, fitted on validation rows after training.
    calibration: Tensor,
}

#[derive(Debug)]
struct Head {
    norm: nn::BatchNorm,
    duplex: nn::Linear,
    joined: nn::Linear,
    output: nn::Linear,
    dropout: f64,
}

pub fn build(path: &nn::Path, options: &Options) -> Result<Network, LoadError> {
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
            let numbers = Tensor::from_slice(&numbers).view([-1, FEATURES as i64]).to_device(input.device());
            logit += head.forward(&Tensor::cat(&[score, numbers], 1), train);
        }
        logit * self.calibration.get(0) + self.calibration.get(1)
    }
}

impl Head {
    fn new(path: &nn::Path, Switches { units, dropout }: Switches) -> Self {
        let inputs = 1 + FEATURES as i64;
        Self {
            norm: batch_norm(path / "norm", inputs),
            duplex: dense(path / "duplex", inputs, units),
            joined: dense(path / "joined", units, units),
            output: dense(path / "output", units, 1),
            dropout,
        }
    }

    fn forward(&self, numbers: &Tensor, train: bool) -> Tensor {
        numbers // (n, 150)
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

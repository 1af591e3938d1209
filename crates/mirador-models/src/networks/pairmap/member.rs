//! What is made of an alignment: the score, corrected by the duplex in numbers.

use tch::nn;
use tch::{Device, Tensor};

use super::Switches;
use super::aligner::{Aligner, Alignment, Letters};
use super::alignment::{COMPARED, Rows};
use super::context::{CONTEXT, context};
use super::duplex::{FEATURES, features};
use super::panel::Panel;
use crate::networks::layers::{batch_norm, dense};

/// Scores are around 15.
const SCORE_SCALE: f64 = 0.1;
/// Normalised numbers beyond this are cut, so that no odd row shouts.
const MOST: f64 = 5.0;

/// Rows that are aligned, and what is read of them: by several members, but once.
pub(super) struct Aligned<'a> {
    aligner: Aligner,
    rows: &'a Rows,
    letters: &'a [Letters<'a>],
    alignments: &'a [Alignment],
    score: Tensor,           // (n, 1)
    duplex: Option<Tensor>,  // (n, 147)
    context: Option<Tensor>, // (n, 480)
}

/// One way to read an alignment, with its own calibration.
#[derive(Debug)]
pub(super) struct Member {
    score: nn::Linear,
    head: Option<Head>,
    /// Slope and offset of the logit.
    pub calibration: Tensor,
}

#[derive(Debug)]
struct Head {
    panel: Option<Panel>,
    letters: bool,
    norm: nn::BatchNorm,
    duplex: nn::Linear,
    joined: nn::Linear,
    output: nn::Linear,
    dropout: f64,
}

impl<'a> Aligned<'a> {
    /// Reads what any of the members needs.
    pub(super) fn read(
        members: &[Member],
        aligner: Aligner,
        rows: &'a Rows,
        letters: &'a [Letters<'a>],
        (score, alignments): (Tensor, &'a [Alignment]),
    ) -> Self {
        let each = || letters.iter().zip(alignments);
        let table = |numbers: Vec<f32>, each: usize| numbers_to(score.device(), &numbers, each);
        let heads = || members.iter().filter_map(|member| member.head.as_ref());
        let duplex = heads().next().map(|_| {
            let typed = each().zip(rows.site_types());
            table(
                typed.flat_map(|((&row, found), site_type)| features(row, site_type, found)).collect(),
                FEATURES,
            )
        });
        let context = heads()
            .any(|head| head.letters)
            .then(|| table(each().flat_map(|(&row, found)| context(row, found)).collect(), CONTEXT));
        Self { aligner, rows, letters, alignments, duplex, context, score }
    }
}

fn numbers_to(device: Device, numbers: &[f32], each: usize) -> Tensor {
    Tensor::from_slice(numbers).view([-1, each as i64]).to_device(device)
}

/// Slope 1 and offset 0 of a logit, until they are fitted.
pub(super) fn calibration(path: &nn::Path) -> Tensor {
    let calibration = path.zeros_no_train("calibration", &[2]);
    let _ = tch::no_grad(|| calibration.get(0).fill_(1.0));
    calibration
}

/// A logit (n, 1) as it was fitted.
pub(super) fn calibrated(logit: &Tensor, calibration: &Tensor) -> Tensor {
    logit * calibration.get(0) + calibration.get(1)
}

impl Member {
    pub(super) fn new(path: &nn::Path, switches: &Switches) -> Self {
        Self {
            calibration: calibration(path),
            score: dense(path / "score", 1, 1),
            head: (switches.units > 0).then(|| Head::new(&(path / "head"), switches)),
        }
    }

    /// The logit (n, 1).
    pub(super) fn forward(&self, rows: &Aligned<'_>, train: bool) -> Tensor {
        let mut logit = (&rows.score * SCORE_SCALE).apply(&self.score);
        if let Some(head) = &self.head {
            logit += head.forward(rows, train);
        }
        calibrated(&logit, &self.calibration)
    }
}

impl Head {
    fn new(path: &nn::Path, &Switches { units, dropout, panel, letters, .. }: &Switches) -> Self {
        let panel = (panel > 0).then(|| Panel::new(&(path / "panel"), panel));
        let compared = if panel.is_some() { COMPARED } else { 0 };
        let inputs = (1 + FEATURES + compared + if letters { CONTEXT } else { 0 }) as i64;
        Self {
            panel,
            letters,
            norm: batch_norm(path / "norm", inputs),
            duplex: dense(path / "duplex", inputs, units),
            joined: dense(path / "joined", units, units),
            output: dense(path / "output", units, 1),
            dropout,
        }
    }

    fn forward(&self, rows: &Aligned<'_>, train: bool) -> Tensor {
        let compared = self.panel.as_ref().map(|panel| {
            let compared = panel.compare(&rows.aligner, rows.rows, rows.letters, rows.alignments);
            numbers_to(rows.score.device(), &compared, COMPARED)
        });
        let context = rows.context.as_ref().filter(|_| self.letters);
        let parts = [Some(&rows.score), rows.duplex.as_ref(), compared.as_ref(), context];
        let parts: Vec<&Tensor> = parts.into_iter().flatten().collect();
        Tensor::cat(&parts, 1) // (n, 148), with a panel 4 more, with letters 480 more
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

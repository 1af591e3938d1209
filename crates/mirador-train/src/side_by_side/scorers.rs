//! Who scores: versions of ours, authors' weights, and what needs no training.

use anyhow::{Context, Result};
use mirador_models::tasks::DECISION_THRESHOLD;
use mirador_models::{ModelId, Replica, WeightsDir, sha256};
use mirna::seed::SiteType;

use super::Comparison;
use crate::experiment::{Baseline, Experiment, FittedBaseline, Row, scores};
use crate::experiments::target_sites::baselines;
use crate::published::published;
use crate::results::predictions::Predictions;
use crate::results::side_by_side::Scorer;
use crate::stats::ranking::most_accurate_threshold;

/// Who scores, and how.
pub(super) struct Judge<'a> {
    /// Name, weights and threshold.
    pub scorer: Scorer,
    how: How<'a>,
}

enum How<'a> {
    Network(Box<Replica>),
    HeldOut(Vec<Predictions>),
    Untrained(FittedBaseline<'a>),
}

impl Judge<'_> {
    /// Scores of a test's rows; where they are held-out scores, of the whole test in the order of training.
    pub(super) fn score(&self, test: &str, rows: &[Row]) -> Vec<f64> {
        match &self.how {
            How::HeldOut(sets) => {
                sets.iter().find(|set| set.name == test).map(|set| set.network.clone()).unwrap_or_default()
            }
            How::Network(replica) => scores(replica, rows),
            How::Untrained(baseline) => baseline.score(rows).scores,
        }
    }

    /// Whether any row can be scored, not only those that training held out.
    pub(super) fn scores_anything(&self) -> bool {
        !matches!(self.how, How::HeldOut(_))
    }

    /// The network, where it is one.
    pub(super) fn network(&self) -> Option<&Replica> {
        match &self.how {
            How::Network(replica) => Some(replica),
            How::HeldOut(_) | How::Untrained(_) => None,
        }
    }
}

/// All of a comparison: networks in the order of its plan, then what needs no training.
pub(super) fn judges<'a>(comparison: &Comparison, experiment: &'a dyn Experiment) -> Result<Vec<Judge<'a>>> {
    let plan = &comparison.plan;
    let mut judges = Vec::new();
    for id in &plan.networks {
        let is_held_out = *id == plan.rows && experiment.folds().len() > 1;
        judges.push(if is_held_out { held_out(comparison)? } else { version(comparison, id)? });
    }
    for one in &plan.published {
        let file = comparison.reference.join(&one.file);
        let replica = published(&one.model, &file, &one.options, comparison.device)?;
        judges.push(network(one.name.clone(), sha256(&file)?, replica));
    }
    let fold = experiment.folds().first().context("the recipe has no rows")?;
    let untrained = baselines::baselines(&fold.train).into_iter();
    let untrained = untrained.filter(|fitted| {
        [Baseline::Aligner, Baseline::DuplexEnergy, Baseline::SeedClass].contains(&fitted.baseline)
    });
    let labels: Vec<bool> = fold.validation.iter().map(Row::label).collect();
    judges.extend(untrained.map(|fitted| {
        let threshold = match fitted.baseline {
            // TargetScan's sites have seven letters or eight.
            Baseline::SeedClass => f64::from(SiteType::SevenMerA1 as u8),
            _ => most_accurate_threshold(&labels, &fitted.score(&fold.validation).scores),
        };
        let scorer = Scorer { name: fitted.baseline.to_string(), sha256: None, threshold };
        Judge { scorer, how: How::Untrained(fitted) }
    }));
    Ok(judges)
}

fn network<'a>(name: String, sha256: String, replica: Replica) -> Judge<'a> {
    let scorer = Scorer { name, sha256: Some(sha256), threshold: DECISION_THRESHOLD };
    Judge { scorer, how: How::Network(Box::new(replica)) }
}

fn version<'a>(comparison: &Comparison, id: &ModelId) -> Result<Judge<'a>> {
    let recipe = comparison.roots.read(id)?;
    let weights = WeightsDir::open(&comparison.roots.folder(&recipe)).with_context(|| recipe.command())?;
    let replica = weights.load(comparison.device)?;
    Ok(network(id.to_string(), weights.config.sha256, replica))
}

fn held_out<'a>(comparison: &Comparison) -> Result<Judge<'a>> {
    let name = format!("{}, held out", comparison.plan.rows);
    let scorer = Scorer { name, sha256: None, threshold: DECISION_THRESHOLD };
    Ok(Judge { scorer, how: How::HeldOut(comparison.held_out()?) })
}

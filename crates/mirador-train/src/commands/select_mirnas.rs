//! Which miRNAs miREx and AbsCorr read: those whose target scores follow what Xpresso's network leaves unexplained.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use mirador_models::{Replica, find, sha256};
use tch::Device;

use crate::experiment::{Experiment, is_constant, labelled, scores};
use crate::experiments::expression::Genes;
use crate::learn::checkpoint::Checkpoint;
use crate::learn::fit::{Run, encode};
use crate::recipe::{Recipe, starts};
use crate::stats::correlation::spearman;

/// A miRNA with fewer targets among the genes is left out: its correlation says little.
const FEWEST_TARGETS: usize = 30;

/// What is correlated with a miRNA's target scores, which are the lower the stronger the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// miREx: highest correlation of truth − prediction, so that strong targets lie below the prediction.
    Mirex,
    /// What miREx's released code does: prediction − truth, the other way round.
    MirexReleased,
    /// AbsCorr as printed: highest correlation of |truth − prediction|.
    AbsCorr,
    /// The other way round: strong targets have large errors.
    AbsCorrLowest,
}

impl Rule {
    /// Their names on the command line.
    pub(super) const NAMES: [&str; 4] = ["mirex", "mirex-released", "abscorr", "abscorr-lowest"];

    /// The correlation by which miRNAs are ranked, highest first.
    fn correlation(self, residuals: &[f64], target_scores: &[f64]) -> f64 {
        let sizes = || residuals.iter().map(|residual| residual.abs()).collect::<Vec<f64>>();
        match self {
            Self::Mirex => spearman(residuals, target_scores),
            Self::MirexReleased => -spearman(residuals, target_scores),
            Self::AbsCorr => spearman(&sizes(), target_scores),
            Self::AbsCorrLowest => -spearman(&sizes(), target_scores),
        }
    }
}

impl FromStr for Rule {
    type Err = anyhow::Error;
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "mirex" => Self::Mirex,
            "mirex-released" => Self::MirexReleased,
            "abscorr" => Self::AbsCorr,
            "abscorr-lowest" => Self::AbsCorrLowest,
            _ => bail!("rule {name:?}; there is: {}", Self::NAMES.join(", ")),
        })
    }
}

/// What a network without miRNAs leaves unexplained of each training and validation gene.
#[derive(Debug, Default)]
pub(super) struct Residuals {
    /// Truth − prediction, the prediction by a network that saw no gene of the same chromosome.
    pub residuals: Vec<f64>,
    /// How strongly each miRNA targets the gene.
    pub target_scores: Vec<BTreeMap<String, f32>>,
}

impl Residuals {
    /// Trains a recipe's first seed on five folds of whole chromosomes. The published test's genes take no part. `targets`
    /// is a dataset of the same genes whose targets are taken in place of the dataset's own.
    pub(super) fn out_of_fold(
        recipe: &Recipe,
        dataset: &Path,
        targets: Option<&Path>,
        runs: &Path,
        device: Device,
    ) -> Result<Self> {
        let genes = Genes::in_folds(dataset)?;
        let others = targets.map(Genes::in_folds).transpose()?;
        let targets = others.as_ref().unwrap_or(&genes);
        let fingerprint = sha256(dataset)? + &serde_json::to_string(&recipe.of_one_seed())?;
        let folder = runs.join(&recipe.model).join(&recipe.version).join("residuals");
        let mut all = Self::default();
        for (fold, rows) in genes.folds().iter().enumerate() {
            let fit = Fit { recipe, genes: &genes, fold, folder: &folder, fingerprint: &fingerprint, device };
            let replica = fit.network()?;
            for (_, rows) in &rows.tests {
                for (row, score) in rows.iter().zip(scores(&replica, rows)) {
                    all.residuals.push(f64::from(row.target) - score);
                    all.target_scores.push(targets.target_scores(row));
                }
            }
        }
        Ok(all)
    }

    /// The `count` miRNAs that the rule ranks first, with their correlations.
    pub(super) fn select(&self, rule: Rule, count: usize) -> Vec<(String, f64)> {
        let names: BTreeSet<&String> = self.target_scores.iter().flat_map(BTreeMap::keys).collect();
        let mut ranked: Vec<(String, f64)> = names
            .into_iter()
            .filter_map(|name| {
                let of =
                    |scores: &BTreeMap<String, f32>| scores.get(name).map_or(0.0, |score| f64::from(*score));
                let scores: Vec<f64> = self.target_scores.iter().map(of).collect();
                let targets = scores.iter().filter(|score| **score != 0.0).count();
                let correlation = rule.correlation(&self.residuals, &scores);
                (targets >= FEWEST_TARGETS).then(|| (name.clone(), correlation))
            })
            .collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        ranked.truncate(count);
        ranked
    }
}

/// The network that did not see one fold.
struct Fit<'a> {
    recipe: &'a Recipe,
    genes: &'a Genes,
    fold: usize,
    folder: &'a Path,
    fingerprint: &'a str,
    device: Device,
}

impl Fit<'_> {
    /// Trains it. One whose units all died is started again from another seed, as in a training: its residuals would be the
    /// truth itself. Validation tells, which lies outside the fold.
    fn network(&self) -> Result<Replica> {
        let validation = &self.genes.folds()[self.fold].validation;
        for seed in starts(*self.recipe.seeds.first().context("a recipe needs a seed")?) {
            let replica = self.trained(seed)?;
            if !is_constant(&scores(&replica, validation)) {
                return Ok(replica);
            }
            eprintln!(
                "seed {seed}, fold {}: the network's output is constant; another seed is taken",
                self.fold
            );
        }
        bail!("fold {}: the network's output is constant from every seed; change the recipe", self.fold)
    }

    fn trained(&self, seed: u64) -> Result<Replica> {
        let Self { recipe, genes, fold, fingerprint, .. } = *self;
        let model = find(&recipe.model).with_context(|| format!("no model {:?}", recipe.model))?;
        tch::manual_seed(i64::try_from(seed)?);
        let replica = Replica::new(model, &recipe.options, self.device)?;
        if let Some(adapt) = model.adapt {
            let (inputs, targets) = encode(&replica, &labelled(&genes.folds()[fold].train));
            adapt(&replica.store, &inputs, &targets.squeeze_dim(1));
        }
        let checkpoint = Checkpoint::new(&self.folder.join(format!("fold-{fold}-seed-{seed}")))?;
        let (stages, choose_by) = (&recipe.stages, recipe.choose_by);
        Run { model, stages, seed, experiment: genes, fold, choose_by, checkpoint, fingerprint }
            .fit(&replica)?;
        Ok(replica)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 genes; "down" targets those below the prediction, "up" those above, "loud" those with large errors,
    /// "rare" too few to count.
    fn residuals() -> Residuals {
        let residuals: Vec<f64> = (0..200).map(|gene| (f64::from(gene) - 99.5) / 100.0).collect();
        let scores = |(gene, residual): (usize, &f64)| {
            let mut scores = BTreeMap::new();
            let mut add = |name: &str, yes: bool| yes.then(|| scores.insert(name.to_owned(), -1.0));
            add("down", *residual < -0.5);
            add("up", *residual > 0.5);
            add("loud", residual.abs() > 0.7);
            add("rare", gene < 20);
            scores
        };
        let target_scores = residuals.iter().enumerate().map(scores).collect();
        Residuals { residuals, target_scores }
    }

    #[test]
    fn each_rule_takes_its_mirna() {
        let first = |rule: Rule| residuals().select(rule, 1)[0].0.clone();
        assert_eq!(first(Rule::Mirex), "down");
        assert_eq!(first(Rule::MirexReleased), "up");
        assert_eq!(first(Rule::AbsCorrLowest), "loud");
        let all = residuals().select(Rule::AbsCorr, 10);
        assert_eq!(all.last().unwrap().0, "loud");
        assert!(all.iter().all(|(name, _)| name != "rare"));
        for (name, rule) in Rule::NAMES.iter().zip([Rule::Mirex, Rule::MirexReleased, Rule::AbsCorr]) {
            assert_eq!(name.parse::<Rule>().unwrap(), rule);
        }
    }
}

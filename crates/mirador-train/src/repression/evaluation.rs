//! One seed group after the other is left out, and the fit on the others measured on it.

use anyhow::Result;
use mirador_models::networks::repression::{FEATURE_NAMES, FEATURES};
use mirna::sites::SiteClass;
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::baselines::{BASELINES, scores};
use super::fit::{Equations, Inputs, Scores};
use super::outcome::{Figures, Outcome, differences, means, with_intervals};
use super::report::{Change, Compared, GenesLeftOut, OfExperiment, Point};
use super::rows::{CANONICAL, Columns, Rows};
use crate::experiment::Baseline;
use crate::recipe::Fit;
use crate::results::report::MeasuredBaseline;
use crate::stats::metrics::MetricValue;

/// Parts of the genes, one of which is left out.
const PARTS: usize = 3;

/// What the fits are measured on.
pub(super) struct Evaluation<'a> {
    rows: &'a Rows,
    fit: &'a Fit,
    /// On all genes.
    equations: Equations<'a>,
    /// By over-expression experiment.
    pub outcomes: Vec<Outcome>,
    /// Their seed groups.
    groups: Vec<usize>,
    /// The seed sum's figures.
    seed_sum: Vec<Figures>,
    /// The model's figures.
    model: Vec<Figures>,
    /// The model's weights by the seed group that they were not fitted on.
    weights: Vec<Columns>,
}

impl<'a> Evaluation<'a> {
    /// Fits and measures the model.
    pub(super) fn new(rows: &'a Rows, fit: &'a Fit) -> Result<Self> {
        let equations = Equations::new(rows, fit, &own_sums(rows), None)?;
        let outcomes: Vec<Outcome> = rows.over.iter().map(|&at| Outcome::of(rows.experiment(at))).collect();
        let groups = rows.over.iter().filter_map(|&at| rows.group(at)).collect();
        let (seed_sum, model, weights) = (Vec::new(), Vec::new(), Vec::new());
        let mut evaluation = Self { rows, fit, equations, outcomes, groups, seed_sum, model, weights };
        evaluation.seed_sum = evaluation.of_baseline(Baseline::SeedSum);
        evaluation.weights = evaluation.left_out(&evaluation.equations, &Inputs::all());
        evaluation.model = evaluation.figures(&evaluation.weights, &own_sums(rows), None);
        Ok(evaluation)
    }

    /// The weights by all experiments.
    pub(super) fn shipped(&self) -> Columns {
        self.equations.weights(&Inputs::all(), &self.all_groups(), None)
    }

    fn all_groups(&self) -> Vec<usize> {
        (0..self.rows.groups.len()).collect()
    }

    /// Weights by the seed group that they were not fitted on.
    fn left_out(&self, equations: &Equations, inputs: &Inputs) -> Vec<Columns> {
        let of = |group: usize| {
            let others: Vec<usize> = (0..self.rows.groups.len()).filter(|other| *other != group).collect();
            equations.weights(inputs, &others, Some(group))
        };
        (0..self.rows.groups.len()).map(of).collect()
    }

    /// Figures of each experiment by the weights of its group.
    fn figures(&self, weights: &[Columns], sums: &[&[Columns]], genes: Option<&[bool]>) -> Vec<Figures> {
        let of = |((outcome, &group), sums): ((&Outcome, &usize), &&[Columns])| {
            outcome.figures(&Scores::of(sums, &weights[group]), genes)
        };
        self.outcomes.iter().zip(&self.groups).zip(sums).map(of).collect()
    }

    fn of_baseline(&self, baseline: Baseline) -> Vec<Figures> {
        let scored = self.rows.over.iter().map(|&at| scores(self.rows, at, baseline));
        self.outcomes.iter().zip(scored).map(|(outcome, scores)| outcome.figures(&scores, None)).collect()
    }

    fn compared(&self, figures: &[Figures]) -> Compared {
        let over_seed_sum = differences(figures, &self.seed_sum, &self.groups);
        Compared { metrics: with_intervals(figures, &self.groups), over_seed_sum }
    }

    fn change(&self, name: &str, figures: &[Figures]) -> Change {
        let over_model = differences(figures, &self.model, &self.groups);
        Change { name: name.to_owned(), metrics: with_intervals(figures, &self.groups), over_model }
    }

    /// The model as it is shipped.
    pub(super) fn model(&self) -> Compared {
        self.compared(&self.model)
    }

    /// All metrics by canonical sites alone.
    pub(super) fn canonical(&self) -> Compared {
        let weights = self.left_out(&self.equations, &Inputs::canonical());
        self.compared(&self.figures(&weights, &own_sums(self.rows), None))
    }

    /// The baselines.
    pub(super) fn baselines(&self) -> Vec<MeasuredBaseline> {
        let of = |name: Baseline| {
            let metrics = with_intervals(&self.of_baseline(name), &self.groups);
            MeasuredBaseline { name, metrics }
        };
        BASELINES.into_iter().map(of).collect()
    }

    /// Weights on the experiments that they were fitted on.
    pub(super) fn on_training(&self, weights: &Columns) -> Vec<MetricValue> {
        let weights = vec![*weights; self.rows.groups.len()];
        with_intervals(&self.figures(&weights, &own_sums(self.rows), None), &self.groups)
    }

    /// What each input is worth: fits without it.
    pub(super) fn without(&self) -> Vec<Change> {
        let features = (0..FEATURES).map(|feature| (FEATURE_NAMES[feature], Inputs::without(feature)));
        let others = [("offset sites", Inputs::canonical()), ("everything but the class", Inputs::classes())];
        let of = |(name, inputs): (&str, Inputs)| {
            let weights = self.left_out(&self.equations, &inputs);
            self.change(name, &self.figures(&weights, &own_sums(self.rows), None))
        };
        features.chain(others).map(of).collect()
    }

    /// Offset sites of a miRNA of another group, fitted and measured: whether it is the sequence that counts.
    pub(super) fn control(&self) -> Result<Change> {
        let over = &self.rows.over;
        let swapped = |at: usize| -> Vec<Columns> {
            // Some places on, since neighbours in a table are often of one family.
            let others = (0..over.len()).map(|step| (at + over.len() / 5 + step) % over.len());
            let other = others.into_iter().find(|&other| self.groups[other] != self.groups[at]).unwrap_or(at);
            let mut sums = self.rows.sums(over[at]).to_vec();
            for (row, other) in sums.iter_mut().zip(self.rows.sums(over[other])) {
                row[CANONICAL..].copy_from_slice(&other[CANONICAL..]);
            }
            sums
        };
        let sums: Vec<Vec<Columns>> = (0..over.len()).map(swapped).collect();
        let sums: Vec<&[Columns]> = sums.iter().map(Vec::as_slice).collect();
        let equations = Equations::new(self.rows, self.fit, &sums, None)?;
        let weights = self.left_out(&equations, &Inputs::all());
        Ok(self.change("offset sites of another miRNA", &self.figures(&weights, &sums, None)))
    }

    /// Fits on drawn seed groups; a draw is made for each group that is left out.
    pub(super) fn learning_curve(&self) -> Vec<Point> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.fit.seed);
        let most = self.rows.groups.len() - 1;
        let mut points = Vec::new();
        for &groups in self.fit.curve.iter().filter(|&&groups| (1..=most).contains(&groups)) {
            let mut point = Point { groups, spearman: vec![], auroc: vec![], average_precision: vec![] };
            for _ in 0..if groups == most { 1 } else { self.fit.draws } {
                let weights: Vec<Columns> = (0..=most)
                    .map(|left_out| {
                        let others: Vec<usize> = (0..=most).filter(|other| *other != left_out).collect();
                        let drawn: Vec<usize> = others.sample(&mut rng, groups).copied().collect();
                        self.equations.weights(&Inputs::all(), &drawn, Some(left_out))
                    })
                    .collect();
                let [spearman, auroc, precision] = means(&self.figures(&weights, &own_sums(self.rows), None));
                point.spearman.push(spearman);
                point.auroc.push(auroc);
                point.average_precision.push(precision);
            }
            points.push(point);
        }
        points
    }

    /// Fits that saw neither the seed group nor the genes that they are measured on.
    pub(super) fn genes_left_out(&self) -> Result<GenesLeftOut> {
        let mut parts: Vec<usize> = (0..self.rows.dataset.genes.len()).map(|gene| gene % PARTS).collect();
        parts.shuffle(&mut ChaCha8Rng::seed_from_u64(self.fit.seed));
        let sums = own_sums(self.rows);
        let (mut unseen, mut seen, mut seed_sum) = (Vec::new(), Vec::new(), Vec::new());
        for part in 0..PARTS {
            let here: Vec<bool> = parts.iter().map(|of| *of == part).collect();
            let elsewhere: Vec<bool> = here.iter().map(|here| !here).collect();
            let equations = Equations::new(self.rows, self.fit, &sums, Some(&elsewhere))?;
            unseen.push(self.figures(&self.left_out(&equations, &Inputs::all()), &sums, Some(&here)));
            seen.push(self.figures(&self.weights, &sums, Some(&here)));
            let of = |(outcome, &at): (&Outcome, &usize)| {
                outcome.figures(&scores(self.rows, at, Baseline::SeedSum), Some(&here))
            };
            seed_sum.push(self.outcomes.iter().zip(&self.rows.over).map(of).collect::<Vec<Figures>>());
        }
        let mean = |parts: &[Vec<Figures>]| -> Vec<Figures> {
            let of = |at: usize| means(&parts.iter().map(|part| part[at]).collect::<Vec<Figures>>());
            (0..self.outcomes.len()).map(of).collect()
        };
        let [unseen, seen, seed_sum] = [mean(&unseen), mean(&seen), mean(&seed_sum)];
        let metrics = with_intervals(&unseen, &self.groups);
        let over_seed_sum = differences(&unseen, &seed_sum, &self.groups);
        Ok(GenesLeftOut {
            unseen: Compared { metrics, over_seed_sum },
            over_seen: differences(&unseen, &seen, &self.groups),
            seen: with_intervals(&seen, &self.groups),
            seed_sum: with_intervals(&seed_sum, &self.groups),
        })
    }

    /// Each over-expression experiment.
    pub(super) fn experiments(&self) -> Vec<OfExperiment> {
        let all = self.rows.over.iter().zip(&self.outcomes);
        all.zip(self.model.iter().zip(&self.seed_sum))
            .map(|((&at, outcome), (model, seed_sum))| self.of_experiment(at, outcome, *model, *seed_sum))
            .collect()
    }

    /// Each knock-out, by the weights that did not see its seed group.
    pub(super) fn knock_outs(&self, shipped: &Columns) -> Vec<OfExperiment> {
        let is_knock_out = |at: &usize| !self.rows.over.contains(at);
        (0..self.rows.dataset.experiments.len())
            .filter(is_knock_out)
            .map(|at| {
                let outcome = Outcome::of(self.rows.experiment(at));
                let weights = self.rows.group(at).map_or(shipped, |group| &self.weights[group]);
                let model = outcome.figures(&Scores::of(self.rows.sums(at), weights), None);
                let seed_sum = outcome.figures(&scores(self.rows, at, Baseline::SeedSum), None);
                self.of_experiment(at, &outcome, model, seed_sum)
            })
            .collect()
    }

    fn of_experiment(&self, at: usize, outcome: &Outcome, model: Figures, seed_sum: Figures) -> OfExperiment {
        let about = self.rows.experiment(at).about.clone();
        let known = |figures: Figures| figures.map(|value| value.is_finite().then_some(value));
        OfExperiment {
            id: about.id,
            mirna: about.mirna,
            group: about.group,
            genes: outcome.tested(),
            down: outcome.down(),
            model: known(model),
            seed_sum: known(seed_sum),
        }
    }
}

/// The sums of each over-expression experiment's own miRNA.
fn own_sums(rows: &Rows) -> Vec<&[Columns]> {
    rows.over.iter().map(|&at| rows.sums(at)).collect()
}

/// The number of canonical classes is what the columns are split by.
const _: () = assert!(SiteClass::ALL[4] as usize * super::rows::VALUES == CANONICAL);

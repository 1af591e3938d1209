//! `repression`, which has a training of its own: a table of weights, fitted in closed form instead of by epochs. One seed
//! group after the other is left out, and the fit on the others measured on it.

mod baselines;
mod card;
mod evaluation;
mod fit;
mod outcome;
mod report;
mod rows;
#[cfg(test)]
mod simulated;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use mirador_models::networks::repression::{CLASSES, FEATURE_NAMES, FEATURES};
use mirador_models::{Replica, find, sha256};
use mirna::sites::SiteClass;
use tch::{Device, Tensor, no_grad};

pub use report::Report;

use crate::data::prepare;
use crate::data::repression::dataset::experiments_beside;
use crate::recipe::{Fit, Recipe, Roots};
use crate::results::default::hold_to_baselines;
use crate::results::folder;
use card::card;
use evaluation::Evaluation;
use report::{ClassWeights, MeasuredOn};
use rows::{Columns, Rows, VALUES, robust};

/// Where everything is.
pub struct Fitting {
    /// How to fit.
    pub recipe: Recipe,
    /// What `prepare` wrote.
    pub dataset: PathBuf,
    /// The public files, which the dataset is made from where it is not there.
    pub public_data: PathBuf,
    /// Recipes and weights.
    pub roots: Roots,
}

impl Fitting {
    /// Fits all experiments, measures by leaving seed groups out, and writes the folder.
    pub fn run(&self) -> Result<Report> {
        let recipe = &self.recipe;
        let fit = recipe.fit.as_ref().with_context(|| format!("{} has no fit", recipe.id()))?;
        let model = find(&recipe.model).with_context(|| format!("no model {:?}", recipe.model))?;
        prepare::ensure(recipe.data.dataset(), &self.public_data, &self.dataset)?;
        let rows = Rows::open(&self.dataset).context("`mirador-train prepare` makes the dataset")?;
        let replica = Replica::new(model, &recipe.options, Device::Cpu)?;
        let mut report = self.report(&rows, fit, &replica)?;
        report.default_although =
            hold_to_baselines(recipe, model.task, &report.model.metrics, &report.baselines)?;
        folder::write_trained(&self.roots, recipe, &replica, &report, &card(recipe, &report)?)?;
        Ok(report)
    }

    /// Fits the replica and measures.
    fn report(&self, rows: &Rows, fit: &Fit, replica: &Replica) -> Result<Report> {
        let evaluation = Evaluation::new(rows, fit)?;
        let weights = evaluation.shipped();
        load(replica, rows, &weights)?;
        println!("fitted on {} experiments; leaving seed groups out", rows.over.len());
        let preparation = fs::read_to_string(self.dataset.with_extension("log")).unwrap_or_default();
        Ok(Report {
            command: self.recipe.command(),
            dataset_sha256: sha256(&self.dataset)?,
            experiments_sha256: sha256(&experiments_beside(&self.dataset))?,
            preparation: preparation.lines().map(str::to_owned).collect(),
            parameters: replica.trainable_parameters(),
            default_although: None,
            measured_on: measured_on(rows, &evaluation),
            unit: unit(rows),
            standards: FEATURE_NAMES.map(str::to_owned).into_iter().zip(rows.standards).collect(),
            weights: SiteClass::ALL.map(|class| of_class(class, &weights)).to_vec(),
            model: evaluation.model(),
            canonical: evaluation.canonical(),
            baselines: evaluation.baselines(),
            on_training: evaluation.on_training(&weights),
            genes_left_out: evaluation.genes_left_out()?,
            without: evaluation.without(),
            control: evaluation.control()?,
            learning_curve: evaluation.learning_curve(),
            experiments: evaluation.experiments(),
            knock_outs: evaluation.knock_outs(&weights),
        })
    }
}

/// Puts weights and standards into the network.
fn load(replica: &Replica, rows: &Rows, weights: &Columns) -> Result<()> {
    let by_class = |values: std::ops::Range<usize>| -> Vec<f32> {
        let classes = weights.chunks_exact(VALUES);
        classes.flat_map(|of| of[values.clone()].iter().map(|weight| *weight as f32)).collect()
    };
    let standards =
        |of: fn(&rows::Standard) -> f64| rows.standards.iter().map(|one| of(one) as f32).collect();
    let (classes, features) = (CLASSES as i64, FEATURES as i64);
    let tensors: [(&str, Vec<f32>, Vec<i64>); 4] = [
        ("sites", by_class(0..1), vec![classes]),
        ("features", by_class(1..VALUES), vec![classes, features]),
        ("means", standards(|one| one.mean), vec![features]),
        ("deviations", standards(|one| one.deviation), vec![features]),
    ];
    let mut variables = replica.store.variables();
    for (name, values, shape) in tensors {
        let variable = variables.get_mut(name).with_context(|| format!("the network has no {name}"))?;
        no_grad(|| variable.copy_(&Tensor::from_slice(&values).view(&*shape)));
    }
    Ok(())
}

fn of_class(class: SiteClass, weights: &Columns) -> ClassWeights {
    let of = &weights[class as usize * VALUES..][..VALUES];
    ClassWeights { class: class.name().to_owned(), site: of[0], features: of[1..].to_vec() }
}

fn measured_on(rows: &Rows, evaluation: &Evaluation) -> MeasuredOn {
    let with_classes: Vec<f64> = evaluation
        .outcomes
        .iter()
        .filter(|outcome| outcome.has_classes())
        .map(outcome::Outcome::base_rate)
        .collect();
    MeasuredOn {
        genes: rows.dataset.genes.len(),
        experiments: rows.over.len(),
        groups: rows.groups.len(),
        with_classes: with_classes.len(),
        base_rate: with_classes.iter().sum::<f64>() / with_classes.len() as f64,
    }
}

/// A score of 1 as a log2 fold change.
fn unit(rows: &Rows) -> f64 {
    let of = |&at: &usize| {
        let tested: Vec<f64> = rows.response(at, None).into_iter().flatten().collect();
        robust(&tested).map_or(f64::NAN, |(_, deviation)| deviation)
    };
    rows.over.iter().map(of).sum::<f64>() / rows.over.len() as f64
}

#[cfg(test)]
mod tests {
    use mirador_models::networks::repression::MODEL;
    use mirador_models::tasks::repression::Targeted;

    use super::*;
    use crate::repression::fit::Scores;
    use crate::repression::simulated::truth;

    #[test]
    fn the_network_says_what_was_fitted() {
        let rows = simulated::rows(0.0);
        let replica = Replica::new(&MODEL, &mirador_models::Options::new(), Device::Cpu).unwrap();
        load(&replica, &rows, &truth()).unwrap();
        let genes = &rows.dataset.genes[..50];
        let mirna = rows.experiment(1).about.rna().unwrap();
        let input = |utr: &mirna::Rna| Targeted { mirna: mirna.clone(), utr: utr.clone() }.into();
        let outputs = replica.score(&genes.iter().map(|gene| input(&gene.utr)).collect::<Vec<_>>());
        let expected = Scores::of(rows.sums(1), &truth()).rank;
        for (output, expected) in outputs.into_iter().zip(expected) {
            assert!((f64::from(output) - expected).abs() < 1e-4, "{output} is not {expected}");
        }
    }

    #[test]
    fn the_fit_does_not_know_the_group_that_is_left_out() {
        let mut rows = simulated::rows(0.0);
        rows.dataset.experiments.iter_mut().for_each(|experiment| experiment.about.series = "one".into());
        let before = (rows.response(0, Some(2)), rows.response(0, None));
        rows.dataset.experiments[2].changes.iter_mut().flatten().for_each(|change| change.raw += 5.0);
        assert_eq!(rows.response(0, Some(2)), before.0);
        assert_ne!(rows.response(0, None), before.1);
    }
}

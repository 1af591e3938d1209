//! What a fit reads: for each miRNA and gene the sums over sites of what is known of them, and the response.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use mirador_models::networks::repression::{CLASSES, FEATURES, features};
use mirna::sites::{SiteClass, Utr};
use mirna::{Base, Rna};
use serde::{Deserialize, Serialize};

use crate::data::repression::dataset::{Change, Dataset, Experiment, Kind, read};
use crate::data::repression::groups::{centred_series, median, median_change};

/// For each class: how many sites, and the sum of each feature.
pub(super) const VALUES: usize = 1 + FEATURES;
/// Sums of a gene.
pub(super) const COLUMNS: usize = CLASSES * VALUES;
/// Columns of canonical classes come first.
pub(super) const CANONICAL: usize = 4 * VALUES;
/// The feature that is a count and stays as it is.
const SIGNALS: usize = FEATURES - 1;
/// Median absolute deviations in a normal distribution's standard deviation.
const DEVIATIONS: f64 = 1.4826;

/// One number for each class and feature: sums of a gene, or weights.
pub(super) type Columns = [f64; COLUMNS];

/// Where a feature's zero lies and what its unit is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standard {
    /// Mean over 7mer and 8mer sites.
    pub mean: f64,
    /// Standard deviation over the same.
    pub deviation: f64,
}

/// A dataset with the sums of each miRNA's sites.
pub(super) struct Rows {
    /// The genes, and what became of them.
    pub dataset: Dataset,
    /// By feature.
    pub standards: [Standard; FEATURES],
    /// The over-expression experiments: those that are fitted.
    pub over: Vec<usize>,
    /// Names of their seed groups.
    pub groups: Vec<String>,
    /// Letters of each 3'UTR, log10.
    pub lengths: Vec<f64>,
    /// Share of A and U among the known letters of each.
    pub au: Vec<f64>,
    /// By miRNA and gene, features in units of their standard.
    sums: Vec<Vec<Columns>>,
    /// Each experiment's miRNA.
    mirnas: Vec<usize>,
}

impl Rows {
    /// Reads a dataset and sums its sites.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let dataset = read(path)?;
        let (mut mirnas, mut known) = (Vec::new(), Vec::<Rna>::new());
        for experiment in &dataset.experiments {
            let rna = experiment.about.rna()?;
            mirnas.push(known.iter().position(|other| *other == rna).unwrap_or_else(|| {
                known.push(rna);
                known.len() - 1
            }));
        }
        let (mut sums, standards) = sums(&dataset, &known)?;
        sums.iter_mut().flatten().for_each(|row| standardise(row, &standards));
        let over_expressed = |at: &usize| dataset.experiments[*at].about.kind == Kind::OverExpression;
        let over: Vec<usize> = (0..dataset.experiments.len()).filter(over_expressed).collect();
        let groups: BTreeSet<String> =
            over.iter().map(|&at| dataset.experiments[at].about.group.clone()).collect();
        ensure!(groups.len() >= 2, "{}: to leave a seed group out, there must be two", path.display());
        let lengths = dataset.genes.iter().map(|gene| (gene.utr.len() as f64).log10()).collect();
        let au = dataset.genes.iter().map(|gene| au_share(&gene.utr)).collect();
        Ok(Self { standards, over, groups: groups.into_iter().collect(), lengths, au, sums, mirnas, dataset })
    }

    /// The experiment of this number among all.
    pub(super) fn experiment(&self, at: usize) -> &Experiment {
        &self.dataset.experiments[at]
    }

    /// The seed group of an experiment, where one of over-expression has it.
    pub(super) fn group(&self, at: usize) -> Option<usize> {
        self.groups.iter().position(|group| *group == self.experiment(at).about.group)
    }

    /// The sums of an experiment's miRNA, a gene each.
    pub(super) fn sums(&self, at: usize) -> &[Columns] {
        &self.sums[self.mirnas[at]]
    }

    /// Repression by gene as a fit may see it, `None` where it was not tested: in a series that is centred, less the gene's
    /// median over experiments of neither this group nor the one that is left out.
    pub(super) fn response(&self, at: usize, left_out: Option<usize>) -> Vec<Option<f64>> {
        let experiment = self.experiment(at);
        let own = self.group(at);
        let members = centred_series(&self.dataset.experiments, &experiment.about.series);
        let others: Option<Vec<&Experiment>> = members.map(|members| {
            let is_other = |other: &usize| ![own, left_out].contains(&self.group(*other));
            members.into_iter().filter(is_other).map(|other| self.experiment(other)).collect()
        });
        let of = |(gene, change): (usize, &Option<Change>)| {
            let median = others.as_ref().map_or(0.0, |others| median_change(others, gene));
            change.map(|change| experiment.about.kind.repression(change.raw - median))
        };
        experiment.changes.iter().enumerate().map(of).collect()
    }
}

/// The sums of each miRNA, features as they are, and the features' standards.
fn sums(dataset: &Dataset, mirnas: &[Rna]) -> Result<(Vec<Vec<Columns>>, [Standard; FEATURES])> {
    let mut sums = vec![vec![[0.0; COLUMNS]; dataset.genes.len()]; mirnas.len()];
    let (mut sites, mut totals, mut squares) = (0.0, [0.0; FEATURES], [0.0; FEATURES]);
    for (row, gene) in dataset.genes.iter().enumerate() {
        let utr = Utr::new(&gene.utr);
        for (mirna, sums) in mirnas.iter().zip(&mut sums) {
            for (site, context) in utr.sites(mirna) {
                let features = features(&context, utr.length());
                let of_class = &mut sums[row][site.class as usize * VALUES..][..VALUES];
                of_class[0] += 1.0;
                of_class[1..].iter_mut().zip(features).for_each(|(sum, value)| *sum += value);
                if site.class <= SiteClass::SevenMerA1 {
                    sites += 1.0;
                    for (feature, value) in features.into_iter().enumerate() {
                        totals[feature] += value;
                        squares[feature] += value * value;
                    }
                }
            }
        }
    }
    ensure!(sites > 0.0, "no miRNA has a 7mer or 8mer site on any gene");
    let mut standards = [Standard { mean: 0.0, deviation: 1.0 }; FEATURES];
    for (feature, standard) in standards.iter_mut().enumerate().take(SIGNALS) {
        let mean: f64 = totals[feature] / sites;
        let deviation = (squares[feature] / sites - mean * mean).max(0.0).sqrt();
        // Three digits, so that a card prints them whole.
        let [mean, deviation] = [mean, deviation].map(|value| (value * 1000.0).round() / 1000.0);
        let deviation = Some(deviation).filter(|deviation| *deviation > 0.0);
        *standard = Standard { mean, deviation: deviation.context("a feature is the same of every site")? };
    }
    Ok((sums, standards))
}

fn standardise(row: &mut Columns, standards: &[Standard; FEATURES]) {
    for of_class in row.chunks_exact_mut(VALUES) {
        let sites = of_class[0];
        for (sum, Standard { mean, deviation }) in of_class[1..].iter_mut().zip(standards) {
            *sum = (*sum - sites * mean) / deviation;
        }
    }
}

fn au_share(letters: &[Base]) -> f64 {
    let count = |bases: &[Base]| letters.iter().filter(|base| bases.contains(base)).count();
    let (au, gc) = (count(&[Base::A, Base::U]), count(&[Base::C, Base::G]));
    au as f64 / (au + gc).max(1) as f64
}

/// The median of some responses, and a standard deviation that outliers do not move.
pub(super) fn robust(values: &[f64]) -> Option<(f64, f64)> {
    let centre = median(&mut values.to_vec())?;
    let mut distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    Some((centre, DEVIATIONS * median(&mut distances)?))
}

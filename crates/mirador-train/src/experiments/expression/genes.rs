//! What is trained on, what chooses and what measures, from a dataset of genes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Result, ensure};
use mirador_models::tasks::expression::{HalfLife, HalfLifeFeature};
use rand::SeedableRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand_chacha::ChaCha8Rng;

use super::baselines::{WINDOWS, baselines};
use crate::data::expression::dataset::{Example, Split, cut, read};
use crate::experiment::{Baseline, Experiment, FittedBaseline, Fold, Labelled, Row};
use crate::recipe::{GeneSplit, Stage};

/// Seed of the folds: one for every seed of the network, so that runs compare.
const SEED: u64 = 7;
const FOLDS: usize = 5;
/// One training gene in so many chooses, where validation genes measure.
const ONE_IN: usize = 10;
/// Name under which a network can read whether a gene has any record of a miRNA at all: study bias.
pub(super) const ANY_RECORD: &str = "any_record";

/// The genes of a dataset, split.
pub struct Genes {
    folds: Vec<Fold>,
    /// The published Xpresso's predictions, by the row's id.
    published: HashMap<String, f64>,
    /// How strongly each miRNA targets the gene, by the row's id.
    target_scores: HashMap<String, BTreeMap<String, f32>>,
    description: String,
    /// Whether long words of the promoter are among the baselines.
    long_words: bool,
}

impl Genes {
    /// Reads a dataset and splits it.
    pub fn open(dataset: &Path, split: GeneSplit) -> Result<Self> {
        match split {
            GeneSplit::Published => {
                Self::split(dataset, |examples, chromosomes| vec![published_split(examples, chromosomes)])
            }
            GeneSplit::Windows => Ok(Self {
                long_words: true,
                ..Self::split(dataset, |examples, chromosomes| vec![windows_split(examples, chromosomes)])?
            }),
        }
    }

    /// Folds of whole chromosomes among the training and validation genes; the published test is not touched.
    pub fn in_folds(dataset: &Path) -> Result<Self> {
        Self::split(dataset, grouped_folds)
    }

    fn split(dataset: &Path, split: fn(&[Example], &BTreeMap<String, usize>) -> Vec<Fold>) -> Result<Self> {
        let examples = read(dataset)?;
        let folds = split(&examples, &chromosomes(&examples));
        ensure!(
            folds.iter().all(|fold| !fold.train.is_empty() && !fold.validation.is_empty()),
            "{} has no training or no validation genes",
            dataset.display()
        );
        let published = examples.iter().filter_map(|row| Some((row.ensg.clone(), row.published?)));
        let targets = examples.iter().map(|row| (row.ensg.clone(), row.target_scores.clone()));
        Ok(Self {
            folds,
            published: published.collect(),
            target_scores: targets.collect(),
            description: describe(&examples),
            long_words: false,
        })
    }

    /// How strongly each miRNA targets a row's gene.
    pub fn target_scores(&self, row: &Row) -> BTreeMap<String, f32> {
        self.target_scores.get(&row.id).cloned().unwrap_or_default()
    }
}

impl Experiment for Genes {
    fn folds(&self) -> &[Fold] {
        &self.folds
    }

    /// Half-lives were measured of expressed genes. That one is unknown must not tell the level, so each epoch draws it
    /// from those that are known.
    fn draw(&self, fold: usize, _: &Stage, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        let train = &self.folds[fold].train;
        let known: Vec<f32> =
            train.iter().filter_map(|row| row.gene().half_life[HalfLifeFeature::Measured]).collect();
        let mut draw = |row: &Row| {
            let mut gene = row.gene().clone();
            gene.half_life[HalfLifeFeature::Measured] =
                gene.half_life[HalfLifeFeature::Measured].or_else(|| known.choose(rng).copied());
            (gene.into(), row.target)
        };
        Ok(train.iter().map(&mut draw).collect())
    }

    fn baselines<'a>(&'a self, train: &'a [Row]) -> Vec<FittedBaseline<'a>> {
        let mut baselines = baselines(train, self.long_words);
        if !self.published.is_empty() {
            let mean = self.published.values().sum::<f64>() / self.published.len() as f64;
            let of = move |row: &Row| self.published.get(&row.id).copied().unwrap_or(mean);
            baselines.push(FittedBaseline::new(Baseline::PublishedXpresso, of));
        }
        baselines
    }

    fn description(&self) -> String {
        self.description.clone()
    }
}

/// A number for each chromosome, in the order of their names.
fn chromosomes(examples: &[Example]) -> BTreeMap<String, usize> {
    let names: BTreeSet<&String> = examples.iter().map(|row| &row.chromosome).collect();
    names.into_iter().cloned().zip(0..).collect()
}

fn row(example: &Example, numbers: &BTreeMap<String, usize>) -> Row {
    let mut gene = example.gene.clone();
    if !gene.mirnas.is_empty() {
        gene.mirnas.insert(ANY_RECORD.to_owned(), 1.0);
    }
    let group = numbers.get(&example.chromosome).copied().unwrap_or(0);
    let (id, target) = (example.ensg.clone(), example.level);
    Row { id, input: gene.into(), target, group, stratum: String::new() }
}

/// Tests for each length of promoter, so that metrics of networks trained on different lengths compare.
fn published_split(examples: &[Example], numbers: &BTreeMap<String, usize>) -> Fold {
    let of = |split| examples.iter().filter(move |row| row.split == split);
    let rows = |split| of(split).map(|example| row(example, numbers)).collect();
    // Each length with the place of the start in it.
    let widths: BTreeSet<(usize, usize)> =
        of(Split::Test).map(|row| (row.gene.promoter.len(), row.gene.tss)).collect();
    let test = |&(length, tss): &(usize, usize)| {
        let rows = of(Split::Test).filter_map(|example| {
            let gene = cut(&example.gene, length, tss)?;
            Some(row(&Example { gene, ..example.clone() }, numbers))
        });
        (format!("test_{length}nt"), rows.collect())
    };
    Fold {
        train: rows(Split::Train),
        validation: rows(Split::Validation),
        tests: widths.iter().map(test).collect(),
    }
}

/// A tenth of the training genes chooses; all others measure, in each window.
fn windows_split(examples: &[Example], numbers: &BTreeMap<String, usize>) -> Fold {
    let (mut train, others): (Vec<&Example>, Vec<&Example>) =
        examples.iter().partition(|row| row.split == Split::Train);
    train.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    let validation = train.split_off(train.len() - train.len() / ONE_IN);
    let rows = |examples: &[&Example]| examples.iter().map(|example| row(example, numbers)).collect();
    let mut tests = Vec::new();
    for half_life in [false, true] {
        for (length, tss) in WINDOWS {
            let rows = others.iter().filter_map(|example| {
                let mut gene = cut(&example.gene, length, tss)?;
                if !half_life {
                    gene.half_life = HalfLife::default();
                }
                Some(row(&Example { gene, ..(*example).clone() }, numbers))
            });
            let name = format!("test_{length}nt{}", if half_life { "_half_life" } else { "" });
            tests.push((name, rows.collect::<Vec<_>>()));
        }
    }
    tests.retain(|(_, rows)| !rows.is_empty());
    Fold { train: rows(&train), validation: rows(&validation), tests }
}

fn grouped_folds(examples: &[Example], numbers: &BTreeMap<String, usize>) -> Vec<Fold> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.shuffle(&mut rng);
    let mut folds: Vec<Fold> = (0..FOLDS).map(|_| Fold::default()).collect();
    for example in examples.iter().filter(|row| row.split != Split::Test) {
        let row = row(example, numbers);
        let place = order[row.group];
        for (index, fold) in folds.iter_mut().enumerate() {
            let rows = match place % FOLDS {
                held_out if held_out == index => {
                    if fold.tests.is_empty() {
                        fold.tests.push(("held_out_chromosomes".to_owned(), Vec::new()));
                    }
                    &mut fold.tests[0].1
                }
                // About a tenth of the genes that are left.
                next if next == (index + 1) % FOLDS && (place / FOLDS).is_multiple_of(2) => {
                    &mut fold.validation
                }
                _ => &mut fold.train,
            };
            rows.push(row.clone());
        }
    }
    folds
}

fn describe(examples: &[Example]) -> String {
    let count = |split| examples.iter().filter(|row| row.split == split).count();
    let mut lengths: BTreeMap<usize, usize> = BTreeMap::new();
    examples.iter().for_each(|row| *lengths.entry(row.gene.promoter.len()).or_default() += 1);
    let lengths: Vec<String> =
        lengths.iter().map(|(length, genes)| format!("{length} nt: {genes}")).collect();
    let targeted = examples.iter().filter(|row| !row.target_scores.is_empty()).count();
    format!(
        "Genes: {} for training, {} for validation, {} for the test, by the dataset's split. Promoters that were known \
         ({}), N in the rest of what the network reads. {targeted} genes have a miRNA that targets them. Groups of the \
         intervals are chromosomes. The level is log10 of the expression in the unit of the dataset.",
        count(Split::Train),
        count(Split::Validation),
        count(Split::Test),
        lengths.join(", "),
    )
}

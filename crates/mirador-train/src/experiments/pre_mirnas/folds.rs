//! A split's rows: what each fold trains on, what chooses its epoch, what measures it.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use anyhow::{Result, ensure};
use mirador_models::tasks::pre_mirna::PreMirna;
use mirna::{Base, Rna};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::baselines::{baselines, ends_in_yag};
use super::ends::cut;
use super::rorbach::Numbers;
use crate::data::pre_mirnas::dataset::{Hairpin, Split, read};
use crate::data::pre_mirnas::split::deal;
use crate::experiment::{Experiment, FittedBaseline, Fold, Labelled, Row, labelled};
use crate::recipe::{HairpinSplit, PreMirnas, Stage};

const FOLDS: usize = 5;
/// One out of so many parts of the training rows is validation.
const VALIDATION: usize = 10;
/// Seed of the folds and of the validation rows: one for every seed of the network, so that runs compare.
const SEED: u64 = 7;
/// How often an epoch holds a hairpin whole, as often with its ends cut at random, and as often cut to its mature arms.
const TIMES: usize = 2;
/// Letters at the 3' end that a mirtron owes to its splice acceptor.
const MASKED: usize = 5;

/// The rows of one split.
pub struct Folds {
    data: PreMirnas,
    folds: Vec<Fold>,
    /// The training rows of each fold, cut at the ends of their mature arms.
    arms: Vec<Vec<Row>>,
    counts: Counts,
    /// By name.
    hairpins: HashMap<String, Hairpin>,
    /// What Rorbach's classifiers read of every row; folded when they are asked for.
    numbers: OnceCell<Numbers>,
}

/// What a card tells of the dataset file.
struct Counts {
    sources: String,
    mirtrons: usize,
    canonical: usize,
    train: usize,
    test: usize,
    /// Rows of the published test whose sequence is in the training rows too.
    repeated: usize,
    /// Sequences that are called mirtron and canonical.
    both_labels: usize,
}

impl Counts {
    fn new(rows: &[Hairpin]) -> Self {
        let sequences = |keep: &dyn Fn(&Hairpin) -> bool| -> HashSet<&PreMirna> {
            rows.iter().filter(|row| keep(row)).map(|row| &row.pre_mirna).collect()
        };
        let sources: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).collect();
        let mirtrons = rows.iter().filter(|row| row.mirtron).count();
        let train = rows.iter().filter(|row| row.split == Split::Train).count();
        let seen = sequences(&|row| row.split == Split::Train);
        let repeated = |row: &&Hairpin| row.split == Split::Test && seen.contains(&row.pre_mirna);
        Self {
            sources: sources.into_iter().collect::<Vec<_>>().join(", "),
            mirtrons,
            canonical: rows.len() - mirtrons,
            train,
            test: rows.len() - train,
            repeated: rows.iter().filter(repeated).count(),
            both_labels: sequences(&|row| row.mirtron).intersection(&sequences(&|row| !row.mirtron)).count(),
        }
    }
}

impl Folds {
    /// Reads what `prepare pre-mirnas` wrote.
    pub fn open(dataset: &Path, data: &PreMirnas) -> Result<Self> {
        let rows = read(dataset)?;
        let counts = Counts::new(&rows);
        let grouped = matches!(data.split, HairpinSplit::GroupedFolds | HairpinSplit::GroupedFoldsAndAll);
        let rows = if grouped { without_both_labels(rows) } else { rows };
        let held_out: Vec<Vec<bool>> = match data.split {
            HairpinSplit::Published => vec![rows.iter().map(|row| row.split == Split::Test).collect()],
            HairpinSplit::Folds | HairpinSplit::GroupedFolds | HairpinSplit::GroupedFoldsAndAll => {
                let part = part(&rows.iter().collect::<Vec<_>>(), grouped, FOLDS);
                (0..FOLDS).map(|fold| part.iter().map(|&part| part == fold).collect()).collect()
            }
        };
        let (mut folds, mut arms): (Vec<Fold>, Vec<_>) =
            held_out.iter().map(|held_out| split(&rows, held_out, grouped, data)).unzip();
        let empty =
            |fold: &Fold| fold.validation.is_empty() || fold.tests.iter().any(|(_, rows)| rows.is_empty());
        ensure!(!folds.iter().any(empty), "the dataset has too few rows for this split");
        if data.split == HairpinSplit::GroupedFoldsAndAll {
            let (mut all, of_all) = split(&rows, &vec![false; rows.len()], grouped, data);
            all.tests.clear();
            folds.push(all);
            arms.push(of_all);
        }
        let hairpins = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(Self { data: data.clone(), folds, arms, counts, hairpins, numbers: OnceCell::new() })
    }
}

/// A fold, and its training rows cut at the ends of their mature arms.
fn split(rows: &[Hairpin], held_out: &[bool], grouped: bool, data: &PreMirnas) -> (Fold, Vec<Row>) {
    let of = |test: bool| -> Vec<&Hairpin> {
        rows.iter().zip(held_out).filter(|(_, held_out)| **held_out == test).map(|(row, _)| row).collect()
    };
    let (seen, tests) = (of(false), of(true));
    let part = part(&seen, grouped, VALIDATION);
    let (validation, mut train): (Vec<_>, Vec<_>) = seen.iter().zip(part).partition(|(_, part)| *part == 0);
    if data.validation_trained {
        train.extend(&validation);
    }
    let whole = |row: &Hairpin| row.pre_mirna.clone();
    let rows = |rows: &[(&&Hairpin, usize)]| {
        rows.iter().map(|(row, _)| to_row(row, whole(row))).collect::<Vec<Row>>()
    };
    let arms = |rows: &[(&&Hairpin, usize)]| {
        rows.iter().filter_map(|(row, _)| Some(to_row(row, row.mature_arms()?))).collect::<Vec<Row>>()
    };
    let mut choosing = rows(&validation);
    if data.ends_moved > 0 {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let moved = choosing.iter().map(|row| cut(row, data.ends_moved, &mut rng)).collect();
        for (stratum, variants) in [("ends cut at random", moved), ("mature arms", arms(&validation))] {
            choosing.extend(variants.into_iter().map(|row: Row| Row { stratum: stratum.to_owned(), ..row }));
        }
    }
    let variant = |name: &str, keep: &dyn Fn(&Hairpin) -> Option<PreMirna>| {
        let rows = tests.iter().filter_map(|row| Some(to_row(row, keep(row)?)));
        (name.to_owned(), rows.collect())
    };
    let yag_is_wrong = |row: &Hairpin| ends_in_yag(&row.pre_mirna.sequence) != row.mirtron;
    let fold = Fold {
        train: rows(&train),
        validation: choosing,
        tests: vec![
            variant("held_out", &|row| Some(whole(row))),
            variant("held_out_last_5_masked", &|row| Some(masked(&row.pre_mirna))),
            variant("held_out_mature_arms", &Hairpin::mature_arms),
            variant("held_out_yag_wrong", &|row| yag_is_wrong(row).then(|| whole(row))),
        ],
    };
    (fold, arms(&train))
}

/// Stratified parts; each row its own group, unless families stay whole.
fn part(rows: &[&Hairpin], grouped: bool, parts: usize) -> Vec<usize> {
    let groups = rows.iter().enumerate().map(|(index, row)| if grouped { row.family } else { index });
    let labels: Vec<bool> = rows.iter().map(|row| row.mirtron).collect();
    deal(&groups.collect::<Vec<_>>(), &labels, parts, SEED)
}

/// A sequence that is called both teaches neither.
fn without_both_labels(rows: Vec<Hairpin>) -> Vec<Hairpin> {
    let mut labels: HashMap<PreMirna, [bool; 2]> = HashMap::new();
    for row in &rows {
        labels.entry(row.pre_mirna.clone()).or_default()[usize::from(row.mirtron)] = true;
    }
    rows.into_iter().filter(|row| labels.get(&row.pre_mirna) != Some(&[true, true])).collect()
}

fn to_row(hairpin: &Hairpin, pre_mirna: PreMirna) -> Row {
    Row {
        id: hairpin.id.clone(),
        input: pre_mirna.into(),
        target: f32::from(u8::from(hairpin.mirtron)),
        group: hairpin.family,
        stratum: "hairpins".to_owned(),
    }
}

fn masked(hairpin: &PreMirna) -> PreMirna {
    let kept = hairpin.sequence.len() - MASKED;
    let bases = hairpin.sequence.iter().take(kept).copied();
    PreMirna { sequence: bases.chain([Base::N; MASKED]).collect::<Rna>() }
}

impl Experiment for Folds {
    fn folds(&self) -> &[Fold] {
        &self.folds
    }

    fn draw(&self, fold: usize, _: &Stage, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        let rows = &self.folds[fold].train;
        if self.data.ends_moved == 0 {
            return Ok(labelled(rows));
        }
        let mut drawn = Vec::new();
        for _ in 0..TIMES {
            let moved: Vec<Row> = rows.iter().map(|row| cut(row, self.data.ends_moved, rng)).collect();
            [rows, &moved, &self.arms[fold]].into_iter().for_each(|rows| drawn.extend(labelled(rows)));
        }
        Ok(drawn)
    }

    fn shipped_fold(&self) -> Option<usize> {
        (self.data.split == HairpinSplit::GroupedFoldsAndAll).then(|| self.folds.len() - 1)
    }

    fn baselines<'a>(&'a self, train: &'a [Row]) -> Vec<FittedBaseline<'a>> {
        let numbers = self.numbers.get_or_init(|| {
            let measured = |fold: &'a Fold| fold.tests.iter().flat_map(|(_, rows)| rows);
            let rows = self
                .folds
                .iter()
                .flat_map(move |fold| fold.train.iter().chain(&fold.validation).chain(measured(fold)));
            Numbers::new(rows, &self.hairpins)
        });
        baselines(train, numbers)
    }

    fn description(&self) -> String {
        let Counts { sources, mirtrons, canonical, train, test, repeated, both_labels } = &self.counts;
        let split = match self.data.split {
            HairpinSplit::GroupedFolds | HairpinSplit::GroupedFoldsAndAll => format!(
                "Five folds, stratified by class; families (single linkage on a shared 22-mer or more than half of \
                 the 8-mers) stand whole in one fold, and whole in training or validation. Sequences that carry both \
                 labels are out: {both_labels}."
            ),
            HairpinSplit::Folds => format!(
                "Five folds, stratified by class, as in the paper: repeats and close relatives stand on both sides of \
                 a split, and {both_labels} sequences carry both labels. **That flatters a network**; the version \
                 trained with grouped folds shows by how much."
            ),
            HairpinSplit::Published => format!(
                "The split of Zheng 2019: {train} hairpins for training, of which a tenth chooses the epoch, and \
                 {test} for the test. Test rows whose sequence is in the training rows too: {repeated}."
            ),
        };
        let all = match self.shipped_fold() {
            Some(fold) => format!(
                " Fold {} holds out nothing but its validation tenth, and its network is shipped.",
                fold + 1
            ),
            None => String::new(),
        };
        let ends = match self.data.ends_moved {
            0 => String::new(),
            most => format!(
                " An epoch holds each training hairpin {TIMES} times whole, {TIMES} times without 0 to {most} letters at either \
                 end (drawn anew), and {TIMES} times cut at the ends of its mature arms; each validation row stands once in each form."
            ),
        };
        let tenth = if self.data.validation_trained {
            "All training rows are trained on, those that are called validation too, which choose nothing."
        } else {
            "A tenth of the training rows, stratified, is the validation."
        };
        format!(
            "**Data.** {} hairpins ({sources}): {mirtrons} mirtrons (the positive class) and {canonical} canonical. \
             {split}{all} {tenth}{ends} Mirtrons end where an intron ends, \
             so the last letters alone nearly tell the class: beside whole hairpins (`held_out`) the same rows are \
             measured with the last five letters masked, cut to what lies between the ends of the two mature arms, \
             and those alone where the rule \"ends in UAG or CAG\" is wrong.",
            mirtrons + canonical
        )
    }
}

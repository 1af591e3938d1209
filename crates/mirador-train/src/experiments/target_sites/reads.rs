//! DMISO's ways to measure a network on reads: tenfold cross-validation, and half of the miRNAs unseen. Every test is also
//! split into miRNAs and isomiRs, and into isomiR types (the paper's Tables S4 to S6 and S8).

use anyhow::{Result, ensure};
use mirna::isomir::IsomirType;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::baselines;
use crate::data::target_sites::dataset::{Example, Split, UTR_WINDOW};
use crate::data::target_sites::reads::{MIRNA, types};
use crate::experiment::{Experiment, FittedBaseline, Fold, Labelled, Row, labelled};
use crate::recipe::{ReadSplit, Stage};

/// Seed of the folds: one for every seed of the network, so that runs compare.
const SEED: u64 = 7;
const FOLDS: usize = 10;
/// One in so many of the training rows chooses the epoch.
const VALIDATION: usize = 10;

/// The rows of one split.
pub struct Reads {
    folds: Vec<Fold>,
    split: ReadSplit,
}

impl Reads {
    /// Sorts the rows of `prepare isomir-reads`.
    pub fn new(mut rows: Vec<Example>, split: ReadSplit) -> Result<Self> {
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
        let folds: Vec<Fold> = match split {
            ReadSplit::TenFolds => (0..FOLDS)
                .map(|fold| {
                    let part = |index: usize| index % FOLDS == fold;
                    fold_of(rows.iter().enumerate().map(|(index, row)| (row, part(index))))
                })
                .collect(),
            ReadSplit::UnseenMirnas => {
                vec![fold_of(rows.iter().map(|row| (row, row.split == Split::LeftOut)))]
            }
        };
        let empty = |fold: &Fold| {
            fold.train.is_empty()
                || fold.validation.is_empty()
                || fold.tests.iter().take(1).any(|test| test.1.is_empty())
        };
        ensure!(!folds.iter().any(empty), "the dataset has too few rows for this split");
        Ok(Self { folds, split })
    }
}

/// Rows that are held out or not; every fold has the same tests, of which some may be empty.
fn fold_of<'a>(rows: impl Iterator<Item = (&'a Example, bool)>) -> Fold {
    let (held_out, seen): (Vec<_>, Vec<_>) = rows.partition(|(_, held_out)| *held_out);
    // One stratum: a type with three reads must not weigh as much as the miRNAs when an epoch is chosen.
    let to_row = |row: &Example| Row { stratum: "reads".to_owned(), ..Row::from(row.clone()) };
    let seen = seen.into_iter().map(|(row, _)| to_row(row)).enumerate();
    let (validation, train): (Vec<_>, Vec<_>) = seen.partition(|(index, _)| index % VALIDATION == 0);
    let rows = |rows: Vec<(usize, Row)>| rows.into_iter().map(|(_, row)| row).collect();
    let test = |name: &str, keep: &dyn Fn(&str) -> bool| {
        let kept = held_out.iter().filter(|(row, _)| keep(&row.source));
        (name.to_owned(), kept.map(|(row, _)| to_row(row)).collect())
    };
    let is_mirna = |source: &str| source.strip_suffix(UTR_WINDOW).unwrap_or(source) == MIRNA;
    let mut tests: Vec<(String, Vec<Row>)> = vec![
        test("held_out", &|_| true),
        test("held_out, miRNAs", &is_mirna),
        test("held_out, isomiRs", &|source| types(source).next().is_some()),
    ];
    for kind in IsomirType::ALL {
        tests.push(test(&format!("held_out, {}", kind.name()), &|source| {
            types(source).any(|other| other == kind)
        }));
    }
    Fold { train: rows(train), validation: rows(validation), tests }
}

impl Experiment for Reads {
    fn folds(&self) -> &[Fold] {
        &self.folds
    }

    fn draw(&self, fold: usize, _: &Stage, _: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        Ok(labelled(&self.folds[fold].train))
    }

    fn baselines<'a>(&'a self, train: &'a [Row]) -> Vec<FittedBaseline<'a>> {
        baselines::baselines(train)
    }

    fn description(&self) -> String {
        let how = match self.split {
            ReadSplit::TenFolds => {
                "Tenfold cross-validation over pairs, as the paper does inside its training rows"
            }
            ReadSplit::UnseenMirnas => {
                "Half of the miRNAs, each with its isomiRs, are held out altogether, as in the paper's Table S8"
            }
        };
        format!(
            "**Data.** Chimeric reads of Hejret 2023 with each miRNA as it was read: the only public reads of isomiRs with \
             their sites. The paper's own pairs (CLASH, 83 % isomiRs) are not public, their raw reads are; CLASH 2013's table has miRNAs cut to \
             20 nt in place of reads and takes no part. A negative is the same miRNA with a window of a random 3'UTR, not of \
             the same transcript. {how}; one in ten of the rest chooses the epoch, by average precision. A negative's window \
             can be told from a read's site without the miRNA: see the baselines that read the site only. Isomir types by \
             miRBase's human miRNAs; a read with several types counts in each."
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn rows() -> Vec<Example> {
        let row = |index: usize| {
            let letter = |at: usize| ["A", "C", "G", "U"][index / 4_usize.pow(at as u32) % 4];
            let site: String = (0..20).map(|at| letter(at % 5)).collect();
            let label = index.is_multiple_of(2);
            let kind = ["mirna", "3p_addition", "5p_deletion+3p_addition"][index % 3];
            let source = if label { kind.to_owned() } else { format!("{kind}{UTR_WINDOW}") };
            let pair = mirador_models::tasks::target_site::Pair {
                mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(),
                site: site.parse().unwrap(),
            };
            let split = if index.is_multiple_of(4) { Split::LeftOut } else { Split::Train };
            Example { source, split, cluster: index, pair, label }
        };
        (0..200).map(row).collect()
    }

    #[test]
    fn every_row_is_held_out_once_and_never_trained_on_then() {
        let reads = Reads::new(rows(), ReadSplit::TenFolds).unwrap();
        let mut held_out = Vec::new();
        for fold in reads.folds() {
            let test: HashSet<usize> = fold.tests[0].1.iter().map(|row| row.group).collect();
            assert!(fold.train.iter().chain(&fold.validation).all(|row| !test.contains(&row.group)));
            assert_eq!(fold.train.len() + fold.validation.len() + test.len(), 200);
            let [mirnas, isomirs, added] = [1, 2, 6].map(|index| fold.tests[index].1.len());
            assert_eq!(mirnas + isomirs, test.len());
            assert_eq!(added, isomirs, "{}", fold.tests[6].0);
            held_out.extend(test);
        }
        held_out.sort_unstable();
        assert_eq!(held_out, (0..200).collect::<Vec<_>>());
    }

    #[test]
    fn unseen_mirnas_are_those_that_the_dataset_leaves_out() {
        let reads = Reads::new(rows(), ReadSplit::UnseenMirnas).unwrap();
        let [fold] = reads.folds() else { panic!("one fold") };
        assert!(fold.tests[0].1.len() == 50 && fold.tests[0].1.iter().all(|row| row.group % 4 == 0));
        assert!(fold.train.iter().all(|row| row.group % 4 != 0));
    }
}

//! A network that learns a teacher's opinion: what the teacher saw in rows that are not at hand. No label was measured.

use anyhow::{Result, ensure};
use mirador_models::tasks::probability;
use mirador_models::tasks::target_site::Pair;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{augment, teacher};
use crate::data::target_sites::taught::TEACHER;
use crate::experiment::{Experiment, FittedBaseline, Fold, Labelled, Row};
use crate::recipe::Stage;

/// One in so many rows chooses the epoch.
const VALIDATION: usize = 35;

/// Label of a pair without relation: the teacher gives such pairs .3, since its training showed it none.
const UNRELATED: f32 = 0.01;

/// Pairs with soft labels.
pub struct Taught {
    /// The only one.
    fold: Fold,
}

impl Taught {
    /// Sorts the rows of `prepare taught-pairs`, which stand in no order.
    pub fn new(rows: Vec<(Pair, f32)>) -> Result<Self> {
        let to_row = |(at, (pair, logit)): (usize, (Pair, f32))| Row {
            id: format!("{} {}", pair.mirna, pair.site),
            input: pair.into(),
            target: probability(logit),
            group: at,
            stratum: TEACHER.to_owned(),
        };
        let rows: Vec<Row> = rows.into_iter().enumerate().map(to_row).collect();
        let (validation, train): (Vec<Row>, Vec<Row>) =
            rows.into_iter().partition(|row| row.group % VALIDATION == 0);
        ensure!(!train.is_empty() && !validation.is_empty(), "the dataset has too few rows");
        Ok(Self { fold: Fold { train, validation, tests: Vec::new() } })
    }
}

impl Experiment for Taught {
    fn folds(&self) -> &[Fold] {
        std::slice::from_ref(&self.fold)
    }

    fn draw(&self, _: usize, stage: &Stage, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        let (rows, train) = (stage.rows.unwrap_or_default(), &self.fold.train);
        let mut pairs: Vec<(Pair, f32)> = train.iter().map(|row| (row.pair().clone(), row.target)).collect();
        pairs.extend((0..rows.random).map(|_| {
            let mirna = |rng: &mut ChaCha8Rng| train.choose(rng).map(|row| &row.pair().mirna);
            (teacher::unrelated(mirna, rng), UNRELATED)
        }));
        let cut = |(pair, target): (Pair, f32)| (augment::augment(pair, &[], rows, rng).into(), target);
        Ok(pairs.into_iter().map(cut).collect())
    }

    fn baselines<'a>(&'a self, _: &'a [Row]) -> Vec<FittedBaseline<'a>> {
        Vec::new()
    }

    fn description(&self) -> String {
        format!(
            "**Data.** Pairs with the opinion of the published {TEACHER} (see what `prepare` did); no label was \
             measured, and no test set is looked at."
        )
    }
}

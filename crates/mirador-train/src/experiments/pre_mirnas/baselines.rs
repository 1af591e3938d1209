//! The baselines: what the ends and the length of a hairpin give away.

use mirna::{Base, Rna};

use super::logistic::Logistic;
use crate::experiment::{Baseline, FittedBaseline, Row};

/// Mirtrons are short introns.
const SHORT: usize = 70;
/// Stretch at either end, nt: the 5' end of an intron is rich in G, its 3' end in pyrimidines.
const STRETCH: usize = 20;

/// The rules, which need no fit, and a logistic regression fitted on `train`.
pub(super) fn baselines(train: &[Row]) -> Vec<FittedBaseline<'_>> {
    let logistic =
        Logistic::fit(&train.iter().map(|row| (features(sequence(row)), row.label())).collect::<Vec<_>>());
    let rule = |baseline, holds: fn(&Rna) -> bool| {
        FittedBaseline::new(baseline, move |row| f64::from(u8::from(holds(sequence(row)))))
    };
    vec![
        rule(Baseline::EndsInYag, ends_in_yag),
        rule(Baseline::EndsInAg, ends_in_ag),
        rule(Baseline::Short, |rna| rna.len() < SHORT),
        FittedBaseline::new(Baseline::HairpinFeatures, move |row| {
            logistic.probability(&features(sequence(row)))
        }),
    ]
}

/// The splice acceptor of an intron: UAG or CAG at the 3' end.
pub(super) fn ends_in_yag(rna: &Rna) -> bool {
    rna.ends_with(&[Base::U, Base::A, Base::G]) || rna.ends_with(&[Base::C, Base::A, Base::G])
}

fn ends_in_ag(rna: &Rna) -> bool {
    rna.ends_with(&[Base::A, Base::G])
}

/// Length, GC share, G at the 5' end, pyrimidines before the last three letters, GU at the 5' end (the splice donor),
/// AG and YAG at the 3' end. No source names its seven; these are what is known of introns, and need no folding.
fn features(rna: &Rna) -> [f64; 7] {
    let share = |part: &[Base], letters: &[Base]| {
        part.iter().filter(|base| letters.contains(base)).count() as f64 / part.len().max(1) as f64
    };
    let flag = |holds: bool| f64::from(u8::from(holds));
    let body = &rna[..rna.len() - 3];
    [
        rna.len() as f64 / 100.0,
        share(rna, &[Base::G, Base::C]),
        share(&rna[..STRETCH], &[Base::G]),
        share(&body[body.len() - STRETCH..], &[Base::C, Base::U]),
        flag(rna.starts_with(&[Base::G, Base::U])),
        flag(ends_in_ag(rna)),
        flag(ends_in_yag(rna)),
    ]
}

fn sequence(row: &Row) -> &Rna {
    &row.pre_mirna().sequence
}

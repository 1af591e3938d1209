//! The baselines: what the ends and the length of a hairpin give away.

use mirador_models::networks::hairpin::features::numbers;
use mirna::{Base, Rna};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::classifiers::classify;
use super::ends::cut;
use super::rorbach::Numbers;
use crate::experiment::{Baseline, FittedBaseline, Row};
use crate::stats::logistic::Logistic;

/// Mirtrons are short introns.
const SHORT: usize = 70;
/// Stretch at either end, nt: the 5' end of an intron is rich in G, its 3' end in pyrimidines.
const STRETCH: usize = 20;
/// Factors of Σw²/2: next to none for a few features, and one for many that go together.
const RIDGES: [f64; 2] = [1e-3, 10.0];
/// Letters that either end of a training row loses at most where ends are cut.
const CUT: usize = 8;
/// Seed of those cuts.
const SEED: u64 = 7;

/// The rules, which need no fit, and logistic regressions fitted on `train`: on rows as they are, and on the same and once
/// more with their ends cut. Also published classifiers that know where the mature miRNAs lie.
pub(super) fn baselines<'a>(train: &'a [Row], numbers: &'a Numbers) -> Vec<FittedBaseline<'a>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let moved: Vec<Row> = train.iter().map(|row| cut(row, CUT, &mut rng)).collect();
    let regression = |baseline, of: fn(&Rna) -> Vec<f64>, ridge, ends_cut: bool| {
        let rows = train.iter().chain(moved.iter().filter(|_| ends_cut));
        let rows: Vec<_> = rows.map(|row| (of(sequence(row)), row.label())).collect();
        let fitted = Logistic::fit(&rows, ridge);
        FittedBaseline::new(baseline, move |row| fitted.probability(&of(sequence(row))))
    };
    let rule = |baseline, holds: fn(&Rna) -> bool| {
        FittedBaseline::new(baseline, move |row| f64::from(u8::from(holds(sequence(row)))))
    };
    let mut fitted = vec![
        rule(Baseline::EndsInYag, ends_in_yag),
        rule(Baseline::EndsInAg, ends_in_ag),
        rule(Baseline::Short, |rna| rna.len() < SHORT),
        regression(Baseline::HairpinFeatures, features, RIDGES[0], false),
        regression(Baseline::HairpinFeaturesMoved, features, RIDGES[0], true),
        regression(Baseline::HairpinNumbers, folded, RIDGES[1], false),
        regression(Baseline::HairpinNumbersMoved, folded, RIDGES[1], true),
    ];
    let seen: Vec<(&[f64], bool)> =
        train.iter().map(|row| (&numbers.rows[numbers.place(row)][..], row.label())).collect();
    fitted.extend(
        classify(&seen, &numbers.rows)
            .into_iter()
            .map(|(baseline, scores)| FittedBaseline::new(baseline, move |row| scores[numbers.place(row)])),
    );
    fitted
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
fn features(rna: &Rna) -> Vec<f64> {
    let share = |part: &[Base], letters: &[Base]| {
        part.iter().filter(|base| letters.contains(base)).count() as f64 / part.len().max(1) as f64
    };
    let flag = |holds: bool| f64::from(u8::from(holds));
    let body = &rna[..rna.len() - 3];
    vec![
        rna.len() as f64 / 100.0,
        share(rna, &[Base::G, Base::C]),
        share(&rna[..STRETCH], &[Base::G]),
        share(&body[body.len() - STRETCH..], &[Base::C, Base::U]),
        flag(rna.starts_with(&[Base::G, Base::U])),
        flag(ends_in_ag(rna)),
        flag(ends_in_yag(rna)),
    ]
}

/// What the hairpin model reads of composition and structure, without its matrices of splice sites.
fn folded(rna: &Rna) -> Vec<f64> {
    numbers(rna).into_iter().map(f64::from).collect()
}

fn sequence(row: &Row) -> &Rna {
    &row.pre_mirna().sequence
}

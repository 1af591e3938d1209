//! The baselines: what short words of the promoter, its GC content, the half-life or the mere fact of having been
//! studied tell of the level.

use mirador_models::tasks::expression::{Gene, HalfLife, HalfLifeFeature};
use mirna::Base;

use super::linear::Linear;
use crate::experiment::{Baseline, FittedBaseline, Row, targets};

const LONGEST_WORD: usize = 4;
/// Penalty of the ridge on word counts.
const WORDS_LAMBDA: f64 = 300.0;
/// Keeps the equations of the small baselines solvable when a feature is constant.
const SMALL_LAMBDA: f64 = 1e-6;

/// Fits every baseline on `train`.
pub(super) fn baselines(train: &[Row]) -> Vec<FittedBaseline<'_>> {
    let measured = train.iter().any(|row| row.gene().half_life != HalfLife::default());
    let studied = train.iter().any(|row| !row.gene().mirnas.is_empty());
    let line = |baseline, features: fn(&Gene) -> Vec<f64>, lambda| {
        let rows: Vec<_> = train.iter().map(|row| features(row.gene())).collect();
        let line = Linear::fit(&rows, &targets(train), lambda);
        FittedBaseline::new(baseline, move |row| line.at(&features(row.gene())))
    };
    let mut baselines = vec![
        line(Baseline::PromoterWords, words, WORDS_LAMBDA),
        line(Baseline::PromoterGc, gc_and_cpg, SMALL_LAMBDA),
    ];
    if measured {
        baselines.push(line(Baseline::HalfLife, half_life, SMALL_LAMBDA));
        baselines.push(line(Baseline::HalfLifeKnown, half_life_known, SMALL_LAMBDA));
        baselines.push(line(Baseline::PromoterWordsAndHalfLife, words_and_half_life, WORDS_LAMBDA));
    }
    if studied {
        let any = |row: &Row| f64::from(u8::from(!row.gene().mirnas.is_empty()));
        baselines.push(FittedBaseline::new(Baseline::AnyRecord, any));
    }
    baselines
}

/// Counts of all words of 1 to 4 letters; a word with N is none.
fn words(gene: &Gene) -> Vec<f64> {
    let mut counts = Vec::new();
    for length in 1..=LONGEST_WORD {
        let mut of_length = vec![0.0; 4_usize.pow(length as u32)];
        for word in gene.promoter.windows(length) {
            let index = word.iter().try_fold(0, |index, base| Some(index * 4 + digit(*base)?));
            if let Some(index) = index {
                of_length[index] += 1.0;
            }
        }
        counts.extend(of_length);
    }
    counts
}

fn digit(base: Base) -> Option<usize> {
    [Base::A, Base::C, Base::G, Base::U].iter().position(|letter| *letter == base)
}

/// Shares of the promoter.
fn gc_and_cpg(gene: &Gene) -> Vec<f64> {
    let share = |count: usize| count as f64 / gene.promoter.len() as f64;
    let gc = gene.promoter.iter().filter(|base| matches!(base, Base::G | Base::C)).count();
    let cpg = gene.promoter.windows(2).filter(|pair| *pair == [Base::C, Base::G]).count();
    vec![share(gc), share(cpg)]
}

/// The features; 0 where unknown, which is the mean of a measured half-life.
fn half_life(gene: &Gene) -> Vec<f64> {
    features(gene).map(|value| f64::from(value.unwrap_or(0.0))).collect()
}

/// Half-lives were measured of expressed genes: that one is known says more than the half-life itself.
fn half_life_known(gene: &Gene) -> Vec<f64> {
    features(gene).map(|value| f64::from(u8::from(value.is_some()))).collect()
}

fn words_and_half_life(gene: &Gene) -> Vec<f64> {
    [words(gene), half_life(gene)].concat()
}

fn features(gene: &Gene) -> impl Iterator<Item = Option<f32>> {
    HalfLifeFeature::ALL.into_iter().map(|feature| gene.half_life[feature])
}

//! The baselines: what short words of the promoter, its GC content, the half-life or the mere fact of having been
//! studied tell of the level.

use mirador_models::tasks::expression::{Gene, HalfLife, HalfLifeFeature};
use mirna::Base;

use super::boosting::Boosting;
use super::linear::Linear;
use super::words::words as count;
use crate::data::expression::dataset::cut;
use crate::experiment::{Baseline, FittedBaseline, Row, targets};

/// Lengths of promoters that words are counted in, and the start of transcription in each.
pub(super) const WINDOWS: [(usize, usize); 3] = [(60, 49), (86, 49), (300, 249)];
const LONGEST_WORD: usize = 4;
const LONGEST_OF_ALL: usize = 6;
/// Penalty of the ridge on word counts.
const WORDS_LAMBDA: f64 = 300.0;
/// Penalty where words have up to six letters.
const LONG_WORDS_LAMBDA: f64 = 1_000.0;
/// Keeps the equations of the small baselines solvable when a feature is constant.
const SMALL_LAMBDA: f64 = 1e-6;

/// Fits every baseline on `train`.
pub(super) fn baselines(train: &[Row], long_words: bool) -> Vec<FittedBaseline<'_>> {
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
    if long_words {
        baselines.extend(by_window(train));
    } else {
        let rows: Vec<_> = train.iter().map(|row| words(row.gene())).collect();
        let trees = Boosting::fit(&rows, &targets(train));
        let of = move |row: &Row| trees.at(&words(row.gene()));
        baselines.push(FittedBaseline::new(Baseline::PromoterWordTrees, of));
    }
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

/// Words of up to four letters.
fn words(gene: &Gene) -> Vec<f64> {
    count(&gene.promoter, LONGEST_WORD)
}

/// What is fitted to word counts.
type Fitted = Box<dyn Fn(&[f64]) -> f64>;

/// Ridge and boosting, each fitted for every window on all genes whose promoter fills it; a row is read in the longest
/// window that it fills.
fn by_window(train: &[Row]) -> Vec<FittedBaseline<'_>> {
    let ridge = |rows: &[Vec<f64>], targets: &[f64]| -> Fitted {
        let line = Linear::fit(rows, targets, LONG_WORDS_LAMBDA);
        Box::new(move |row| line.at(row))
    };
    let trees = |rows: &[Vec<f64>], targets: &[f64]| -> Fitted {
        let trees = Boosting::fit(rows, targets);
        Box::new(move |row| trees.at(row))
    };
    vec![
        in_windows(Baseline::PromoterLongWords, train, LONGEST_OF_ALL, ridge),
        in_windows(Baseline::PromoterWordTrees, train, LONGEST_WORD, trees),
        in_windows(Baseline::PromoterLongWordTrees, train, LONGEST_OF_ALL, trees),
    ]
}

fn in_windows<'a>(
    baseline: Baseline,
    train: &[Row],
    longest: usize,
    fit: impl Fn(&[Vec<f64>], &[f64]) -> Fitted,
) -> FittedBaseline<'a> {
    let counts = move |row: &Row, (length, tss): (usize, usize)| {
        Some(count(&cut(row.gene(), length, tss)?.promoter, longest))
    };
    let fitted = WINDOWS.map(|window| {
        let known: Vec<_> =
            train.iter().filter_map(|row| Some((counts(row, window)?, f64::from(row.target)))).collect();
        let (rows, targets): (Vec<_>, Vec<_>) = known.into_iter().unzip();
        (window, (!rows.is_empty()).then(|| fit(&rows, &targets)))
    });
    let mean = targets(train).iter().sum::<f64>() / train.len() as f64;
    FittedBaseline::new(baseline, move |row| {
        let mut longest_first = fitted.iter().rev();
        let level = longest_first.find_map(|(window, fitted)| Some(fitted.as_ref()?(&counts(row, *window)?)));
        level.unwrap_or(mean)
    })
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

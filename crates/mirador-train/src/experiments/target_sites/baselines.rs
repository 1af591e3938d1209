//! The baselines: what can be had without reading both sequences together, and what an untrained aligner reaches. Each
//! probe is fitted on training rows and scored on others; a network's metric is worth what it is above them.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use mirna::Base;
use mirna::duplex::align;
use mirna::fold;
use mirna::seed::SiteType;

use crate::experiment::{Baseline, FittedBaseline, Row};

/// Fits every baseline on `train`.
pub fn baselines(train: &[Row]) -> Vec<FittedBaseline<'_>> {
    let mirna = Rc::new(Shares::fit(train, |row| &row.pair().mirna));
    let pair_rule = mirna.clone();
    let site = Shares::fit(train, |row| &row.pair().site);
    let site_length = Shares::fit(train, |row| row.pair().site.len());
    let mirna_length = Shares::fit(train, |row| row.pair().mirna.len());
    let words = NaiveBayes::fit(train);
    vec![
        FittedBaseline::new(Baseline::Mirna, move |row| mirna.share(&&row.pair().mirna)),
        FittedBaseline::new(Baseline::ExactSite, move |row| site.share(&&row.pair().site)),
        FittedBaseline::new(Baseline::SiteWords, move |row| words.score(&row.pair().site)),
        FittedBaseline::new(Baseline::SiteLength, move |row| site_length.share(&row.pair().site.len())),
        FittedBaseline::new(Baseline::MirnaLength, move |row| mirna_length.share(&row.pair().mirna.len())),
        FittedBaseline::new(Baseline::SeedClass, seed_class),
        FittedBaseline::new(Baseline::MirnaAndSeed, move |row| {
            logit(pair_rule.share(&&row.pair().mirna)) + 1.2 * seed_class(row)
        }),
        FittedBaseline::new(Baseline::Aligner, |row| f64::from(align(&row.pair().mirna, &row.pair().site))),
        FittedBaseline::new(Baseline::DuplexEnergy, |row| {
            let energy = fold::duplex(&row.pair().mirna, &row.pair().site).map(|duplex| duplex.energy);
            -energy.unwrap_or(0.0)
        }),
    ]
}

fn seed_class(row: &Row) -> f64 {
    f64::from(SiteType::best(&row.pair().mirna, &row.pair().site) as u8)
}

fn logit(share: f64) -> f64 {
    (share / (1.0 - share)).ln()
}

/// Share of positives, (positives + 1) / (rows + 2), by a key; the base rate where the key is new.
struct Shares<K> {
    counts: HashMap<K, (f64, f64)>,
    base_rate: f64,
}

impl<'a, K: Eq + Hash + 'a> Shares<K> {
    fn fit(train: &'a [Row], key: impl Fn(&'a Row) -> K) -> Self {
        let mut counts: HashMap<K, (f64, f64)> = HashMap::new();
        for row in train {
            let (positives, rows) = counts.entry(key(row)).or_default();
            *positives += f64::from(u8::from(row.label()));
            *rows += 1.0;
        }
        let positives = train.iter().filter(|row| row.label()).count();
        Self { counts, base_rate: positives as f64 / train.len() as f64 }
    }

    fn share(&self, key: &K) -> f64 {
        self.counts.get(key).map_or(self.base_rate, |(positives, rows)| (positives + 1.0) / (rows + 2.0))
    }
}

/// Multinomial naive Bayes over the site's 5-mers, add-one smoothed.
struct NaiveBayes<'a> {
    log_odds: HashMap<&'a [Base], f64>,
}

impl<'a> NaiveBayes<'a> {
    fn fit(train: &'a [Row]) -> Self {
        let mut counts: HashMap<&[Base], [f64; 2]> = HashMap::new();
        let mut totals = [0.0; 2];
        for row in train {
            for word in row.pair().site.windows(5) {
                counts.entry(word).or_insert([1.0; 2])[usize::from(row.label())] += 1.0;
                totals[usize::from(row.label())] += 1.0;
            }
        }
        let words = counts.len() as f64;
        let [negative, positive] = totals.map(|total| total + words);
        let log_odds =
            counts.into_iter().map(|(word, [n, p])| (word, (p / positive).ln() - (n / negative).ln()));
        Self { log_odds: log_odds.collect() }
    }

    fn score(&self, site: &[Base]) -> f64 {
        site.windows(5).filter_map(|word| self.log_odds.get(word)).sum()
    }
}

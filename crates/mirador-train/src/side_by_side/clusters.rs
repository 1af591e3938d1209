//! miRNAs put together by what a mask of four letters does to them (the paper's Figure S2), and whether those of one cluster
//! share targets or a seed (its Table S7; pathways are not at hand).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use kodama::{Method, linkage};
use mirador_models::interpret::Change;
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;
use mirna::mirbase::Mirbase;
use rand::seq::SliceRandom;

use super::scorers::Judge;
use super::{Comparison, Test, strata};
use crate::data::sources::human_mirbase;
use crate::data::target_sites::dataset::seed;
use crate::experiment::{Experiment, Row};
use crate::interpret::scorer::Scorer;
use crate::results::side_by_side::{Cluster, Clusters, Shared};
use crate::stats::correlation::{mean, pearson};

/// The paper's mask, nt.
const MASK: usize = 4;
/// Starts that every miRNA has: those of a miRNA of 18 nt. A shorter one takes no part.
const STARTS: usize = 15;
/// A miRNA with fewer pairs is left out: its profile would be that of single sites.
const LEAST_PAIRS: usize = 10;
/// Clusters are joined while their profiles correlate so much on average.
const CORRELATION: f64 = 0.5;
/// Lots that clusters of the same sizes are drawn by.
const LOTS: usize = 1000;

/// A miRNA with the mean effect of each mask.
struct Profile {
    mirna: Rna,
    effects: Vec<f64>,
}

/// Clusters of the miRNAs of the plan's test; none where the plan does not ask.
pub(super) fn clusters(
    comparison: &Comparison,
    experiment: &dyn Experiment,
    tests: &[Test],
    judges: &[Judge<'_>],
) -> Result<Option<Clusters>> {
    let Some(test) = &comparison.plan.clusters else { return Ok(None) };
    let (_, rows) = tests.iter().find(|one| one.0 == *test).with_context(|| format!("no test {test}"))?;
    let judge = judges.first().context("clusters need a network")?;
    let replica = judge.network().context("clusters need a network that is no held-out one")?;
    let pairs: Vec<Pair> = rows.iter().filter(|row| row.label()).map(|row| row.pair().clone()).collect();
    let profiles = profiles(&Scorer(replica), pairs);
    let labels = cut(&profiles);
    let mirbase = human_mirbase(&comparison.data)?;
    let places = places(experiment);
    Ok(Some(Clusters {
        network: judge.scorer.name.clone(),
        test: test.clone(),
        mirnas: profiles.len(),
        least_pairs: LEAST_PAIRS,
        correlation: CORRELATION,
        clusters: describe(&profiles, &labels, &mirbase),
        shared: shared(&profiles, &labels, &places),
    }))
}

/// What each mask does to each miRNA, the mean over its pairs.
fn profiles(scorer: &Scorer<'_>, mut pairs: Vec<Pair>) -> Vec<Profile> {
    let mut counts: HashMap<Rna, usize> = HashMap::new();
    pairs.iter().for_each(|pair| *counts.entry(pair.mirna.clone()).or_default() += 1);
    pairs.retain(|pair| counts[&pair.mirna] >= LEAST_PAIRS && pair.mirna.len() >= STARTS + MASK - 1);
    let changes = |_| (0..STARTS).map(|start| Change::hide(0, start..start + MASK)).collect();
    let mut sums: BTreeMap<Rna, Vec<f64>> = BTreeMap::new();
    scorer.each("masks of four letters", &pairs, changes, |row, scores| {
        let mirna = &pairs[row].mirna;
        let sums = sums.entry(mirna.clone()).or_insert_with(|| vec![0.0; STARTS]);
        let effects = scores[1..].iter().map(|score| f64::from(scores[0] - score) / counts[mirna] as f64);
        sums.iter_mut().zip(effects).for_each(|(sum, effect)| *sum += effect);
    });
    sums.into_iter().map(|(mirna, effects)| Profile { mirna, effects }).collect()
}

/// A cluster for each profile: average linkage on one less the correlation.
fn cut(profiles: &[Profile]) -> Vec<usize> {
    let distance = |a: &Profile, b: &Profile| 1.0 - pearson(&a.effects, &b.effects);
    let mut distances: Vec<f64> = Vec::new();
    for (index, one) in profiles.iter().enumerate() {
        distances.extend(profiles[index + 1..].iter().map(|other| distance(one, other)));
    }
    let mut clusters: Vec<Vec<usize>> = (0..profiles.len()).map(|index| vec![index]).collect();
    let steps = linkage(&mut distances, profiles.len(), Method::Average);
    for step in steps.steps().iter().filter(|step| step.dissimilarity <= 1.0 - CORRELATION) {
        let [one, other] =
            [step.cluster1, step.cluster2].map(|cluster| std::mem::take(&mut clusters[cluster]));
        clusters.push([one, other].concat());
    }
    let mut labels = vec![0; profiles.len()];
    for (label, members) in clusters.iter().enumerate() {
        members.iter().for_each(|&member| labels[member] = label);
    }
    labels
}

/// Clusters of two miRNAs or more, the largest first.
fn describe(profiles: &[Profile], labels: &[usize], mirbase: &Mirbase) -> Vec<Cluster> {
    let mut members: BTreeMap<usize, Vec<&Profile>> = BTreeMap::new();
    labels.iter().zip(profiles).for_each(|(label, profile)| members.entry(*label).or_default().push(profile));
    let mut clusters: Vec<Cluster> = members
        .into_values()
        .filter(|of| of.len() > 1)
        .map(|of| {
            let at = |start: usize| mean(&of.iter().map(|one| one.effects[start]).collect::<Vec<f64>>());
            let (peak, effect) = (0..STARTS)
                .map(|start| (start + 1, at(start)))
                .fold((0, f64::MIN), |best, one| if one.1 > best.1 { one } else { best });
            let mut seeds: HashMap<_, usize> = HashMap::new();
            of.iter().for_each(|one| *seeds.entry(seed(&one.mirna)).or_default() += 1);
            let name = |one: &&Profile| {
                let known = mirbase.matures().iter().find(|mature| mature.rna == one.mirna);
                known.map_or_else(|| one.mirna.to_string(), |mature| mature.name.clone())
            };
            let one_seed = seeds.into_values().max().unwrap_or(0);
            Cluster { mirnas: of.iter().map(name).collect(), peak, effect, one_seed }
        })
        .collect();
    clusters.sort_by(|a, b| b.mirnas.len().cmp(&a.mirnas.len()).then_with(|| a.mirnas.cmp(&b.mirnas)));
    clusters
}

/// The places that each miRNA was read at, anywhere in the dataset.
fn places(experiment: &dyn Experiment) -> HashMap<Rna, BTreeSet<usize>> {
    let fold = &experiment.folds()[0];
    // Published tests number their own places.
    let own = fold.tests.iter().take(1).flat_map(|test| &test.1);
    let mut places: HashMap<Rna, BTreeSet<usize>> = HashMap::new();
    for row in fold.train.iter().chain(&fold.validation).chain(own).filter(|row: &&Row| row.label()) {
        places.entry(row.pair().mirna.clone()).or_default().insert(row.group);
    }
    places
}

/// Targets and seeds of two miRNAs of one cluster, beside those of clusters drawn by lot.
fn shared(profiles: &[Profile], labels: &[usize], places: &HashMap<Rna, BTreeSet<usize>>) -> Vec<Shared> {
    let same_seed = |a: usize, b: usize| seed(&profiles[a].mirna) == seed(&profiles[b].mirna);
    let overlap = |a: usize, b: usize| {
        let [a, b] = [a, b].map(|index| &places[&profiles[index].mirna]);
        let both = a.intersection(b).count() as f64;
        both / (a.len() as f64 + b.len() as f64 - both)
    };
    type Measure<'a> = &'a dyn Fn(usize, usize) -> Option<f64>;
    let measures: [(&str, Measure<'_>); 3] = [
        ("places that both bind, of those that either binds", &|a, b| Some(overlap(a, b))),
        ("the same without two miRNAs of one seed", &|a, b| (!same_seed(a, b)).then(|| overlap(a, b))),
        ("one seed (positions 2–8)", &|a, b| Some(f64::from(u8::from(same_seed(a, b))))),
    ];
    measures.into_iter().map(|(what, measure)| against_lots(what, labels, measure)).collect()
}

fn against_lots(what: &str, labels: &[usize], measure: &dyn Fn(usize, usize) -> Option<f64>) -> Shared {
    let count = labels.len();
    let mut values: Vec<(usize, usize, f64)> = Vec::new();
    for a in 0..count {
        values.extend((a + 1..count).filter_map(|b| Some((a, b, measure(a, b)?))));
    }
    let within = |labels: &[usize]| {
        let inside = values.iter().filter(|(a, b, _)| labels[*a] == labels[*b]);
        inside.fold((0, 0.0), |(pairs, sum), (_, _, value)| (pairs + 1, sum + value))
    };
    let of = |(pairs, sum): (usize, f64)| sum / pairs.max(1) as f64;
    let found = within(labels);
    let (mut lot, mut rng) = (labels.to_vec(), strata::lot());
    let lots: Vec<f64> = (0..LOTS)
        .map(|_| {
            lot.shuffle(&mut rng);
            of(within(&lot))
        })
        .collect();
    let as_much = lots.iter().filter(|value| **value >= of(found)).count();
    Shared {
        what: what.to_owned(),
        pairs: found.0,
        within: of(found),
        by_lot: mean(&lots),
        p: (as_much + 1) as f64 / (LOTS + 1) as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(mirna: &str, effects: &[f64]) -> Profile {
        Profile { mirna: mirna.parse().unwrap(), effects: effects.to_vec() }
    }

    fn profiles() -> Vec<Profile> {
        vec![
            profile("AGGGGGGGCCCCCCCCCC", &[0.9, 0.1, 0.0, 0.0]),
            profile("AUUUUUUUCCCCCCCCCC", &[0.0, 0.0, 0.1, 0.5]),
            profile("CGGGGGGGCCCCCCCCCC", &[0.5, 0.0, 0.0, 0.0]),
            profile("CCCCCCCCCCCCCCCCCC", &[0.0, 0.8, -0.8, 0.1]),
        ]
    }

    #[test]
    fn like_profiles_are_one_cluster() {
        let labels = cut(&profiles());
        assert_eq!(labels[0], labels[2]);
        assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn what_a_cluster_shares_is_held_against_lots() {
        let (all, labels) = (profiles(), cut(&profiles()));
        let places = |of: &[usize]| of.iter().copied().collect::<BTreeSet<usize>>();
        let bound = [places(&[1, 2, 3]), places(&[4]), places(&[2, 3, 5]), places(&[6])];
        let bound = all.iter().map(|one| one.mirna.clone()).zip(bound).collect();
        let shared = shared(&all, &labels, &bound);
        assert_eq!((shared[0].pairs, shared[0].within), (1, 0.5));
        assert!(shared[0].by_lot < 0.2 && shared[0].p < 0.3);
        assert_eq!((shared[1].pairs, shared[2].within), (0, 1.0));
    }
}

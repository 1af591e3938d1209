//! Where each scorer puts the site that a read came from, among other windows of its 3'UTR. The paper takes the five best
//! pairs that BLAST gives a read (its Table S9); the raw reads are not at hand, so the question is asked of sites.

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;

use super::scorers::Judge;
use super::{Comparison, Test};
use crate::data::target_sites::dataset::{Example, Split};
use crate::data::target_sites::transcripts::{Place, Transcripts};
use crate::experiment::Row;
use crate::results::side_by_side::{Among, Ranked};

/// Letters between the starts of two windows.
const STEP: usize = 25;
/// A read with fewer candidates is left out: five of them would be most.
const LEAST: usize = 10;
/// How many count as the best.
const FIRST: [f64; 2] = [1.0, 5.0];

/// A read's candidates, the site that was read first.
type Candidates = Vec<Row>;

/// The tests that the plan wants ranked.
pub(super) fn ranked(comparison: &Comparison, tests: &[Test], judges: &[Judge<'_>]) -> Result<Vec<Ranked>> {
    let wanted = |test: &&Test| comparison.plan.ranked.contains(&test.0);
    if !tests.iter().any(|test| wanted(&test)) {
        return Ok(Vec::new());
    }
    let transcripts = Transcripts::read(&comparison.data)?;
    Ok(tests.iter().filter(wanted).map(|test| of_test(test, &transcripts, judges)).collect())
}

fn of_test((name, rows): &Test, transcripts: &Transcripts, judges: &[Judge<'_>]) -> Ranked {
    let pairs: Vec<&Pair> = rows.iter().filter(|row| row.label()).map(Row::pair).collect();
    let places = transcripts.places(&pairs.iter().map(|pair| &pair.site).collect::<Vec<_>>());
    let found = pairs.into_iter().zip(places).filter_map(|(pair, place)| Some((pair, place?)));
    let reads: Vec<Candidates> = found
        .map(|(pair, place)| candidates(pair, &place, transcripts))
        .filter(|candidates| candidates.len() >= LEAST)
        .collect();
    let counts: Vec<f64> = reads.iter().map(|read| read.len() as f64).collect();
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / counts.len().max(1) as f64;
    let [first, first_five] = FIRST.map(|best| mean(&mut counts.iter().map(|count| best / count)));
    let mut among = vec![Among { scorer: "by chance".to_owned(), first, first_five }];
    for judge in judges.iter().filter(|judge| judge.scores_anything()) {
        let flat: Vec<Row> = reads.iter().flatten().cloned().collect();
        let scores = judge.score(name, &flat);
        let mut rest = scores.as_slice();
        let ranks: Vec<f64> = reads
            .iter()
            .map(|read| {
                let (of_read, others) = rest.split_at(read.len());
                rest = others;
                rank(of_read)
            })
            .collect();
        let [first, first_five] =
            FIRST.map(|best| mean(&mut ranks.iter().map(|rank| f64::from(u8::from(*rank <= best)))));
        among.push(Among { scorer: judge.scorer.name.clone(), first, first_five });
    }
    Ranked { test: name.clone(), reads: reads.len(), candidates: mean(&mut counts.iter().copied()), among }
}

/// The site, then the windows of its 3'UTR that keep away from it.
fn candidates(pair: &Pair, place: &Place, transcripts: &Transcripts) -> Candidates {
    let away = std::slice::from_ref(&place.letters);
    let windows = transcripts.windows(place.transcript, pair.site.len(), STEP, away);
    let row = |(index, site)| -> Row {
        let (source, pair) = (String::new(), Pair { mirna: pair.mirna.clone(), site });
        Example { source, split: Split::Test, cluster: 0, pair, label: index == 0 }.into()
    };
    [pair.site.clone()].into_iter().chain(windows).enumerate().map(row).collect()
}

/// Place of the first score among all, from 1; of equals the middle one.
fn rank(scores: &[f64]) -> f64 {
    let above = scores.iter().filter(|score| **score > scores[0]).count() as f64;
    let equal = scores[1..].iter().filter(|score| **score == scores[0]).count() as f64;
    1.0 + above + equal / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_share_their_middle_place() {
        assert_eq!(rank(&[0.5, 0.1, 0.2]), 1.0);
        assert_eq!(rank(&[0.5, 0.9, 0.5, 0.5, 0.1]), 3.0);
        assert_eq!(rank(&[0.0; 9]), 5.0);
    }
}

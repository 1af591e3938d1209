//! A dozen rows of each task, of our own: random letters over all lengths. They become `golden.json`, and the speed
//! table is taken on them.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use mirna::{Base, Rna};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::tasks::expression::{Gene, HalfLifeFeature};
use crate::tasks::pre_mirna::PreMirna;
use crate::tasks::repression::Targeted;
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};
use crate::tasks::{Input, Task, pre_mirna};

const ROWS: usize = 12;
/// Promoters, nt: short ones, to keep the file small, and one that fills the largest window.
const PROMOTERS: RangeInclusive<usize> = 60..=1_000;
const LONG_PROMOTER: usize = 11_000;
/// 3'UTRs, nt, before seed matches are put in.
const UTRS: RangeInclusive<usize> = 40..=900;

/// The rows.
pub fn golden_rows(task: Task) -> Vec<Input> {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    (0..ROWS)
        .map(|step| match task {
            Task::TargetSite => pair(step, &mut rng).into(),
            Task::PreMirna => {
                PreMirna { sequence: random(spread(step, &pre_mirna::LENGTHS), &mut rng) }.into()
            }
            Task::Expression => gene(step, &mut rng).into(),
            Task::Repression => targeted(step, &mut rng).into(),
        })
        .collect()
}

/// Every third site a complement, some N.
fn pair(step: usize, rng: &mut ChaCha8Rng) -> Pair {
    let mirna = random(spread(step, &MIRNA_LENGTHS), rng);
    let flank = random(spread(step, &SITE_LENGTHS), rng);
    let mut site: Vec<Base> = match step % 3 {
        0 => mirna.reverse_complement().iter().chain(flank.iter()).copied().collect(),
        _ => flank.to_vec(),
    };
    site.truncate(*SITE_LENGTHS.end());
    if step.is_multiple_of(4) {
        site[2] = Base::N;
    }
    Pair { mirna, site: site.into_iter().collect() }
}

/// A seed match of each class, one after the other, among random letters; some N.
fn targeted(step: usize, rng: &mut ChaCha8Rng) -> Targeted {
    let mirna = random(spread(step, &MIRNA_LENGTHS), rng);
    let mut utr = random(spread(step, &UTRS), rng).to_vec();
    let mut whole = Rna::from(&mirna[..8]).reverse_complement().to_vec();
    whole[7] = Base::A;
    for (place, hidden) in [None, Some(0), Some(7), Some(1), Some(6)].into_iter().enumerate() {
        let mut site = whole.clone();
        if let Some(hidden) = hidden {
            site[hidden] = Base::N;
        }
        let at = (place + 1) * utr.len() / 6;
        utr.splice(at..at, site);
    }
    Targeted { mirna, utr: utr.into_iter().collect() }
}

/// Every other one without half-life features.
fn gene(step: usize, rng: &mut ChaCha8Rng) -> Gene {
    let length = if step + 1 == ROWS { LONG_PROMOTER } else { spread(step, &PROMOTERS) };
    let known =
        [(HalfLifeFeature::CdsLength, 3.1), (HalfLifeFeature::Utr3Gc, 0.4), (HalfLifeFeature::Measured, 0.5)];
    let half_life = known.into_iter().filter(|_| step.is_multiple_of(2)).collect();
    Gene { promoter: random(length, rng), tss: length * 2 / 3, half_life, mirnas: BTreeMap::new() }
}

fn random(length: usize, rng: &mut ChaCha8Rng) -> Rna {
    let letters = [Base::A, Base::C, Base::G, Base::U];
    (0..length).map(|_| letters[rng.random_range(0..4)]).collect()
}

/// Lengths from the shortest to the longest.
fn spread(step: usize, range: &RangeInclusive<usize>) -> usize {
    range.start() + step * (range.end() - range.start()) / (ROWS - 1)
}

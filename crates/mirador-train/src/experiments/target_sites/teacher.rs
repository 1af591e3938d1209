//! Pairs without end, labelled by the aligner: a network learns from them what pairing is before it sees the few
//! thousand measured duplexes.

use mirador_models::tasks::probability;
use mirador_models::tasks::target_site::Pair;
use mirna::duplex::align;
use mirna::{Base, Rna};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::target_sites::random::{LETTERS, random_letters};

/// The soft label is the logistic function of (score − [`MIDDLE`]) / [`WIDTH`]: about the middle and the spread of
/// the aligner's scores on measured sites and their permutations.
const MIDDLE: f32 = 42.0;
const WIDTH: f32 = 4.0;
/// Shares of made-up miRNAs, of made-up sites, of sites with an implanted duplex, and of sites cut short.
const MADE_UP_MIRNA: f64 = 0.1;
const MADE_UP_SITE: f64 = 0.1;
const IMPLANTED: f64 = 0.45;
const CUT: f64 = 0.4;
/// Letters of a site that bears no relation to a transcript, and the share of such sites that repeat a few letters.
const SITE: usize = 50;
const REPEATED: f64 = 0.15;

/// What the aligner thinks of a pair, in [0, 1].
pub(super) fn opinion(pair: &Pair) -> f32 {
    let score = align(&pair.mirna, &pair.site) as f32;
    probability((score - MIDDLE) / WIDTH)
}

/// A miRNA and a site that met by chance, in part made to bind, and the aligner's opinion of them.
pub(super) fn draw(mirnas: &[Rna], sites: &[Rna], rng: &mut ChaCha8Rng) -> (Pair, f32) {
    let mirna = match mirnas.choose(rng) {
        Some(mirna) if !rng.random_bool(MADE_UP_MIRNA) => mirna.to_vec(),
        _ => random_letters(rng.random_range(18..26), rng),
    };
    let mut site = match sites.choose(rng) {
        Some(site) if !rng.random_bool(MADE_UP_SITE) => site.to_vec(),
        _ => random_letters(SITE, rng),
    };
    if rng.random_bool(CUT) && site.len() > 24 {
        site.truncate(rng.random_range(24..=site.len()));
    }
    if rng.random_bool(IMPLANTED) {
        implant(&mirna, &mut site, rng);
    }
    let pair = Pair { mirna: mirna.into_iter().collect(), site: site.into_iter().collect() };
    let opinion = opinion(&pair);
    (pair, opinion)
}

/// A miRNA, or letters in place of one, and a site that no transcript has: random letters, or a few repeated ones.
pub(super) fn unrelated<'a>(
    mirnas: impl Fn(&mut ChaCha8Rng) -> Option<&'a Rna>,
    rng: &mut ChaCha8Rng,
) -> Pair {
    let mirna = match mirnas(rng).filter(|_| !rng.random_bool(MADE_UP_MIRNA)) {
        Some(mirna) => mirna.clone(),
        None => random_letters(rng.random_range(18..26), rng).into_iter().collect(),
    };
    let site = match rng.random_bool(REPEATED) {
        true => {
            let unit = random_letters(rng.random_range(1..=4), rng);
            let mut site: Vec<Base> = unit.into_iter().cycle().take(SITE).collect();
            for _ in 0..rng.random_range(0..6) {
                let at = rng.random_range(0..SITE);
                site[at] = LETTERS[rng.random_range(0..LETTERS.len())];
            }
            site
        }
        false => random_letters(SITE, rng),
    };
    Pair { mirna, site: site.into_iter().collect() }
}

/// Writes part of the miRNA's complement into the site, with gaps, wobbles and a bulge, so that the scores cover
/// their whole range.
fn implant(mirna: &[Base], site: &mut [Base], rng: &mut ChaCha8Rng) {
    let kept = rng.random_range(0.3..1.0);
    let wobbles = rng.random_range(0.0..0.3);
    let first = if rng.random_bool(0.5) { rng.random_range(0..2) } else { rng.random_range(0..12) };
    let last = (first + rng.random_range(6..23)).min(mirna.len());
    let bulge_at = rng.random_range(4..18);
    let bulge: i64 = if rng.random_bool(0.4) { rng.random_range(-3..5) } else { 0 };
    let opposite_first = rng.random_range(7..site.len()) as i64;
    for (position, &letter) in mirna.iter().enumerate().take(last).skip(first) {
        let shift = if position >= bulge_at { bulge } else { 0 };
        let opposite = opposite_first - (position - first) as i64 - shift;
        let Some(place) = usize::try_from(opposite).ok().and_then(|index| site.get_mut(index)) else {
            continue;
        };
        if letter != Base::N && rng.random_bool(kept) {
            *place = match letter {
                Base::G if rng.random_bool(wobbles) => Base::U,
                Base::U if rng.random_bool(wobbles) => Base::G,
                base => base.complement(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn labels_cover_the_whole_range() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let labels: Vec<f32> = (0..2000).map(|_| draw(&[], &[], &mut rng).1).collect();
        let share = |yes: fn(f32) -> bool| labels.iter().filter(|&&label| yes(label)).count();
        assert!(share(|label| label < 0.2) > 200);
        assert!(share(|label| label > 0.8) > 100);
        assert!(share(|label| (0.2..0.8).contains(&label)) > 200);
    }
}

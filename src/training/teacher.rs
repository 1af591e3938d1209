//! Pairs without end, labelled by the aligner: a network learns from them what pairing is before it sees the few
//! thousand measured duplexes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::rna::{Base, Rna, duplex::align};
use crate::tasks::target_site::Pair;

/// The soft label is the logistic function of (score − [`MIDDLE`]) / [`WIDTH`]: about the middle and the spread of
/// the aligner's scores on measured sites and their permutations.
const MIDDLE: f32 = 42.0;
const WIDTH: f32 = 4.0;
const LETTERS: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];
/// Shares of random letters in place of training sequences, of sites with an implanted duplex, and of sites of 50 nt.
const RANDOM: f64 = 0.2;
const IMPLANTED: f64 = 0.45;
const FULL_LENGTH: f64 = 0.5;

/// A pair and the aligner's opinion of it, in [0, 1].
pub fn draw(real: &[&Pair], rng: &mut ChaCha8Rng) -> (Pair, f32) {
    let mirna = if rng.random_bool(RANDOM) {
        random(rng.random_range(18..26), rng)
    } else {
        real[rng.random_range(0..real.len())].mirna.to_vec()
    };
    let length = if rng.random_bool(FULL_LENGTH) { 50 } else { rng.random_range(24..=60) };
    let mut site = if rng.random_bool(RANDOM) {
        Vec::new()
    } else {
        real[rng.random_range(0..real.len())].site.to_vec()
    };
    let missing = length.max(site.len()) - site.len();
    site.extend(random(missing, rng));
    site.truncate(length);
    if rng.random_bool(IMPLANTED) {
        implant(&mirna, &mut site, rng);
    }
    let pair = Pair { mirna: Rna::from(&mirna[..]), site: Rna::from(&site[..]) };
    let score = align(&pair.mirna, &pair.site) as f32;
    (pair, 1.0 / (1.0 + ((MIDDLE - score) / WIDTH).exp()))
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
    for position in first..last {
        let shift = if position >= bulge_at { bulge } else { 0 };
        let opposite = opposite_first - (position - first) as i64 - shift;
        let Some(letter) = usize::try_from(opposite).ok().and_then(|index| site.get_mut(index)) else {
            continue;
        };
        if mirna[position] != Base::N && rng.random_bool(kept) {
            *letter = match mirna[position] {
                Base::G if rng.random_bool(wobbles) => Base::U,
                Base::U if rng.random_bool(wobbles) => Base::G,
                base => base.complement(),
            };
        }
    }
}

fn random(length: usize, rng: &mut ChaCha8Rng) -> Vec<Base> {
    (0..length).map(|_| LETTERS[rng.random_range(0..4)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn labels_cover_the_whole_range() {
        let pair = Pair {
            mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(),
            site: "GGCUACCUCAGGAUUCGAUCGGAUCUAGGAUCUAGGCUUACGGAUUACGA".parse().unwrap(),
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let labels: Vec<f32> = (0..2000).map(|_| draw(&[&pair], &mut rng).1).collect();
        let share = |yes: fn(f32) -> bool| labels.iter().filter(|&&label| yes(label)).count();
        assert!(share(|label| label < 0.2) > 300 && share(|label| label > 0.8) > 300);
        assert!(share(|label| (0.2..0.8).contains(&label)) > 200);
    }
}

//! Which words are hidden. Words overlap, so neighbours give a single one away: runs are hidden.

use mirador_models::networks::deepmirnatar::kmers::{MASK, VOCABULARY, WORDS};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Fraction of words that are hidden.
const SHARE: f64 = 0.15;

/// Places to hide in a row of words, in order: every word begins a run of `run` with probability 15 % / `run`; a word
/// with an `N` cannot be asked for.
pub(super) fn draw(words: &[i64], run: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut end = 0;
    (0..words.len())
        .filter(|&place| {
            if rng.random_bool(SHARE / run as f64) {
                end = place + run;
            }
            place < end && words[place] >= WORDS
        })
        .collect()
}

/// The row as training shows it: of the places, 80 % hidden, 10 % another word, 10 % as they are.
pub(super) fn corrupt(words: &[i64], places: &[usize], rng: &mut ChaCha8Rng) -> Vec<i64> {
    let mut shown = words.to_vec();
    for &place in places {
        match rng.random_range(0..10) {
            0 => {}
            1 => shown[place] = rng.random_range(WORDS..VOCABULARY),
            _ => shown[place] = MASK,
        }
    }
    shown
}

/// The row with all places hidden.
pub(super) fn hide(words: &[i64], places: &[usize]) -> Vec<i64> {
    let mut shown = words.to_vec();
    places.iter().for_each(|&place| shown[place] = MASK);
    shown
}

#[cfg(test)]
mod tests {
    use mirador_models::networks::deepmirnatar::kmers::UNKNOWN;

    use super::*;
    use rand::SeedableRng;

    #[test]
    fn runs_are_hidden_and_nothing_else() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut words: Vec<i64> = (0..50).map(|place| WORDS + place).collect();
        words[7] = UNKNOWN;
        let (mut hidden, mut masked, mut exchanged) = (0, 0, 0);
        for _ in 0..2000 {
            let places = draw(&words, 4, &mut rng);
            assert!(!places.contains(&7));
            let runs = places.chunk_by(|a, b| b - a <= if *a == 6 { 2 } else { 1 });
            for run in runs.filter(|run| run.last() != Some(&49) && !run.contains(&6) && run[0] != 8) {
                assert!(run.len() >= 4, "{places:?}");
            }
            let shown = corrupt(&words, &places, &mut rng);
            for place in 0..50 {
                assert!(places.contains(&place) || shown[place] == words[place]);
            }
            hidden += places.len();
            masked += shown.iter().filter(|&&word| word == MASK).count();
            exchanged += (0..50).filter(|&place| shown[place] != words[place]).count();
            let shown = hide(&words, &places);
            assert!((0..50).all(|place| (shown[place] == MASK) == places.contains(&place)));
        }
        let share = |part: usize, whole: usize| part as f64 / whole as f64;
        assert!((share(hidden, 100_000) - 0.137).abs() < 0.01, "runs overlap and end: {hidden}");
        assert!((share(masked, hidden) - 0.8).abs() < 0.02 && (share(exchanged, hidden) - 0.9).abs() < 0.02);
    }
}

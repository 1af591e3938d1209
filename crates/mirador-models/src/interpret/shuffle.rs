//! Shuffles of a window that keep its first and last letter and its pairs of neighbours, where it is long enough.

use mirna::Base;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Letters of a window.
pub(super) const WINDOW: usize = 7;
/// Shuffles of each window.
pub(super) const SHUFFLES: usize = 20;
/// From this length on pairs of neighbours are kept; a shorter strand has too few orders that do.
const KEEPS_NEIGHBOURS: usize = 6;
const SEED: u64 = 17;
/// Letters, `N` among them.
const LETTERS: usize = 5;

/// Shuffles of one window. They depend on its letters and place alone.
pub(super) fn shuffled(window: &[Base], place: usize) -> Vec<Vec<Base>> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    rng.set_stream(place as u64);
    let one = |_| {
        if window.len() >= KEEPS_NEIGHBOURS {
            return keeping_neighbours(window, &mut rng);
        }
        let mut letters = window.to_vec();
        letters.shuffle(&mut rng);
        letters
    };
    (0..SHUFFLES).map(one).collect()
}

/// Altschul and Erickson 1985: the letters are the nodes of a graph, neighbours its edges, and a shuffle a walk over all
/// edges. Each letter but the last leaves for the last time along an edge of a tree that leads to the last letter; its
/// other edges are taken in any order.
fn keeping_neighbours(window: &[Base], rng: &mut impl RngExt) -> Vec<Base> {
    let (Some(&first), Some(&last)) = (window.first(), window.last()) else { return Vec::new() };
    let mut following: [Vec<Base>; LETTERS] = Default::default();
    for pair in window.windows(2) {
        following[pair[0] as usize].push(pair[1]);
    }
    // Draws last edges until they all lead to the last letter; the window's own do, so some draw does.
    loop {
        following.iter_mut().for_each(|edges| edges.shuffle(rng));
        if (0..LETTERS).all(|letter| following[letter].is_empty() || leads(letter, last as usize, &following))
        {
            break;
        }
    }
    let mut taken = [0; LETTERS];
    let mut walk = vec![first];
    while walk.len() < window.len() {
        let at = *walk.last().expect("it begins with the first letter") as usize;
        walk.push(following[at][taken[at]]);
        taken[at] += 1;
    }
    walk
}

/// Whether the last edges lead from a letter to `end`.
fn leads(mut letter: usize, end: usize, following: &[Vec<Base>; LETTERS]) -> bool {
    for _ in 0..LETTERS {
        if letter == end {
            return true;
        }
        match following[letter].last() {
            Some(next) => letter = *next as usize,
            None => return false,
        }
    }
    letter == end
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mirna::Rna;

    use super::*;

    #[test]
    fn pairs_of_neighbours_are_kept() {
        for (place, text) in ["ACGUACG", "AAAAAAA", "GUGUGUC", "NNACNNU", "ACACGA"].iter().enumerate() {
            let rna: Rna = text.parse().unwrap();
            let sorted = |letters: &[Base]| {
                let mut pairs: Vec<_> = letters.windows(2).map(<[Base]>::to_vec).collect();
                pairs.sort_unstable();
                pairs
            };
            for shuffle in shuffled(&rna, place) {
                assert_eq!(sorted(&shuffle), sorted(&rna), "{text}");
            }
        }
    }

    #[test]
    fn all_orders_come_and_the_same_again() {
        let rna: Rna = "ACAGAUA".parse().unwrap();
        let orders: BTreeSet<_> = (0..4).flat_map(|place| shuffled(&rna, place)).collect();
        assert_eq!(orders.len(), 6, "three loops of A in any order");
        assert_eq!(shuffled(&rna, 3), shuffled(&rna, 3));
        let short: Rna = "ACG".parse().unwrap();
        assert!(shuffled(&short, 0).iter().any(|shuffle| shuffle[0] != Base::A));
    }
}

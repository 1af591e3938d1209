//! Bias-free negatives: sites permuted among the positives, so that every miRNA and every site is as often positive
//! as negative and neither alone tells the label.

use std::collections::HashSet;

use anyhow::{Result, ensure};
use mirador_models::tasks::target_site::Pair;
use mirna::Base;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::target_sites::dataset::Example;

/// Swaps tried for a row before it leaves the pool.
const TRIES: usize = 1000;

/// The rows that kept their place in the pool, and for each the index of the row whose site it gets.
///
/// A partner is forbidden when its site's cluster holds a site of the row's own miRNA family (positions 2–8); the
/// row's own family is therefore forbidden too. Clashes are mended by random swaps. A row that cannot be mended
/// leaves the pool and the permutation starts again, which keeps the marginals exact. Sites never leave their source:
/// otherwise site length and source would meet in negatives only.
pub(super) fn permute(rows: &[&Example], rng: &mut ChaCha8Rng) -> Result<Vec<(usize, usize)>> {
    let bound: HashSet<(&[Base], usize)> = rows.iter().map(|row| (row.family(), row.cluster)).collect();
    let forbidden = |row: usize, partner: usize| bound.contains(&(rows[row].family(), rows[partner].cluster));
    let mut sources: Vec<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    sources.sort_unstable();
    sources.dedup();
    let mut pairs = Vec::with_capacity(rows.len());
    for source in sources {
        let mut pool: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].source == source).collect();
        while let Some(stuck) = permute_pool(&pool, &forbidden, rng, &mut pairs) {
            pool.remove(stuck);
        }
    }
    ensure!(
        !pairs.is_empty(),
        "no negatives can be drawn: every site binds every miRNA family of these rows"
    );
    Ok(pairs)
}

/// Appends the pairs of one pool, or says which of its rows cannot be placed.
fn permute_pool(
    pool: &[usize],
    forbidden: &impl Fn(usize, usize) -> bool,
    rng: &mut ChaCha8Rng,
    pairs: &mut Vec<(usize, usize)>,
) -> Option<usize> {
    let mut partners = pool.to_vec();
    partners.shuffle(rng);
    for place in 0..pool.len() {
        let mut tries = 0;
        while forbidden(pool[place], partners[place]) {
            if tries == TRIES {
                return Some(place);
            }
            tries += 1;
            let other = rng.random_range(0..pool.len());
            let (mine, theirs) = (partners[other], partners[place]);
            let other_stays_good = other > place || !forbidden(pool[other], theirs);
            if !forbidden(pool[place], mine) && other_stays_good {
                partners.swap(place, other);
            }
        }
    }
    pairs.extend(pool.iter().copied().zip(partners));
    None
}

/// The permuted pairs themselves.
pub(super) fn pairs(rows: &[&Example], permutation: &[(usize, usize)]) -> Vec<Pair> {
    let pair = |&(row, partner): &(usize, usize)| Pair {
        mirna: rows[row].pair.mirna.clone(),
        site: rows[partner].pair.site.clone(),
    };
    permutation.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::target_sites::dataset::Split;
    use proptest::prelude::*;
    use rand::SeedableRng;

    fn row(mirna: &str, site: &str, cluster: usize, source: &str) -> Example {
        let pair = Pair { mirna: mirna.parse().unwrap(), site: site.parse().unwrap() };
        Example { source: source.to_owned(), split: Split::Train, cluster, pair, label: true }
    }

    proptest! {
        #[test]
        fn every_sequence_is_as_often_positive_as_negative(
            letters in prop::collection::vec(("[ACGU]{15,22}", "[ACGU]{20,50}", 0usize..40, 0usize..2), 40..80),
            seed in 0u64..99,
        ) {
            let rows: Vec<Example> = letters
                .iter()
                .map(|(mirna, site, cluster, source)| row(mirna, site, *cluster, ["a", "b"][*source]))
                .collect();
            let rows: Vec<&Example> = rows.iter().collect();
            let permutation = permute(&rows, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            let mut kept: Vec<usize> = permutation.iter().map(|&(row, _)| row).collect();
            let mut partners: Vec<usize> = permutation.iter().map(|&(_, partner)| partner).collect();
            kept.sort_unstable();
            partners.sort_unstable();
            prop_assert_eq!(&kept, &partners);
            prop_assert!(kept.len() > rows.len() / 2);
            for (row, partner) in permutation {
                let same_family_binds = rows.iter().any(|other| {
                    other.family() == rows[row].family() && other.cluster == rows[partner].cluster
                });
                prop_assert!(!same_family_binds);
                prop_assert_eq!(&rows[row].source, &rows[partner].source);
            }
        }
    }
}

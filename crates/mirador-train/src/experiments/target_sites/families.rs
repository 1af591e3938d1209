//! A published split with miRNA families held out of it: what a network says of miRNAs that it has not seen, beside what it
//! says of those that it has, both on published test rows.

use std::collections::{BTreeMap, HashSet};

use mirna::Base;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::target_sites::dataset::{Example, Split};

/// Share of the rows whose families measure, and of those whose families choose.
const MEASURE: f64 = 0.2;
const CHOOSE: f64 = 0.1;
/// The largest share of a family that is held out: a larger one would be the result alone.
const LARGEST: f64 = 0.03;

/// Rows by what they are for.
pub(super) struct Apart {
    /// Training rows of the other families, away from the sites of the rows that choose and of unseen families.
    pub train: Vec<Example>,
    /// Validation rows of families that training never sees.
    pub validation: Vec<Example>,
    /// By name: a test of the training rows' own origin is told apart by whether training saw the family. It did not see those
    /// that choose the epoch either, so that a third of the unseen rows are of them.
    pub tests: Vec<(String, Vec<Example>)>,
}

/// Holds families out of training and validation rows. The published test is neither trained on nor chosen by.
pub(super) fn apart(rows: Vec<Example>, published: Vec<Example>, rng: &mut ChaCha8Rng) -> Apart {
    let [measure, choose] = held_out(&rows, rng);
    let own: HashSet<String> = rows.iter().map(|row| row.source.clone()).collect();
    let is_own = |row: &Example| own.iter().any(|source| row.source.starts_with(source.as_str()));
    let mut tests: Vec<(String, Vec<Example>)> = Vec::new();
    let mut train = Vec::new();
    let mut validation = Vec::new();
    for row in rows {
        match row.split {
            Split::Train => train.push(row),
            _ if choose.contains(row.family()) => validation.push(row),
            _ => {}
        }
    }
    train.retain(|row| !measure.contains(row.family()) && !choose.contains(row.family()));
    let seen: HashSet<Vec<Base>> = train.iter().map(|row| row.family().to_vec()).collect();
    let mut held: HashSet<usize> = validation.iter().map(|row| row.cluster).collect();
    for row in published {
        let name = match (is_own(&row), seen.contains(row.family())) {
            (false, _) => row.source.clone(),
            (true, true) => format!("{}, seen families", row.source),
            (true, false) => {
                held.insert(row.cluster);
                format!("{}, unseen families", row.source)
            }
        };
        match tests.iter_mut().find(|(of, _)| *of == name) {
            Some((_, rows)) => rows.push(row),
            None => tests.push((name, vec![row])),
        }
    }
    train.retain(|row| !held.contains(&row.cluster));
    Apart { train, validation, tests }
}

/// The families that measure, and those that choose.
fn held_out(rows: &[Example], rng: &mut ChaCha8Rng) -> [HashSet<Vec<Base>>; 2] {
    let mut sizes: BTreeMap<Vec<Base>, usize> = BTreeMap::new();
    for row in rows {
        *sizes.entry(row.family().to_vec()).or_default() += 1;
    }
    let share = |rows_of: usize| rows_of as f64 / rows.len() as f64;
    let mut families: Vec<(Vec<Base>, usize)> =
        sizes.into_iter().filter(|(_, size)| share(*size) < LARGEST).collect();
    families.shuffle(rng);
    let mut families = families.into_iter();
    [MEASURE, CHOOSE].map(|wanted| {
        let mut held = 0;
        let mut taken = HashSet::new();
        while share(held) < wanted
            && let Some((family, size)) = families.next()
        {
            held += size;
            taken.insert(family);
        }
        taken
    })
}

#[cfg(test)]
mod tests {
    use mirador_models::tasks::target_site::Pair;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::data::target_sites::random::random_letters;

    fn rows(count: usize, source: &str, split: Split, rng: &mut ChaCha8Rng) -> Vec<Example> {
        (0..count)
            .map(|row| {
                // One of 256 families.
                let mut mirna: Vec<Base> = random_letters(5, rng).into_iter().collect();
                mirna.extend("AAAAAAAAAAAAAAAA".parse::<mirna::Rna>().unwrap().iter());
                let site = random_letters(20, rng).into_iter().collect();
                let pair = Pair { mirna: mirna.into_iter().collect(), site };
                let cluster = rng.random_range(0..2000);
                Example { source: source.to_owned(), split, cluster, pair, label: row % 2 == 0 }
            })
            .collect()
    }

    #[test]
    fn no_family_that_chooses_or_is_unseen_is_trained_on() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut own = rows(3000, "set", Split::Train, &mut rng);
        own.extend(rows(1000, "set", Split::Validation, &mut rng));
        let mut published = rows(1000, "set_test", Split::Test, &mut rng);
        published.extend(rows(50, "another", Split::Test, &mut rng));
        let Apart { train, validation, tests } = apart(own, published, &mut rng);
        let names: Vec<&str> = tests.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), 3);
        let test = |end: &str| &tests.iter().find(|(name, _)| name.ends_with(end)).unwrap().1;
        assert_eq!(test("unseen families").len() + test(", seen families").len(), 1000);
        assert_eq!(test("another").len(), 50);
        let families = |rows: &[Example]| -> HashSet<Vec<Base>> {
            rows.iter().map(|row| row.family().to_vec()).collect()
        };
        let trained = families(&train);
        for apart in [&validation, test("unseen families")] {
            assert!(!apart.is_empty() && trained.is_disjoint(&families(apart)));
            let clusters: HashSet<usize> = apart.iter().map(|row| row.cluster).collect();
            assert!(train.iter().all(|row| !clusters.contains(&row.cluster)));
        }
    }
}

//! Parts of equal size and equal share of mirtrons, families whole.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The part, out of `parts`, of each row: rows with the same group stand in the same part. Large groups go first,
/// each into the part that has the fewest rows of its classes.
pub fn deal(groups: &[usize], labels: &[bool], parts: usize, seed: u64) -> Vec<usize> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (row, &group) in groups.iter().enumerate() {
        members.entry(group).or_default().push(row);
    }
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    members.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    members.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
    let mut filled = vec![[0; 2]; parts];
    let mut part_of = vec![0; groups.len()];
    for rows in members {
        let class = |row: &usize| usize::from(labels[*row]);
        let load = |part: &usize| rows.iter().map(|row| filled[*part][class(row)]).sum::<usize>();
        let part = (0..parts).min_by_key(load).unwrap_or(0);
        for row in &rows {
            filled[part][class(row)] += 1;
            part_of[*row] = part;
        }
    }
    part_of
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn families_stay_whole_and_classes_even(
            rows in prop::collection::vec((0usize..150, any::<bool>()), 100..200), seed in 0u64..9,
        ) {
            let groups: Vec<usize> = rows.iter().map(|row| row.0).collect();
            let labels: Vec<bool> = rows.iter().map(|row| row.1).collect();
            let parts = deal(&groups, &labels, 5, seed);
            for (a, b) in (0..rows.len()).flat_map(|a| (0..a).map(move |b| (a, b))) {
                prop_assert!(groups[a] != groups[b] || parts[a] == parts[b]);
            }
            let alone = deal(&(0..rows.len()).collect::<Vec<_>>(), &labels, 5, seed);
            let mirtrons = (0..5).map(|part| (0..rows.len()).filter(|&row| alone[row] == part && labels[row]).count());
            let mirtrons: Vec<usize> = mirtrons.collect();
            prop_assert!(mirtrons.iter().max().unwrap() - mirtrons.iter().min().unwrap() <= 1);
        }
    }
}

//! Which miRNAs must be left out together, and what a series' experiments have in common.

use std::collections::BTreeSet;

use mirna::Rna;

use super::dataset::{Experiment, Kind};

/// A series is centred where so many groups of miRNAs were over-expressed in it: the median of fewer says little.
pub const CENTRED_GROUPS: usize = 5;

/// Whether two miRNAs share six letters of their seeds, positions 2–7 or 3–8 of either.
pub(super) fn share_a_seed(one: &Rna, other: &Rna) -> bool {
    let words = |rna: &Rna| [rna[1..7].to_vec(), rna[2..8].to_vec()];
    words(one).iter().any(|word| words(other).contains(word))
}

/// The over-expression experiments of a series that is centred.
pub fn centred_series(experiments: &[Experiment], series: &str) -> Option<Vec<usize>> {
    let of_series = |experiment: &Experiment| {
        experiment.about.series == series && experiment.about.kind == Kind::OverExpression
    };
    let members: Vec<usize> = (0..experiments.len()).filter(|&at| of_series(&experiments[at])).collect();
    let groups: BTreeSet<&str> = members.iter().map(|&at| experiments[at].about.group.as_str()).collect();
    (groups.len() >= CENTRED_GROUPS).then_some(members)
}

/// The gene's median over some experiments' log2 fold changes; 0 where it was tested in none.
pub fn median_change(experiments: &[&Experiment], gene: usize) -> f64 {
    let tested = experiments.iter().filter_map(|experiment| Some(experiment.changes[gene]?.raw));
    median(&mut tested.collect::<Vec<f64>>()).unwrap_or(0.0)
}

/// The middle of some numbers, which are sorted.
pub fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        even if even % 2 == 0 => Some((values[middle - 1] + values[middle]) / 2.0),
        _ => Some(values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_shared_where_six_letters_are_even_one_further() {
        let rna = |text: &str| -> Rna { text.parse().unwrap() };
        let let7 = rna("UGAGGUAGUAGGUUGU");
        assert!(share_a_seed(&let7, &rna("CGAGGUAACCCCCCCC")), "2-7");
        assert!(share_a_seed(&let7, &rna("CCAGGUAGCCCCCCCC")), "3-8");
        assert!(share_a_seed(&let7, &rna("CAGGUAGCCCCCCCCC")), "3-8 of one, 2-7 of the other");
        assert!(!share_a_seed(&let7, &rna("CCCGAGGUACCCCCCC")));
    }

    #[test]
    fn the_median_lies_between_the_two_in_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&mut []), None);
    }
}

//! How well scores put positives before negatives.

/// Scores in falling order, grouped by equal score: (positives, rows) of each group.
pub fn falling_ties(labels: &[bool], scores: &[f64]) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let mut groups: Vec<(f64, f64)> = Vec::new();
    let mut last = f64::NAN;
    for index in order {
        if scores[index] != last {
            groups.push((0.0, 0.0));
            last = scores[index];
        }
        if let Some((positives, rows)) = groups.last_mut() {
            *positives += f64::from(u8::from(labels[index]));
            *rows += 1.0;
        }
    }
    groups
}

/// Area under the ROC curve by ranks, ties at one half. NaN when a class is missing.
pub fn auroc(labels: &[bool], scores: &[f64]) -> f64 {
    auroc_of(&falling_ties(labels, scores))
}

/// Average precision Σ (R_n − R_{n−1})·P_n, ties as one step. NaN when no row is positive.
pub fn average_precision(labels: &[bool], scores: &[f64]) -> f64 {
    average_precision_of(&falling_ties(labels, scores))
}

/// Rows ranked once, for metrics of many samples of them.
pub struct Ranked<'a> {
    labels: &'a [bool],
    /// Places of each row, by falling score; ties share one.
    ranks: Vec<usize>,
    distinct: usize,
}

impl<'a> Ranked<'a> {
    /// Ranks the rows.
    pub fn new(labels: &'a [bool], scores: &[f64]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
        let (mut ranks, mut distinct, mut last) = (vec![0; scores.len()], 0, f64::NAN);
        for index in order {
            if scores[index] != last {
                distinct += 1;
                last = scores[index];
            }
            ranks[index] = distinct - 1;
        }
        Self { labels, ranks, distinct }
    }

    /// [`auroc`] and [`average_precision`] of some rows, each as often as it is named.
    pub fn auroc_and_average_precision(&self, rows: &[usize]) -> [f64; 2] {
        let mut groups = vec![(0.0, 0.0); self.distinct];
        for &row in rows {
            let group = &mut groups[self.ranks[row]];
            group.0 += f64::from(u8::from(self.labels[row]));
            group.1 += 1.0;
        }
        groups.retain(|group| group.1 > 0.0);
        [auroc_of(&groups), average_precision_of(&groups)]
    }
}

fn auroc_of(groups: &[(f64, f64)]) -> f64 {
    let positives: f64 = groups.iter().map(|group| group.0).sum();
    let negatives = groups.iter().map(|group| group.1).sum::<f64>() - positives;
    let mut above = 0.0;
    let mut area = 0.0;
    for (here, rows) in groups {
        area += (rows - here) * (above + 0.5 * here);
        above += here;
    }
    area / (positives * negatives)
}

fn average_precision_of(groups: &[(f64, f64)]) -> f64 {
    let positives: f64 = groups.iter().map(|group| group.0).sum();
    let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for (here, rows) in groups {
        found += here;
        seen += rows;
        sum += here / positives * (found / seen);
    }
    sum
}

/// The threshold from which on a yes is most often right; above every score where a yes is never better.
pub fn most_accurate_threshold(labels: &[bool], scores: &[f64]) -> f64 {
    let mut distinct = scores.to_vec();
    distinct.sort_by(|a, b| b.total_cmp(a));
    distinct.dedup();
    let mut right = labels.iter().filter(|&&label| !label).count() as f64;
    let mut best = (right, f64::INFINITY);
    for (threshold, (positives, rows)) in distinct.into_iter().zip(falling_ties(labels, scores)) {
        right += 2.0 * positives - rows;
        if right > best.0 {
            best = (right, threshold);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_textbook_values() {
        let labels = [true, true, false, true, false];
        let scores = [0.9, 0.8, 0.7, 0.6, 0.1];
        assert!((auroc(&labels, &scores) - 5.0 / 6.0).abs() < 1e-12);
        assert!((average_precision(&labels, &scores) - (1.0 + 1.0 + 0.75) / 3.0).abs() < 1e-12);
    }

    #[test]
    fn ties_are_one_step() {
        let labels = [true, false, true, false];
        assert_eq!(auroc(&labels, &[1.0; 4]), 0.5);
        assert_eq!(average_precision(&labels, &[1.0; 4]), 0.5);
    }

    #[test]
    fn the_threshold_is_where_most_calls_are_right() {
        let scores = [0.9, 0.8, 0.7, 0.6, 0.1];
        assert_eq!(most_accurate_threshold(&[true, true, false, false, false], &scores), 0.8);
        assert_eq!(most_accurate_threshold(&[false; 5], &scores), f64::INFINITY);
    }

    proptest! {
        #[test]
        fn ranked_rows_give_the_metrics_of_any_sample(
            rows in prop::collection::vec((any::<bool>(), 0u8..9), 2..40), picks in prop::collection::vec(0usize..1000, 2..60),
        ) {
            let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let picks: Vec<usize> = picks.into_iter().map(|pick| pick % rows.len()).collect();
            let sample: (Vec<bool>, Vec<f64>) = picks.iter().map(|&row| (labels[row], scores[row])).unzip();
            let [area, precision] = Ranked::new(&labels, &scores).auroc_and_average_precision(&picks);
            let same = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
            prop_assert!(same(area, auroc(&sample.0, &sample.1)));
            prop_assert!(same(precision, average_precision(&sample.0, &sample.1)));
        }

        #[test]
        fn auroc_turns_around_with_the_score(rows in prop::collection::vec((any::<bool>(), 0u8..20), 2..60)) {
            let labels: Vec<bool> = rows.iter().map(|row| row.0).collect();
            prop_assume!(labels.contains(&true) && labels.contains(&false));
            let scores: Vec<f64> = rows.iter().map(|row| f64::from(row.1)).collect();
            let negated: Vec<f64> = scores.iter().map(|score| -score).collect();
            prop_assert!((auroc(&labels, &scores) + auroc(&labels, &negated) - 1.0).abs() < 1e-12);
        }
    }
}

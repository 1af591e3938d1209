//! Gradient boosting of trees (Friedman 2001) on counts in histograms, for a baseline. No maintained crate does it on stable
//! Rust.

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

const TREES: usize = 400;
const RATE: f64 = 0.03;
/// Questions that are asked one after the other in a tree.
const DEPTH: usize = 3;
/// Share of the features that a tree may ask.
const FEATURES: f64 = 0.2;
/// Least rows in a leaf.
const LEAST_ROWS: f64 = 20.0;
/// Rows of mean 0 that every leaf counts as well.
const PENALTY: f64 = 5.0;
/// Most groups of values of a feature.
const BINS: usize = 16;
const SEED: u64 = 1;

/// Fitted trees.
pub(super) struct Boosting {
    mean: f64,
    trees: Vec<Tree>,
}

/// The node `n` of a level leads to nodes `2n` and `2n + 1` of the next; a row goes to the second where its feature lies above
/// the threshold.
struct Tree {
    questions: Vec<Vec<Question>>,
    leaves: Vec<f64>,
}

#[derive(Clone, Copy)]
struct Question {
    feature: usize,
    bin: u8,
    threshold: f64,
}

/// A feature's values in groups.
struct Column {
    /// Largest value of each group but the last.
    thresholds: Vec<f64>,
    bins: Vec<u8>,
}

/// Sum of residuals and rows by group of values.
type Histogram = [(f64, f64); BINS];

impl Boosting {
    /// Fits trees to rows of equally many features.
    pub(super) fn fit(rows: &[Vec<f64>], targets: &[f64]) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let columns: Vec<Column> = (0..width).map(|feature| Column::of(rows, feature)).collect();
        let mean = targets.iter().sum::<f64>() / targets.len() as f64;
        let mut residuals: Vec<f64> = targets.iter().map(|target| target - mean).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let asked = (width as f64 * FEATURES).ceil() as usize;
        let tree = |_| Tree::fit(&columns, &sample(&mut rng, width, asked).into_vec(), &mut residuals);
        Self { mean, trees: (0..TREES).map(tree).collect() }
    }

    /// What they say of a row.
    pub(super) fn at(&self, row: &[f64]) -> f64 {
        self.mean + self.trees.iter().map(|tree| tree.at(row)).sum::<f64>()
    }
}

impl Tree {
    /// Fits one tree to the residuals and takes it off them.
    fn fit(columns: &[Column], features: &[usize], residuals: &mut [f64]) -> Self {
        let mut nodes = vec![0_usize; residuals.len()];
        let mut questions = Vec::new();
        for level in 0..DEPTH {
            let of_level = ask(columns, features, residuals, &nodes, 1 << level);
            for (row, node) in nodes.iter_mut().enumerate() {
                let Question { feature, bin, .. } = of_level[*node];
                *node = 2 * *node + usize::from(columns[feature].bins[row] > bin);
            }
            questions.push(of_level);
        }
        let mut sums = vec![(0.0, PENALTY); 1 << DEPTH];
        nodes.iter().zip(&*residuals).for_each(|(&node, residual)| add(&mut sums[node], *residual));
        let leaves: Vec<f64> = sums.into_iter().map(|(sum, rows)| RATE * sum / rows).collect();
        nodes.iter().zip(residuals).for_each(|(&node, residual)| *residual -= leaves[node]);
        Self { questions, leaves }
    }

    fn at(&self, row: &[f64]) -> f64 {
        let next = |node: usize, of_level: &Vec<Question>| {
            let Question { feature, threshold, .. } = of_level[node];
            2 * node + usize::from(row[feature] > threshold)
        };
        self.leaves[self.questions.iter().fold(0, next)]
    }
}

/// The best question for each node of a level; one that leaves all rows together where none is worth it.
fn ask(
    columns: &[Column],
    features: &[usize],
    residuals: &[f64],
    nodes: &[usize],
    count: usize,
) -> Vec<Question> {
    let nothing = Question { feature: 0, bin: u8::MAX, threshold: f64::INFINITY };
    let mut best = vec![(0.0, nothing); count];
    let mut histograms: Vec<Histogram> = vec![[(0.0, 0.0); BINS]; count];
    for &feature in features {
        let column = &columns[feature];
        histograms.fill([(0.0, 0.0); BINS]);
        for ((&bin, &node), &residual) in column.bins.iter().zip(nodes).zip(residuals) {
            add(&mut histograms[node][usize::from(bin)], residual);
        }
        for (histogram, best) in histograms.iter().zip(&mut best) {
            let all = histogram.iter().fold((0.0, 0.0), |sums, bin| (sums.0 + bin.0, sums.1 + bin.1));
            let mut below = (0.0, 0.0);
            for (bin, &threshold) in column.thresholds.iter().enumerate() {
                below = (below.0 + histogram[bin].0, below.1 + histogram[bin].1);
                let above = (all.0 - below.0, all.1 - below.1);
                let gain = worth(below) + worth(above) - worth(all);
                if below.1.min(above.1) >= LEAST_ROWS && gain > best.0 {
                    *best = (gain, Question { feature, bin: bin as u8, threshold });
                }
            }
        }
    }
    best.into_iter().map(|(_, question)| question).collect()
}

fn add(sums: &mut (f64, f64), residual: f64) {
    sums.0 += residual;
    sums.1 += 1.0;
}

/// What a leaf of these rows takes off the squares.
fn worth((sum, rows): (f64, f64)) -> f64 {
    sum * sum / (rows + PENALTY)
}

impl Column {
    fn of(rows: &[Vec<f64>], feature: usize) -> Self {
        let mut sorted: Vec<f64> = rows.iter().map(|row| row[feature]).collect();
        sorted.sort_by(f64::total_cmp);
        let mut thresholds: Vec<f64> =
            (1..BINS).filter_map(|bin| sorted.get(bin * sorted.len() / BINS)).copied().collect();
        // A word that few promoters hold would have no threshold.
        thresholds.extend(sorted.first());
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds.truncate(BINS - 1);
        let bin = |row: &Vec<f64>| thresholds.partition_point(|threshold| *threshold < row[feature]) as u8;
        let bins = rows.iter().map(bin).collect();
        Self { thresholds, bins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_steps_and_adds_them() {
        let rows: Vec<Vec<f64>> =
            (0..1_000).map(|n| vec![f64::from(n % 7), f64::from(n / 7 % 5), 1.0]).collect();
        let level = |row: &[f64]| if row[0] > 3.0 { 2.0 + row[1] } else { row[1] - 1.0 };
        let targets: Vec<f64> = rows.iter().map(|row| level(row)).collect();
        let boosting = Boosting::fit(&rows, &targets);
        for row in &rows {
            let found = boosting.at(row);
            assert!((found - level(row)).abs() < 0.35, "{row:?}: {found}, not {}", level(row));
        }
    }
}

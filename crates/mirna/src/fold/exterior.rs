//! What lies outside every pair, in each window of a strand: left and right of each stretch.

use super::inside::{Inside, SMALLEST_PAIR};
use super::score::Score;

/// Sums over the structures of stretches that are not within a pair, up to a window's length.
pub(super) struct Exterior {
    /// Letters of a window.
    pub window: usize,
    length: usize,
    /// Sums over the letters s, …, by s, then by how many they are.
    right: Vec<f64>,
    /// Sums over the letters s, …, k − 1 by k, the longest first; divided by the sum over the window that begins at s.
    left: Vec<f64>,
    /// Sums over each window, by where it begins.
    pub windows: Vec<f64>,
}

impl Exterior {
    pub(super) fn new(inside: &Inside<f64>, window: usize) -> Self {
        let n = inside.strand.len();
        let window = window.min(n).max(1);
        let width = window + 1;
        let mut right = vec![0.0; (n + 1) * width];
        (0..=n).for_each(|s| right[s * width] = 1.0);
        // Pairs that end at j, by their first letter from `first` on.
        let mut pairs = Vec::new();
        for j in 0..n {
            let first = (j + 1).saturating_sub(inside.span);
            pairs.clear();
            pairs.extend((first..(j + 1).saturating_sub(SMALLEST_PAIR)).map(
                |u| match inside.pair.get(u, j) {
                    0.0 => 0.0,
                    pair => pair * inside.model.exterior[inside.strand.exterior(u, j)],
                },
            ));
            for s in ((j + 1).saturating_sub(window)..=j).rev() {
                let mut sum = right[s * width + j - s] * inside.scale[1];
                let from = first.max(s);
                if from < first + pairs.len() {
                    let before = &right[s * width + from - s..];
                    sum += f64::dot(&before[..first + pairs.len() - from], &pairs[from - first..]);
                }
                right[s * width + j + 1 - s] = sum;
            }
        }
        let windows: Vec<f64> = (0..=n - window.min(n)).map(|s| right[s * width + window]).collect();
        let mut left = vec![0.0; (n + 1) * width];
        for (s, sum) in windows.iter().enumerate() {
            for k in s..=s + window {
                left[k * width + window - (k - s)] = right[s * width + k - s] / sum;
            }
        }
        Self { window, length: n, right, left, windows }
    }

    /// Where the windows begin that hold i..=j: the first and the last; none where the stretch is longer.
    pub(super) fn holding(&self, i: usize, j: usize) -> Option<(usize, usize)> {
        let first = (j + 1).saturating_sub(self.window);
        let last = i.min(self.length - self.window);
        (first <= last).then_some((first, last))
    }

    /// Over all windows that hold i..=j: what surrounds it outside every pair, as a part of the window's sum.
    pub(super) fn around(&self, i: usize, j: usize) -> f64 {
        let Some((first, last)) = self.holding(i, j) else { return 0.0 };
        let (width, window) = (self.window + 1, self.window);
        let left = &self.left[i * width + window - (i - first)..=i * width + window - (i - last)];
        let right =
            &self.right[(j + 1) * width + first + window - j - 1..=(j + 1) * width + last + window - j - 1];
        f64::dot(left, right)
    }
}

//! A mean with its standard error, taken row by row.

use serde::{Deserialize, Serialize};

/// Sums of rows seen so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moments {
    rows: usize,
    sum: f64,
    squares: f64,
}

/// A mean over rows at a position of a strand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// From 1.
    pub position: usize,
    /// Rows that have it.
    pub rows: usize,
    /// The mean over them.
    pub mean: f64,
    /// Standard error of the mean.
    pub error: f64,
    /// Variance over the rows.
    pub variance: f64,
}

impl Moments {
    /// Adds a row.
    pub fn push(&mut self, value: f64) {
        self.rows += 1;
        self.sum += value;
        self.squares += value * value;
    }

    /// The mean; 0 of no rows.
    pub fn mean(&self) -> f64 {
        self.sum / self.rows.max(1) as f64
    }

    /// The variance of the sample; 0 below two rows.
    pub fn variance(&self) -> f64 {
        let rows = self.rows as f64;
        if self.rows < 2 {
            return 0.0;
        }
        ((self.squares - self.sum * self.sum / rows) / (rows - 1.0)).max(0.0)
    }

    /// Standard error of the mean.
    pub fn error(&self) -> f64 {
        (self.variance() / self.rows.max(1) as f64).sqrt()
    }

    /// The mean at a position.
    pub fn at(&self, position: usize) -> Point {
        let (rows, mean, error, variance) = (self.rows, self.mean(), self.error(), self.variance());
        Point { position, rows, mean, error, variance }
    }
}

impl Extend<f64> for Moments {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_textbook_values() {
        let mut moments = Moments::default();
        moments.extend([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!(moments.mean(), 5.0);
        assert!((moments.variance() - 32.0 / 7.0).abs() < 1e-12);
        assert!((moments.error() - (4.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(Moments::default().at(3).mean, 0.0);
    }
}

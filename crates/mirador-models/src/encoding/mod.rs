//! A sequence as numbers of fixed shape: what a network sees of the letters.

mod one_hot;
mod pair_tokens;
mod tokens;
mod windows;

pub use one_hot::{crop_middle, one_hot};
pub use pair_tokens::{Reading, pair_tokens};
pub use tokens::tokens;
pub use windows::windows;

use std::ops::Range;

/// What a network reads of one row, and what the caller should know about how it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoded {
    /// One network input after the other, each as many values as the encoder's `width`, row-major.
    pub values: Vec<f32>,
    /// The part of the site that each input shows, where the site had to be cut into windows; else empty, and there
    /// is one input.
    pub windows: Vec<Range<usize>>,
    /// In plain words, e.g. which part of a long site was read.
    pub warnings: Vec<String>,
}

impl Encoded {
    /// A row that fits into one input.
    pub fn whole(values: Vec<f32>, warnings: Vec<String>) -> Self {
        Self { values, windows: Vec::new(), warnings }
    }

    /// How many network inputs it takes.
    pub fn inputs(&self) -> usize {
        self.windows.len().max(1)
    }
}

/// The row's output among those of its inputs: the largest, and the warning that names its window. Inputs are never
/// empty, see [`Encoded::inputs`].
pub fn best_window(windows: &[Range<usize>], outputs: &[f32]) -> (f32, Option<String>) {
    let (best, output) = outputs
        .iter()
        .copied()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("a row has at least one input");
    let warning = windows.get(best).map(|window| {
        format!(
            "site of {} nt: read in {} windows; the score is that of positions {} to {}",
            windows.last().map_or(0, |last| last.end),
            windows.len(),
            window.start + 1,
            window.end
        )
    });
    (output, warning)
}

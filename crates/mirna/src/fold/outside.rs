//! Probabilities of pairs and of loops: the recursion of `inside`, run backwards (McCaskill 1990).
//!
//! With windows (Bernhart et al., Bioinformatics 2006) everything is a sum over the windows that hold it. A pair has the
//! same inside in each, and what it can lie within grows with the window, so that one pass serves them all.

use super::exterior::Exterior;
use super::inside::{ByEnd, ByStart, Inside, SMALLEST_PAIR};
use super::letters::LONGEST_LOOP;

/// Sums over windows, of what the parts of `Inside` are multiplied with.
pub(super) struct Outside {
    /// Probability that i pairs with j.
    pub pair: ByStart<f64>,
    /// What surrounds the inner stems of a multiloop closed by (i, j).
    pub multiloop: ByStart<f64>,
    /// Probability of a hairpin loop closed by (i, j).
    pub hairpin: ByStart<f64>,
    /// Probability that one side of a bulge or interior loop has its first letter at i and its last at j.
    pub side: ByStart<f64>,
}

/// Outsides of the parts of multiloops, and of pairs.
struct Parts {
    pair: ByStart<f64>,
    some: ByStart<f64>,
    several: ByStart<f64>,
    first: ByEnd<f64>,
    /// One stem anywhere within i..=j, by j; of the row at hand and what it adds to the next.
    one: Vec<f64>,
}

impl Outside {
    pub(super) fn new(inside: &Inside<f64>, exterior: &Exterior) -> Self {
        let (n, span) = (inside.strand.len(), inside.span);
        let by_start = || ByStart::new(n, span, 0.0);
        let mut outside = Self {
            pair: by_start(),
            multiloop: by_start(),
            hairpin: by_start(),
            side: ByStart::new(n, span.min(LONGEST_LOOP + 1), 0.0),
        };
        let mut parts = Parts {
            pair: by_start(),
            some: by_start(),
            several: by_start(),
            first: ByEnd::new(n, span, 0.0),
            one: vec![0.0; n],
        };
        // Whatever lies round i..=j begins before i or ends after j.
        for i in 0..n {
            for j in (i + SMALLEST_PAIR..n.min(i + span)).rev() {
                let first = parts.stretch(inside, i, j);
                let view = inside.outward.get(i, j);
                if view > 0 {
                    let alone = inside.model.exterior[inside.strand.exterior(i, j)];
                    let around = parts.pair.get(i, j)
                        + first * inside.model.stem[usize::from(view)]
                        + exterior.around(i, j) * alone;
                    outside.enclose(inside, &mut parts, i, j, around);
                }
            }
        }
        outside
    }

    /// Hands what surrounds a pair on to all that the pair encloses.
    fn enclose(&mut self, inside: &Inside<f64>, parts: &mut Parts, i: usize, j: usize, around: f64) {
        let view = inside.strand.inward(i, j);
        self.pair.set(i, j, around * inside.pair.get(i, j));
        self.hairpin.set(i, j, around * inside.hairpin(i, j, view));
        inside.interiors(i, j, |p, q, outer| {
            let share = around * inside.interior(i, j, p, q, outer, inside.outward.get(p, q));
            parts.pair.set(p, q, parts.pair.get(p, q) + share);
            let probability = share * inside.pair.get(p, q);
            for (first, end) in [(i + 1, p), (q + 1, j)] {
                if first < end {
                    self.side.set(first, end - 1, self.side.get(first, end - 1) + probability);
                }
            }
        });
        let multiloop = around * inside.multiloop(view);
        self.multiloop.set(i, j, multiloop);
        if i + 1 + SMALLEST_PAIR < j {
            parts.several.set(i + 1, j - 1, parts.several.get(i + 1, j - 1) + multiloop);
        }
    }
}

impl Parts {
    /// Hands on what surrounds the stems within i..=j; returns what surrounds one that begins at i.
    fn stretch(&mut self, inside: &Inside<f64>, i: usize, j: usize) -> f64 {
        let some = self.some.get(i, j);
        let one = some + self.one[j];
        let first = self.first.get(i, j) + one;
        // One stem within the rest of the stretch; the row of i + 1 reads it.
        self.one[j] = one * inside.letter;
        if j > i + SMALLEST_PAIR {
            self.first.set(i, j - 1, self.first.get(i, j - 1) + first * inside.letter);
        }
        let several = some + self.several.get(i, j);
        if several > 0.0 && j - i > 2 * SMALLEST_PAIR {
            let (end, begin) = (j - SMALLEST_PAIR - 1, i + SMALLEST_PAIR + 1);
            let lasts = inside.first.column(begin, j - SMALLEST_PAIR, j);
            add(self.some.row_mut(i, i + SMALLEST_PAIR, end), several, lasts);
            let befores = inside.some.row(i, i + SMALLEST_PAIR, end);
            add(self.first.column_mut(begin, j - SMALLEST_PAIR, j), several, befores);
        }
        first
    }
}

/// Adds a multiple of a row.
fn add(sums: &mut [f64], factor: f64, row: &[f64]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += factor * value;
    }
}

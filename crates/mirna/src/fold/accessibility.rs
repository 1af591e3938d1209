//! How probable it is that a stretch of a long strand is unpaired, as RNAplfold has it: Bernhart, Hofacker & Stadler
//! (Bioinformatics 2006), Bernhart et al. (Algorithms Mol Biol 2011).

use super::exterior::Exterior;
use super::inside::{ByStart, Inside};
use super::letters::LONGEST_LOOP;
use super::outside::Outside;
use super::partition::sums;
use super::score::Score;
use crate::Base;

/// A strand folded in each of its windows, every one of the same length.
///
/// A probability is the mean over all windows that hold the stretch; a strand shorter than a window is one window.
/// Letters just outside a window still lie against its helices, as in RNAplfold.
pub struct Accessibility {
    inside: Inside<f64>,
    exterior: Exterior,
    outside: Outside,
    /// Probability that a hairpin loop, or a side of another, begins at i and reaches j or further.
    hairpins: ByStart<f64>,
    sides: ByStart<f64>,
    /// That many letters of a multiloop.
    letters: Vec<f64>,
}

impl Accessibility {
    /// Letters of a window, and most letters from the first of a pair to its second: RNAplfold's `-W` and `-L`, 80 and 40
    /// where sites of miRNAs are looked for. Time and memory grow with the length, not with its square (30,000 nt: seconds,
    /// 150 MB). None for no letters, no window, or where sums leave the range of a double: never up to 500 nt a window.
    ///
    /// ```
    /// use mirna::{Rna, fold::Accessibility};
    /// let rna: Rna = "GGGGGGAAAACCCCCCAAAAAAAAAA".parse()?;
    /// let folded = Accessibility::of(&rna, 80, 40).unwrap();
    /// let unpaired = folded.unpaired(4);
    /// assert_eq!(unpaired.len(), 23);
    /// assert!(unpaired[0] < 0.01 && unpaired[6] > 0.99 && unpaired[20] > 0.99);
    /// # Ok::<(), mirna::ParseError>(())
    /// ```
    pub fn of(bases: &[Base], window: usize, span: usize) -> Option<Self> {
        let window = window.min(bases.len());
        if window == 0 || span == 0 {
            return None;
        }
        let (inside, exterior, outside) = sums(bases, window, span)?;
        let (mut hairpins, mut sides) = (outside.hairpin.clone(), outside.side.clone());
        for table in [&mut hairpins, &mut sides] {
            for i in 0..bases.len() {
                table.sum_from_the_longest(i);
            }
        }
        let powers = std::iter::successors(Some(1.0), |power| Some(power * inside.letter));
        let letters = powers.take(inside.span + 1).collect();
        Some(Self { inside, exterior, outside, hairpins, sides, letters })
    }

    /// By its first letter: the probability that all of so many letters are unpaired. Empty where a window is shorter.
    pub fn unpaired(&self, letters: usize) -> Vec<f64> {
        let n = self.inside.strand.len();
        if letters == 0 || letters > self.exterior.window {
            return Vec::new();
        }
        (0..=n - letters).map(|first| self.stretch(first, first + letters - 1)).collect()
    }

    /// For each letter the probability that it pairs.
    pub fn pairing(&self) -> Vec<f64> {
        self.unpaired(1).into_iter().map(|unpaired| 1.0 - unpaired).collect()
    }

    /// Probability that i pairs with j > i, over the windows that hold both.
    pub fn pair(&self, i: usize, j: usize) -> f64 {
        let known = i < j && j < self.inside.strand.len() && j - i < self.inside.span;
        if known { self.outside.pair.get(i, j) / self.windows(i, j) } else { 0.0 }
    }

    /// How many windows hold a stretch.
    fn windows(&self, i: usize, j: usize) -> f64 {
        self.exterior.holding(i, j).map_or(0.0, |(first, last)| (last - first + 1) as f64)
    }

    /// The letters a to b lie outside every pair, in a hairpin loop, on a side of a loop, or in a multiloop.
    fn stretch(&self, a: usize, b: usize) -> f64 {
        let (n, span) = (self.inside.strand.len(), self.inside.span);
        let mut sum = self.exterior.around(a, b) * self.inside.scale[b - a + 1];
        if b - a < LONGEST_LOOP {
            let first = (b + 1).saturating_sub(span.min(LONGEST_LOOP));
            sum += (first..=a).map(|first| self.sides.get(first, b)).sum::<f64>();
        }
        // The pairs around a loop that holds the stretch.
        for i in (b + 2).saturating_sub(span)..a {
            if b + 1 < n.min(i + span) {
                sum += self.hairpins.get(i, b + 1) + self.multiloops(i, a, b);
            }
        }
        sum / self.windows(a, b)
    }

    /// In the multiloops that a pair closes whose first letter is i.
    fn multiloops(&self, i: usize, a: usize, b: usize) -> f64 {
        let (inside, multiloop) = (&self.inside, &self.outside.multiloop);
        let last = (i + inside.span).min(inside.strand.len()) - 1;
        let before = |table: &ByStart<f64>| if i + 1 < a { table.get(i + 1, a - 1) } else { 0.0 };
        let mut sum = 0.0;
        // All stems before the stretch.
        let several = before(&inside.several);
        if several > 0.0 {
            let after = &self.letters[b + 1 - a..=last - a];
            sum += several * f64::dot(multiloop.row(i, b + 1, last), after);
        }
        // All after it, or some on either side.
        if b + 2 <= last {
            let (closing, some) = (multiloop.row(i, b + 2, last), before(&inside.some));
            let several = inside.several.row(b + 1, b + 1, last - 1);
            sum += self.letters[b - i] * f64::dot(closing, several);
            if some > 0.0 {
                let after = inside.some.row(b + 1, b + 1, last - 1);
                sum += some * self.letters[b - a + 1] * f64::dot(closing, after);
            }
        }
        sum
    }
}

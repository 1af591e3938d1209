//! The recursion over stretches of one strand: least energy (Zuker & Stiegler 1981) or sum of Boltzmann weights (McCaskill
//! 1990), as the scores have it. Every structure is met once, so that the same lines serve both.

use super::letters::{LONGEST_LOOP, SMALLEST_HAIRPIN, Strand, View};
use super::model::Model;
use super::score::Score;

/// Letters of the smallest pair with its hairpin, less one.
pub(super) const SMALLEST_PAIR: usize = SMALLEST_HAIRPIN + 1;

/// None to 31 letters of a loop.
const SIDES: usize = LONGEST_LOOP + 2;

/// Values by the first letter of a stretch: those of one first letter lie side by side.
#[derive(Clone, Debug)]
pub(super) struct ByStart<S> {
    span: usize,
    values: Vec<S>,
}

impl<S: Copy> ByStart<S> {
    pub(super) fn new(length: usize, span: usize, value: S) -> Self {
        Self { span, values: vec![value; length * span] }
    }

    /// Scores of the stretches from i to first, …, last.
    pub(super) fn row(&self, i: usize, first: usize, last: usize) -> &[S] {
        &self.values[i * self.span + first - i..=i * self.span + last - i]
    }

    pub(super) fn row_mut(&mut self, i: usize, first: usize, last: usize) -> &mut [S] {
        &mut self.values[i * self.span + first - i..=i * self.span + last - i]
    }

    pub(super) fn get(&self, i: usize, j: usize) -> S {
        self.values[i * self.span + j - i]
    }

    pub(super) fn set(&mut self, i: usize, j: usize, value: S) {
        self.values[i * self.span + j - i] = value;
    }
}

impl ByStart<f64> {
    pub(super) fn is_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }

    /// Adds to each stretch that begins at i what the longer ones have.
    pub(super) fn sum_from_the_longest(&mut self, i: usize) {
        let row = &mut self.values[i * self.span..(i + 1) * self.span];
        let mut sum = 0.0;
        for value in row.iter_mut().rev() {
            sum += *value;
            *value = sum;
        }
    }
}

/// Values by the last letter of a stretch.
#[derive(Clone, Debug)]
pub(super) struct ByEnd<S> {
    span: usize,
    values: Vec<S>,
}

impl<S: Copy> ByEnd<S> {
    pub(super) fn new(length: usize, span: usize, value: S) -> Self {
        Self { span, values: vec![value; length * span] }
    }

    fn place(&self, i: usize, j: usize) -> usize {
        (j + 1) * self.span - 1 - (j - i)
    }

    /// Scores of the stretches from first, …, last to j.
    pub(super) fn column(&self, first: usize, last: usize, j: usize) -> &[S] {
        &self.values[self.place(first, j)..=self.place(last, j)]
    }

    pub(super) fn column_mut(&mut self, first: usize, last: usize, j: usize) -> &mut [S] {
        let places = self.place(first, j)..=self.place(last, j);
        &mut self.values[places]
    }

    pub(super) fn get(&self, i: usize, j: usize) -> S {
        self.values[self.place(i, j)]
    }

    pub(super) fn set(&mut self, i: usize, j: usize, value: S) {
        let place = self.place(i, j);
        self.values[place] = value;
    }
}

/// Scores of every stretch i..=j of up to `span` letters.
pub(super) struct Inside<S: 'static> {
    pub model: &'static Model<S>,
    pub strand: Strand,
    pub span: usize,
    /// What that many letters are scaled with.
    pub scale: Vec<S>,
    /// A pair of multiloops, scaled; a letter of multiloops, scaled.
    pub closing: S,
    pub letter: S,
    pub hairpins: Vec<S>,
    /// Longer interior loops, by the letters after the first: what belongs to their lengths, scaled, the most letters
    /// before the second first.
    sides: Vec<[S; SIDES]>,
    /// i pairs with j, with its share of a longer interior loop.
    long: ByStart<S>,
    /// i pairs with j, as seen from outside; 0 where it cannot.
    pub outward: ByStart<View>,
    /// i pairs with j.
    pub pair: ByStart<S>,
    /// In a multiloop: one stem or more.
    pub some: ByStart<S>,
    /// In a multiloop: two stems or more.
    pub several: ByStart<S>,
    /// In a multiloop: one stem, which begins at i.
    pub first: ByEnd<S>,
}

impl<S: Score> Inside<S> {
    /// `scale`: what a letter is multiplied with.
    pub(super) fn new(model: &'static Model<S>, strand: Strand, span: usize, scale: S) -> Self {
        let n = strand.len();
        let span = span.min(n).max(1);
        let powers = std::iter::successors(Some(S::ONE), |power| Some(power.then(scale)));
        let scale: Vec<S> = powers.take(n.max(2) + 1).collect();
        let mut inside = Self {
            model,
            span,
            closing: model.closing.then(scale[2]),
            letter: model.letter.then(scale[1]),
            hairpins: model.hairpin_lengths(span),
            sides: (0..=LONGEST_LOOP).map(|after| sides(model, &scale, after)).collect(),
            long: ByStart::new(n, span, S::ZERO),
            outward: ByStart::new(n, span, 0),
            pair: ByStart::new(n, span, S::ZERO),
            some: ByStart::new(n, span, S::ZERO),
            several: ByStart::new(n, span, S::ZERO),
            first: ByEnd::new(n, span, S::ZERO),
            strand,
            scale,
        };
        inside.fill();
        inside
    }

    fn fill(&mut self) {
        let n = self.strand.len();
        // One stem within i..=j, by j.
        let mut one = vec![S::ZERO; n];
        for i in (0..n).rev() {
            let mut first = S::ZERO;
            let last = n.min(i + self.span);
            for (j, one) in one.iter_mut().enumerate().take(last).skip(i + SMALLEST_PAIR) {
                let several = self.stems(i, j);
                self.several.set(i, j, several);
                first = first.then(self.letter).or(S::ZERO);
                if self.strand.kind(i, j) > 0 {
                    let view = self.strand.outward(i, j);
                    let pair = self.closed(i, j);
                    self.outward.set(i, j, view);
                    self.pair.set(i, j, pair);
                    self.long.set(i, j, pair.then(self.model.mismatch_interior[usize::from(view)]));
                    first = first.or(pair.then(self.model.stem[usize::from(view)]));
                }
                self.first.set(i, j, first);
                *one = one.then(self.letter).or(first).or(S::ZERO);
                self.some.set(i, j, several.or(*one));
            }
        }
    }

    /// Two stems or more: the last begins at u.
    fn stems(&self, i: usize, j: usize) -> S {
        if j - i < 2 * SMALLEST_PAIR + 1 {
            return S::ZERO;
        }
        let before = self.some.row(i, i + SMALLEST_PAIR, j - SMALLEST_PAIR - 1);
        S::dot(before, self.first.column(i + SMALLEST_PAIR + 1, j - SMALLEST_PAIR, j))
    }

    fn closed(&self, i: usize, j: usize) -> S {
        let view = self.strand.inward(i, j);
        let mut score = self.hairpin(i, j, view);
        let mut long = S::ZERO;
        for p in self.seconds(i, j) {
            let (after, least) = (p - i - 1, self.least(i, j, p));
            // One by one: all loops with less than two letters on a side, and the small ones.
            let first = match after {
                0 | 1 => least,
                2 | 3 => least.max(j - 4),
                _ => least.max(j - 2),
            };
            let views = self.outward.row(p, first, j - 1);
            for (q, &inner) in (first..j).zip(views) {
                if inner > 0 && (after < 2 || is_special(after, j - q - 1)) {
                    score = score.or(self.interior(i, j, p, q, view, inner).then(self.pair.get(p, q)));
                }
            }
            if after > 1 {
                let sides = &self.sides[after][SIDES + least - j..];
                long = long.or(S::dot(self.long.row(p, least, j - 1), sides));
            }
        }
        let long = long.then(self.model.mismatch_interior[usize::from(view)]);
        score.or(long).or(self.multiloop(view).then(self.several.get(i + 1, j - 1)))
    }

    /// Where the next pair within (i, j) can begin.
    fn seconds(&self, i: usize, j: usize) -> std::ops::RangeInclusive<usize> {
        i + 1..=(i + 1 + LONGEST_LOOP).min(j.saturating_sub(SMALLEST_PAIR + 1))
    }

    /// Where the next pair within (i, j) ends at least, if it begins at p.
    fn least(&self, i: usize, j: usize, p: usize) -> usize {
        (p + SMALLEST_PAIR).max((j + p).saturating_sub(LONGEST_LOOP + i + 2))
    }

    pub(super) fn hairpin(&self, i: usize, j: usize, view: View) -> S {
        self.model.hairpin(&self.strand.letters[i..=j], view, &self.hairpins).then(self.scale[j - i + 1])
    }

    /// A multiloop, apart from its inner stems.
    pub(super) fn multiloop(&self, view: View) -> S {
        self.closing.then(self.model.stem[usize::from(view)])
    }

    /// The loop between two pairs.
    #[inline]
    pub(super) fn interior(&self, i: usize, j: usize, p: usize, q: usize, outer: View, inner: View) -> S {
        let (after, before) = (p - i - 1, j - q - 1);
        self.model.interior(after, before, outer, inner).then(self.scale[after + before + 2])
    }

    /// Visits each pair (p, q) that can be next within (i, j).
    #[inline]
    pub(super) fn interiors(&self, i: usize, j: usize, mut visit: impl FnMut(usize, usize, View)) {
        let outer = self.strand.inward(i, j);
        for p in self.seconds(i, j) {
            let least = self.least(i, j, p);
            let views = self.outward.row(p, least, j - 1);
            for (q, _) in (least..).zip(views).filter(|(_, view)| **view > 0) {
                visit(p, q, outer);
            }
        }
    }
}

/// Whether the energy of an interior loop is more than a sum of its lengths' and its mismatches'.
fn is_special(after: usize, before: usize) -> bool {
    after.min(before) < 2 || after + before < 6
}

fn sides<S: Score>(model: &Model<S>, scale: &[S], after: usize) -> [S; SIDES] {
    std::array::from_fn(|lane| {
        let before = SIDES - 1 - lane;
        let none = is_special(after, before) || after + before > LONGEST_LOOP;
        match scale.get(after + before + 2) {
            Some(letters) if !none => model.sides[after][before].then(*letters),
            _ => S::ZERO,
        }
    })
}

//! The energy of each kind of loop, in tables that need no further decision.

use std::sync::OnceLock;

use super::letters::{
    END, HALVES, KINDS, LETTERS, LONGEST_LOOP, TURNED, VIEWS, View, exterior, half, kind_of, unpack, view,
};
use super::parameters::Parameters;
use super::score::Score;

const LOOPS: usize = LONGEST_LOOP + 1;

/// Loops scored as energies or as weights.
pub(super) struct Model<S> {
    /// By both kinds.
    pub stack: [[S; 8]; 8],
    pub bulge: [S; LOOPS],
    /// Length and asymmetry, by both sides.
    pub sides: Box<[[S; LOOPS]; LOOPS]>,
    /// By a view and the other's kind.
    pub interior_1x1: Box<[[S; 8]; VIEWS]>,
    /// By the view with one letter on each side next to it, and the other's kind and next letter.
    pub interior_2x1: Box<[[S; HALVES]; VIEWS]>,
    /// By both views.
    pub interior_2x2: Box<[[S; VIEWS]; VIEWS]>,
    pub mismatch_interior: [S; VIEWS],
    pub mismatch_1n: [S; VIEWS],
    pub mismatch_23: [S; VIEWS],
    mismatch_hairpin: [S; VIEWS],
    hairpin: [S; LOOPS],
    extension: f64,
    /// Sorted by their letters' numbers.
    special: Vec<(Vec<u8>, S)>,
    /// Penalty of an end in AU or GU, by the kind of pair.
    pub end: [S; 8],
    /// A stem in a multiloop, by its view from there; the closing pair is one of them.
    pub stem: [S; VIEWS],
    /// A stem in no loop, by [`exterior`].
    pub exterior: [S; KINDS * 36],
    /// A multiloop, apart from its stems.
    pub closing: S,
    /// An unpaired letter in a multiloop.
    pub letter: S,
    /// That two strands meet.
    pub start: S,
}

impl Model<i32> {
    /// Turner 2004 in hundredths of kcal/mol.
    pub(super) fn energies() -> &'static Self {
        static MADE: OnceLock<Model<i32>> = OnceLock::new();
        MADE.get_or_init(|| Model::new(Parameters::turner2004()))
    }
}

impl Model<i16> {
    /// Turner 2004 in tenths of kcal/mol.
    pub(super) fn tenths() -> &'static Self {
        static MADE: OnceLock<Model<i16>> = OnceLock::new();
        MADE.get_or_init(|| Model::new(Parameters::turner2004()))
    }
}

impl Model<f64> {
    /// Turner 2004 as Boltzmann weights at 37 °C.
    pub(super) fn weights() -> &'static Self {
        static MADE: OnceLock<Model<f64>> = OnceLock::new();
        MADE.get_or_init(|| Model::new(Parameters::turner2004()))
    }
}

/// A kind in tables that begin with the first pair, not with none.
fn row(kind: u8) -> usize {
    usize::from(kind) - 1
}

impl<S: Score> Model<S> {
    fn new(from: &Parameters) -> Self {
        let of = |energy: i32| S::of(f64::from(energy));
        let lengths = |values: &[i32]| std::array::from_fn(|length| of(values[length]));
        let end = |kind: u8| if kind > 2 { from.misc[1] } else { 0 };
        let mismatch =
            |values: &[i32]| by_view(|kind, next, previous| of(values[place(kind, next, previous)]));
        let mut special: Vec<_> =
            from.special_hairpins.iter().map(|(letters, energy)| (numbers(letters), of(*energy))).collect();
        special.sort_by(|(one, _), (other, _)| one.cmp(other));
        Self {
            stack: std::array::from_fn(|outer| {
                std::array::from_fn(|inner| match (outer, inner) {
                    (1..=6, 1..=6) => of(from.stack[(outer - 1) * 6 + inner - 1]),
                    _ => S::ZERO,
                })
            }),
            bulge: lengths(&from.bulge),
            sides: Box::new(std::array::from_fn(|one| {
                std::array::from_fn(|other| match from.interior.get(one + other) {
                    Some(&length) => {
                        let asymmetry = from.ninio[0] * one.abs_diff(other) as i32;
                        of(length + asymmetry.min(from.ninio[1]))
                    }
                    None => S::ZERO,
                })
            })),
            interior_1x1: one_by_one(from),
            interior_2x1: two_by_one(from),
            interior_2x2: two_by_two(from),
            mismatch_interior: mismatch(&from.mismatch_interior),
            mismatch_1n: mismatch(&from.mismatch_interior_1n),
            mismatch_23: mismatch(&from.mismatch_interior_23),
            mismatch_hairpin: mismatch(&from.mismatch_hairpin),
            hairpin: lengths(&from.hairpin),
            extension: from.extension,
            special,
            end: std::array::from_fn(|kind| of(end(kind as u8))),
            stem: by_view(|kind, next, previous| {
                // Its tables look at the stem from within the helix.
                let energy = from.mismatch_multi[place(TURNED[usize::from(kind)], previous, next)];
                S::of_neighbour(f64::from(energy)).then(of(from.multi[2] + end(kind)))
            }),
            exterior: exterior_pairs(from),
            closing: of(from.multi[0]),
            letter: of(from.multi[1]),
            start: of(from.misc[0]),
        }
    }

    /// A stack, bulge or interior loop, of two views from within; `after` letters follow the first of the outer pair,
    /// `before` lie before its second.
    #[inline]
    pub(super) fn interior(&self, after: usize, before: usize, outer: View, inner: View) -> S {
        let (first, second) = (usize::from(outer), usize::from(inner));
        match (after, before) {
            (0, 0) => self.stacked(outer, inner),
            (1, 0) | (0, 1) => self.bulge[1].then(self.stacked(outer, inner)),
            (0, n) | (n, 0) => self.bulge[n].then(self.end[kind_of(outer)]).then(self.end[kind_of(inner)]),
            (1, 1) => self.interior_1x1[first][kind_of(inner)],
            (1, 2) => self.interior_2x1[first][half(inner)],
            (2, 1) => self.interior_2x1[second][half(outer)],
            (2, 2) => self.interior_2x2[first][second],
            (1, _) | (_, 1) => {
                self.sides[after][before].then(self.mismatch_1n[first]).then(self.mismatch_1n[second])
            }
            (2, 3) | (3, 2) => {
                self.sides[after][before].then(self.mismatch_23[first]).then(self.mismatch_23[second])
            }
            _ => {
                let mismatches = self.mismatch_interior[first].then(self.mismatch_interior[second]);
                self.sides[after][before].then(mismatches)
            }
        }
    }

    fn stacked(&self, outer: View, inner: View) -> S {
        self.stack[kind_of(outer)][kind_of(inner)]
    }

    /// Hairpin loops by the number of their unpaired letters, mismatch apart, for strands of `n` letters.
    pub(super) fn hairpin_lengths(&self, n: usize) -> Vec<S> {
        let longest = self.hairpin[LONGEST_LOOP];
        let longer = |length: usize| {
            let energy = self.extension * (length as f64 / LONGEST_LOOP as f64).ln();
            longest.then(S::of(energy))
        };
        (0..=n).map(|length| self.hairpin.get(length).copied().unwrap_or_else(|| longer(length))).collect()
    }

    /// A hairpin loop of these letters, both of the pair included, with the lengths of [`Self::hairpin_lengths`].
    pub(super) fn hairpin(&self, letters: &[u8], view: View, lengths: &[S]) -> S {
        let length = letters.len() - 2;
        if matches!(length, 3 | 4 | 6)
            && let Ok(found) = self.special.binary_search_by(|(special, _)| special.as_slice().cmp(letters))
        {
            return self.special[found].1;
        }
        let last =
            if length == 3 { self.end[kind_of(view)] } else { self.mismatch_hairpin[usize::from(view)] };
        lengths[length].then(last)
    }
}

/// The place of a mismatch in its section.
fn place(kind: u8, one: u8, other: u8) -> usize {
    row(kind) * LETTERS * LETTERS + usize::from(one) * LETTERS + usize::from(other)
}

fn by_view<S: Score>(of: impl Fn(u8, u8, u8) -> S) -> [S; VIEWS] {
    std::array::from_fn(|view| match unpack(view as View) {
        (0 | 7.., _, _) => S::ZERO,
        (kind, next, previous) => of(kind, next, previous),
    })
}

fn numbers(letters: &str) -> Vec<u8> {
    letters
        .bytes()
        .map(|letter| b"NACGU".iter().position(|&known| known == letter).unwrap_or(0) as u8)
        .collect()
}

/// A table by view, made where it stays: some are larger than a thread's stack should hold.
fn boxed<S: Score, const N: usize>(value: S) -> Box<[[S; N]; VIEWS]> {
    let rows = vec![[value; N]; VIEWS].into_boxed_slice();
    rows.try_into().unwrap_or_else(|_| unreachable!("it has that many rows"))
}

/// All pairs of kinds.
fn both_kinds() -> impl Iterator<Item = (u8, u8)> {
    (1..KINDS as u8).flat_map(|one| (1..KINDS as u8).map(move |other| (one, other)))
}

fn all_letters<const N: usize>() -> impl Iterator<Item = [u8; N]> {
    (0..LETTERS.pow(N as u32))
        .map(|number| std::array::from_fn(|place| (number / LETTERS.pow(place as u32) % LETTERS) as u8))
}

fn one_by_one<S: Score>(from: &Parameters) -> Box<[[S; 8]; VIEWS]> {
    let mut table = boxed::<_, 8>(S::ZERO);
    for ((one, other), [next, previous]) in
        both_kinds().flat_map(|kinds| all_letters().map(move |l| (kinds, l)))
    {
        let value = from.interior_1x1
            [(row(one) * 6 + row(other)) * 25 + usize::from(next) * LETTERS + usize::from(previous)];
        table[usize::from(view(one, next, previous))][usize::from(other)] = S::of(f64::from(value));
    }
    table
}

fn two_by_one<S: Score>(from: &Parameters) -> Box<[[S; HALVES]; VIEWS]> {
    let mut table = boxed::<_, HALVES>(S::ZERO);
    for ((one, other), [next, facing, previous]) in
        both_kinds().flat_map(|kinds| all_letters().map(move |l| (kinds, l)))
    {
        let letters = (usize::from(next) * LETTERS + usize::from(facing)) * LETTERS + usize::from(previous);
        let value = from.interior_2x1[(row(one) * 6 + row(other)) * 125 + letters];
        let of_view = &mut table[usize::from(view(one, next, previous))];
        of_view[half(view(other, facing, 0))] = S::of(f64::from(value));
    }
    table
}

fn two_by_two<S: Score>(from: &Parameters) -> Box<[[S; VIEWS]; VIEWS]> {
    // The table has no N: the worst of the four letters.
    let options = |letter: u8| if letter == 0 { 0..4 } else { usize::from(letter) - 1..usize::from(letter) };
    let mut table = boxed::<_, VIEWS>(S::ZERO);
    for ((one, other), [a, b, c, d]) in both_kinds().flat_map(|kinds| all_letters().map(move |l| (kinds, l)))
    {
        let block = &from.interior_2x2[(row(one) * 6 + row(other)) * 256..][..256];
        let places = options(a).flat_map(|a| {
            options(b).flat_map(move |b| {
                options(c).flat_map(move |c| options(d).map(move |d| ((a * 4 + b) * 4 + c) * 4 + d))
            })
        });
        let worst = places.map(|place| block[place]).max().unwrap_or_default();
        // Letters run round the loop: after the first, before the inner, after the inner, before the second.
        table[usize::from(view(one, a, d))][usize::from(view(other, c, b))] = S::of(f64::from(worst));
    }
    table
}

fn exterior_pairs<S: Score>(from: &Parameters) -> [S; KINDS * 36] {
    let mut table = [S::ZERO; KINDS * 36];
    for kind in 1..KINDS as u8 {
        let end = S::of(f64::from(if kind > 2 { from.misc[1] } else { 0 }));
        for (before, after) in (0..=END).flat_map(|before| (0..=END).map(move |after| (before, after))) {
            let energy = match (before, after) {
                (END, END) => None,
                (END, _) => Some(from.dangle3[row(kind) * LETTERS + usize::from(after)]),
                (_, END) => Some(from.dangle5[row(kind) * LETTERS + usize::from(before)]),
                _ => Some(from.mismatch_exterior[place(kind, before, after)]),
            };
            let neighbours = energy.map_or(S::ONE, |energy| S::of_neighbour(f64::from(energy)));
            table[exterior(kind, before, after)] = neighbours.then(end);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::letters::{KIND, views};
    use super::*;

    #[test]
    fn loops_read_the_same_from_both_sides() {
        let model = Model::energies();
        let views: Vec<View> = views().collect();
        assert_eq!(views.len(), 150);
        for (&one, &other) in views.iter().flat_map(|one| views.iter().map(move |other| (one, other))) {
            for (after, before) in [(0, 0), (0, 1), (4, 0), (2, 1), (2, 2), (1, 5), (3, 2), (4, 7)] {
                let there = model.interior(after, before, one, other);
                assert_eq!(
                    there,
                    model.interior(before, after, other, one),
                    "{one} {other} {after} {before}"
                );
                assert!(there.abs() < 1000);
            }
        }
    }

    #[test]
    fn kinds_are_in_the_order_of_the_file() {
        let pairs = ["CG", "GC", "GU", "UG", "AU", "UA"].map(numbers);
        assert_eq!(pairs.map(|pair| KIND[usize::from(pair[0])][usize::from(pair[1])]), [1, 2, 3, 4, 5, 6]);
    }
}

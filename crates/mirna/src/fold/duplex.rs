//! The hybrid of least free energy of two strands, without pairs within either: as ViennaRNA's `RNA.duplexfold`.
//!
//! A hybrid is a row of pairs (i, j), i rising and j falling, with stacks, bulges and interior loops between them. What
//! makes it fast: pairs are laid out so that a loop's partners lie side by side, and long loops are tried only from pairs
//! whose score is low enough that some pair could gain by them.

use std::ops::Range;
use std::sync::OnceLock;

use super::letters::{
    END, KIND, LETTERS, LONGEST_LOOP, TURNED, View, code, exterior, kind_of, unpack, view, views,
};
use super::model::Model;
use super::parameters::NEVER;
use crate::Base;

/// The hybrid of two strands.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplex {
    /// Free energy, kcal/mol; below 0.
    pub energy: f64,
    /// Letters, from 0, of the first strand and of the second that pair; those of the first rise, of the second fall.
    pub pairs: Vec<(usize, usize)>,
}

impl Duplex {
    /// Letters of the first strand from the first that pairs to the last.
    pub fn first(&self) -> Range<usize> {
        match (self.pairs.first(), self.pairs.last()) {
            (Some(first), Some(last)) => first.0..last.0 + 1,
            _ => 0..0,
        }
    }

    /// Letters of the second strand from the first that pairs to the last.
    pub fn second(&self) -> Range<usize> {
        match (self.pairs.first(), self.pairs.last()) {
            (Some(first), Some(last)) => last.1..first.1 + 1,
            _ => 0..0,
        }
    }

    /// Dots and brackets of [`Self::first`] and of [`Self::second`], with `&` between them.
    pub fn structure(&self) -> String {
        let (first, second) = (self.first(), self.second());
        let mut letters = vec![b'.'; first.len() + 1 + second.len()];
        letters[first.len()] = b'&';
        for (i, j) in &self.pairs {
            letters[i - first.start] = b'(';
            letters[first.len() + 1 + j - second.start] = b')';
        }
        letters.into_iter().map(char::from).collect()
    }
}

/// The hybrid of least free energy of two strands, both 5'→3'; none where no hybrid has less energy than none.
///
/// ```
/// use mirna::{Rna, fold::duplex};
/// let (mirna, site): (Rna, Rna) = ("UGAGGUAGUAGGUUGUAUAGUU".parse()?, "GCACAGCCUAUUGAACUACCUCA".parse()?);
/// let found = duplex(&mirna, &site).unwrap();
/// assert_eq!(found.energy, -20.6);
/// assert_eq!((found.first(), found.second()), (0..17, 2..23));
/// # Ok::<(), mirna::ParseError>(())
/// ```
pub fn duplex(first: &[Base], second: &[Base]) -> Option<Duplex> {
    Duplexes::new().fold(first, second)
}

/// Room for hybrids, to fold many of them without asking for memory each time.
#[derive(Clone, Debug, Default)]
pub struct Duplexes {
    one: Vec<u8>,
    /// The second strand, 3'→5', and its letters that pair with each letter.
    other: Vec<u8>,
    partners: [Vec<usize>; LETTERS],
    /// By letter of the first strand and of the second, 3'→5': energy of the best hybrid that ends here; the pair as seen
    /// from before and from behind; its mismatch in longer loops.
    cells: Vec<i32>,
    inward: Vec<View>,
    outward: Vec<View>,
    mismatch: Vec<i32>,
}

impl Duplexes {
    /// Takes no memory yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// As [`duplex`].
    pub fn fold(&mut self, first: &[Base], second: &[Base]) -> Option<Duplex> {
        let (energy, i, x) = self.best(first, second)?;
        let last = self.other.len() - 1;
        let mut pairs: Vec<_> = self.trace(i, x).into_iter().map(|(i, x)| (i, last - x)).collect();
        pairs.reverse();
        Some(Duplex { energy: f64::from(energy) / 100.0, pairs })
    }

    /// Only the energy, kcal/mol.
    pub fn energy(&mut self, first: &[Base], second: &[Base]) -> Option<f64> {
        self.best(first, second).map(|(energy, _, _)| f64::from(energy) / 100.0)
    }

    /// Energy (hundredths of kcal/mol) and last pair of the best hybrid.
    fn best(&mut self, first: &[Base], second: &[Base]) -> Option<(i32, usize, usize)> {
        self.read(first, second);
        let (model, width) = (Model::energies(), self.other.len());
        let mut best = (0, 0, 0);
        for i in 0..self.one.len() {
            self.start(model, i);
        }
        for i in 0..self.one.len() {
            let letter = usize::from(self.one[i]);
            let after = self.one.get(i + 1).copied().unwrap_or(END);
            let (done, below) = self.cells.split_at_mut((i + 1) * width);
            let mut below = Below {
                model,
                width,
                cells: below,
                outward: &self.outward[(i + 1) * width..],
                mismatch: &self.mismatch[(i + 1) * width..],
            };
            for &x in &self.partners[letter] {
                let energy = done[i * width + x];
                let before = self.other.get(x + 1).copied().unwrap_or(END);
                let kind = KIND[usize::from(self.other[x])][letter];
                let whole = energy + model.exterior[exterior(kind, before, after)];
                if whole < best.0 {
                    best = (whole, i, x);
                }
                below.reach(x, energy, self.inward[i * width + x]);
            }
        }
        (best.0 < 0).then_some(best)
    }

    fn read(&mut self, first: &[Base], second: &[Base]) {
        self.one.clear();
        self.one.extend(first.iter().map(|&base| code(base)));
        self.other.clear();
        self.other.extend(second.iter().rev().map(|&base| code(base)));
        for (partners, kinds) in self.partners.iter_mut().zip(KIND) {
            partners.clear();
            let pairing = self.other.iter().enumerate().filter(|(_, other)| kinds[usize::from(**other)] > 0);
            partners.extend(pairing.map(|(x, _)| x));
        }
        // What stands in cells of letters that do not pair is never read.
        let cells = self.one.len() * self.other.len();
        self.cells.resize(cells, 0);
        self.inward.resize(cells, 0);
        self.outward.resize(cells, 0);
        self.mismatch.resize(cells, 0);
    }

    /// Every hybrid that begins at letter i of the first strand.
    fn start(&mut self, model: &Model<i32>, i: usize) {
        let width = self.other.len();
        let letter = self.one[i];
        let before = i.checked_sub(1).map(|before| self.one[before]);
        let after = self.one.get(i + 1).copied();
        for &x in &self.partners[usize::from(letter)] {
            let place = i * width + x;
            let kind = KIND[usize::from(letter)][usize::from(self.other[x])];
            let (behind, ahead) = (x.checked_sub(1).map(|x| self.other[x]), self.other.get(x + 1).copied());
            let outward = view(TURNED[usize::from(kind)], behind.unwrap_or(0), before.unwrap_or(0));
            let end = model.exterior[exterior(kind, before.unwrap_or(END), behind.unwrap_or(END))];
            self.cells[place] = model.start + end;
            self.outward[place] = outward;
            self.inward[place] = view(kind, after.unwrap_or(0), ahead.unwrap_or(0));
            self.mismatch[place] = model.mismatch_interior[usize::from(outward)];
        }
    }

    /// The pairs of the best hybrid that ends with a pair, the last first.
    fn trace(&self, mut i: usize, mut x: usize) -> Vec<(usize, usize)> {
        let mut pairs = vec![(i, x)];
        while let Some(before) = self.before(i, x) {
            (i, x) = before;
            pairs.push(before);
        }
        pairs
    }

    fn before(&self, i: usize, x: usize) -> Option<(usize, usize)> {
        let (model, width) = (Model::energies(), self.other.len());
        let (energy, outward) = (self.cells[i * width + x], self.outward[i * width + x]);
        // The nearest in the first strand, then in the second: of several the one that ViennaRNA names.
        for (after, k) in (0..=LONGEST_LOOP).zip((0..i).rev()) {
            let kinds = KIND[usize::from(self.one[k])];
            for (before, y) in (0..=LONGEST_LOOP - after).zip((0..x).rev()) {
                let place = k * width + y;
                if kinds[usize::from(self.other[y])] > 0
                    && energy == self.cells[place] + model.interior(after, before, self.inward[place], outward)
                {
                    return Some((k, y));
                }
            }
        }
        None
    }
}

/// The rows of cells behind a pair's own.
struct Below<'a> {
    model: &'a Model<i32>,
    width: usize,
    cells: &'a mut [i32],
    outward: &'a [View],
    mismatch: &'a [i32],
}

impl Below<'_> {
    /// Offers a pair, in column x, to each that can be next.
    fn reach(&mut self, x: usize, energy: i32, view: View) {
        let (model, limits) = (self.model, Limits::get());
        // Without a decision: these loops can cost less than nothing.
        for (after, before) in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)] {
            self.offer(x, after, before, |inner| energy + model.interior(after, before, view, inner));
        }
        let bulge = energy + model.end[kind_of(view)];
        for n in (2..=LONGEST_LOOP).take_while(|&n| bulge + model.bulge[n] < limits.bulge) {
            self.offer(x, 0, n, |inner| bulge + model.bulge[n] + model.end[kind_of(inner)]);
            self.offer(x, n, 0, |inner| bulge + model.bulge[n] + model.end[kind_of(inner)]);
        }
        let one = energy + model.mismatch_1n[usize::from(view)];
        for n in (3..LONGEST_LOOP).take_while(|&n| one + model.sides[1][n] < limits.one) {
            self.offer(x, 1, n, |inner| one + model.sides[1][n] + model.mismatch_1n[usize::from(inner)]);
            self.offer(x, n, 1, |inner| one + model.sides[1][n] + model.mismatch_1n[usize::from(inner)]);
        }
        let of_2x3 = energy + model.mismatch_23[usize::from(view)] + model.sides[2][3];
        if of_2x3 < limits.of_2x3 {
            self.offer(x, 2, 3, |inner| of_2x3 + model.mismatch_23[usize::from(inner)]);
            self.offer(x, 3, 2, |inner| of_2x3 + model.mismatch_23[usize::from(inner)]);
        }
        self.long(x, energy + model.mismatch_interior[usize::from(view)], limits.long);
    }

    #[inline(always)]
    fn offer(&mut self, x: usize, after: usize, before: usize, energy: impl Fn(View) -> i32) {
        let (column, place) = (x + 1 + before, after * self.width + x + 1 + before);
        if column < self.width && place < self.cells.len() {
            self.cells[place] = self.cells[place].min(energy(self.outward[place]));
        }
    }

    /// Loops with two letters or more on each side, and six or more in all.
    fn long(&mut self, x: usize, energy: i32, limit: i32) {
        let model = self.model;
        let fits = |&letters: &usize| energy + model.sides[letters / 2][letters - letters / 2] < limit;
        let most = (6..=LONGEST_LOOP).take_while(fits).last().unwrap_or(0);
        let rows = self.cells.len() / self.width;
        for after in 2..rows.min(most.saturating_sub(1)) {
            let least = if after == 2 { 4 } else if after == 3 { 3 } else { 2 };
            let last = (most - after).min((self.width - x).saturating_sub(2));
            if last < least {
                continue;
            }
            let places = after * self.width + x + 1 + least..=after * self.width + x + 1 + last;
            let loops = &model.sides[after][least..=last];
            let cells = self.cells[places.clone()].iter_mut().zip(&self.mismatch[places]);
            for ((cell, mismatch), sides) in cells.zip(loops) {
                *cell = (*cell).min(energy.wrapping_add(*mismatch).wrapping_add(*sides));
            }
        }
    }
}

/// From which energies on, the pair ahead apart, a loop gains nothing for any pair over a hybrid that begins there.
struct Limits {
    bulge: i32,
    one: i32,
    of_2x3: i32,
    long: i32,
}

impl Limits {
    fn get() -> &'static Self {
        static FOUND: OnceLock<Limits> = OnceLock::new();
        FOUND.get_or_init(|| {
            let model = Model::energies();
            let most = |of_pair: &dyn Fn(View) -> i32| {
                let begun = views().map(|outward| {
                    let (kind, behind, before) = unpack(outward);
                    let end = model.exterior[exterior(TURNED[usize::from(kind)], before, behind)];
                    model.start + end - of_pair(outward)
                });
                begun.max().unwrap_or(NEVER)
            };
            Self {
                bulge: most(&|view| model.end[kind_of(view)]),
                one: most(&|view| model.mismatch_1n[usize::from(view)]),
                of_2x3: most(&|view| model.mismatch_23[usize::from(view)]),
                long: most(&|view| model.mismatch_interior[usize::from(view)]),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rna;
    use proptest::prelude::*;

    /// Energy of a hybrid, loop by loop.
    fn energy(one: &Rna, other: &Rna, pairs: &[(usize, usize)]) -> i32 {
        let model = Model::energies();
        let letter = |rna: &Rna, i: usize| rna.get(i).map(|&base| code(base));
        let kind = |(i, j): (usize, usize)| KIND[usize::from(code(one[i]))][usize::from(code(other[j]))];
        let near = |rna: &Rna, i: Option<usize>| i.and_then(|i| letter(rna, i)).unwrap_or(END);
        let (first, last) = (pairs[0], pairs[pairs.len() - 1]);
        let begin = exterior(kind(first), near(one, first.0.checked_sub(1)), near(other, Some(first.1 + 1)));
        let turned = TURNED[usize::from(kind(last))];
        let end = exterior(turned, near(other, last.1.checked_sub(1)), near(one, Some(last.0 + 1)));
        let loops = pairs.windows(2).map(|two| {
            let ((k, l), (i, j)) = (two[0], two[1]);
            let outer = view(kind((k, l)), code(one[k + 1]), code(other[l - 1]));
            let inner = view(TURNED[usize::from(kind((i, j)))], code(other[j + 1]), code(one[i - 1]));
            model.interior(i - k - 1, l - j - 1, outer, inner)
        });
        model.start + model.exterior[begin] + model.exterior[end] + loops.sum::<i32>()
    }

    /// Least energy without any shortcut.
    fn plain(one: &Rna, other: &Rna) -> Option<i32> {
        let pairing = |i: usize, j: usize| KIND[usize::from(code(one[i]))][usize::from(code(other[j]))] > 0;
        let all = (0..one.len()).flat_map(|i| (0..other.len()).rev().map(move |j| (i, j)));
        let mut found: Vec<(Vec<(usize, usize)>, i32)> = Vec::new();
        for (i, j) in all.filter(|&(i, j)| pairing(i, j)) {
            let mut best = (vec![(i, j)], energy(one, other, &[(i, j)]));
            for (pairs, _) in &found {
                let (k, l) = pairs[pairs.len() - 1];
                if k < i && l > j && i - k + l - j - 2 <= LONGEST_LOOP {
                    let longer = [pairs.as_slice(), &[(i, j)]].concat();
                    let energy = energy(one, other, &longer);
                    if energy < best.1 {
                        best = (longer, energy);
                    }
                }
            }
            found.push(best);
        }
        found.into_iter().map(|(_, energy)| energy).min().filter(|&energy| energy < 0)
    }

    #[test]
    fn where_nothing_pairs_there_is_none() {
        let none = |one: &str, other: &str| duplex(&one.parse::<Rna>().unwrap(), &other.parse::<Rna>().unwrap());
        assert_eq!((none("AAAAA", "AAAAA"), none("GGGG", "NNNN"), none("G", "C")), (None, None, None));
        assert_eq!((duplex(&[], &[Base::A]), duplex(&[Base::A], &[])), (None, None));
    }

    proptest! {
        #[test]
        fn no_shortcut_misses_the_best(one in "[ACGUN]{1,26}", other in "[ACGUN]{1,40}", arms in "[GC]{4}[ACGU]{0,2}[GC]{4}") {
            // Two strong helices, so that long loops pay.
            let site: Rna = format!("{other}{}", arms.parse::<Rna>().unwrap().reverse_complement()).parse().unwrap();
            let one: Rna = format!("{}{one}{}", &arms[..4], &arms[arms.len() - 4..]).parse().unwrap();
            let found = duplex(&one, &site);
            prop_assert_eq!(found.as_ref().map(|found| (found.energy * 100.0).round() as i32), plain(&one, &site));
            if let Some(found) = found {
                prop_assert_eq!(energy(&one, &site, &found.pairs), (found.energy * 100.0).round() as i32);
                prop_assert_eq!(Duplexes::new().energy(&one, &site), Some(found.energy));
            }
        }
    }
}

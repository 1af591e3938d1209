//! The table of the best hybrids that end with each pair, filled a letter of the first strand at a time.
//!
//! What makes it fast: the energy of a longer loop is a sum of what belongs to its length, to one pair and to the other, so
//! that all pairs of a row that could lie before a pair are compared at once, 32 of them in four vectors.

use std::sync::OnceLock;

use crate::Base;
use crate::fold::letters::{
    END, KIND, LETTERS, LONGEST_LOOP, TURNED, View, code, exterior, half, kind_of, view,
};
use crate::fold::model::Model;
use crate::fold::score::Score;

/// What a loop can reach in a row: 0 to 30 unpaired letters, the most first, and one place to spare.
const WINDOW: usize = 32;
type Window = [i16; WINDOW];
/// Rows above the first, for the loops that are looked up one by one.
const ABOVE: usize = 4;
/// No hybrid counts as better (-3,000 kcal/mol, a thousand pairs): sums cannot overflow.
const FLOOR: i16 = -30_000;
const NONE: i16 = <i16 as Score>::ZERO;

/// Room for two strands.
#[derive(Clone, Debug, Default)]
pub(super) struct Grid {
    /// Letters, between two that say that the strand ends there.
    one: Vec<u8>,
    /// The second strand, 3'→5': a pair's successor is below it and to its right.
    other: Vec<u8>,
    /// For each letter, where the second strand has one that it pairs with.
    partners: [Vec<usize>; LETTERS],
    /// Cells of a row, and of a column with what lies above it.
    width: usize,
    height: usize,
    /// By row: energy of the best hybrid that ends here, and the pair as seen by what follows.
    energy: Vec<i16>,
    inward: Vec<View>,
    /// The energy with this pair's share of a longer interior loop, of one with a single letter on a side, of a bulge.
    long: Vec<i16>,
    lone: Vec<i16>,
    bulge: Vec<i16>,
    /// Those two by column.
    lone_down: Vec<i16>,
    bulge_down: Vec<i16>,
    /// The lowest energy of each row, and of each column with the two before the first.
    lowest: Vec<i16>,
    lowest_down: Vec<i16>,
    /// For the row at hand: what a loop with so many letters on the first strand could have at best, the lowest first.
    promising: Vec<(i16, usize)>,
}

impl Grid {
    /// Energy (tenths of kcal/mol) and last pair, in places of this table, of the best hybrid of two strands.
    pub(super) fn fill(&mut self, first: &[Base], second: &[Base]) -> Option<(i16, (usize, usize))> {
        self.read(first, second);
        let (model, loops) = (Model::tenths(), Loops::get());
        let mut best = (0, (0, 0));
        for i in 0..first.len() {
            let letter = usize::from(self.one[i + 1]);
            let (before, after) = (self.one[i], self.one[i + 2]);
            self.promise(loops, i);
            let partners = std::mem::take(&mut self.partners[letter]);
            for &x in &partners {
                let [behind, other, ahead] = [x, x + 1, x + 2].map(|x| self.other[x]);
                let kind = KIND[letter][usize::from(other)];
                let turned = TURNED[usize::from(kind)];
                let begun = model.start.then(model.exterior[exterior(kind, before, behind)]);
                let outward = view(turned, inner(behind), inner(before));
                let energy = self.ending(model, loops, (i, x), outward, begun);
                self.keep(model, (i, x), energy, view(kind, inner(after), inner(ahead)));
                let whole = energy.then(model.exterior[exterior(turned, ahead, after)]);
                if whole < best.0 {
                    best = (whole, (i, x));
                }
            }
            self.partners[letter] = partners;
        }
        (best.0 < 0).then_some(best)
    }

    fn read(&mut self, first: &[Base], second: &[Base]) {
        self.one.clear();
        self.one.push(END);
        self.one.extend(first.iter().map(|&base| code(base)));
        self.one.push(END);
        self.other.clear();
        self.other.push(END);
        self.other.extend(second.iter().rev().map(|&base| code(base)));
        for (partners, kinds) in self.partners.iter_mut().zip(KIND) {
            partners.clear();
            let pairing =
                self.other[1..].iter().enumerate().filter(|(_, other)| kinds[usize::from(**other)] > 0);
            partners.extend(pairing.map(|(x, _)| x));
        }
        self.other.push(END);
        (self.width, self.height) = (WINDOW + second.len(), WINDOW + first.len());
        let rows = (ABOVE + first.len()) * self.width;
        let columns = (2 + second.len()) * self.height;
        self.inward.clear();
        self.inward.resize(rows, 0);
        for (table, size) in [
            (&mut self.energy, rows),
            (&mut self.long, rows),
            (&mut self.lone, rows),
            (&mut self.bulge, rows),
            (&mut self.lone_down, columns),
            (&mut self.bulge_down, columns),
            (&mut self.lowest, ABOVE + first.len()),
            (&mut self.lowest_down, 2 + second.len()),
        ] {
            table.clear();
            table.resize(size, NONE);
        }
    }

    fn place(&self, i: usize, x: usize) -> usize {
        (ABOVE + i) * self.width + WINDOW + x
    }

    #[inline]
    fn keep(&mut self, model: &Model<i16>, (i, x): (usize, usize), energy: i16, inward: View) {
        let place = self.place(i, x);
        let mismatch = usize::from(inward);
        let (lone, bulge) =
            (energy.then(model.mismatch_1n[mismatch]), energy.then(model.end[kind_of(inward)]));
        self.energy[place] = energy;
        self.inward[place] = inward;
        self.long[place] = energy.then(model.mismatch_interior[mismatch]);
        self.lone[place] = lone;
        self.bulge[place] = bulge;
        let down = (2 + x) * self.height + WINDOW + i;
        self.lone_down[down] = lone;
        self.bulge_down[down] = bulge;
        self.lowest[ABOVE + i] = self.lowest[ABOVE + i].min(energy);
        self.lowest_down[2 + x] = self.lowest_down[2 + x].min(energy);
    }

    fn promise(&mut self, loops: &Loops, i: usize) {
        let rows = self.lowest[ABOVE..ABOVE + i].iter().rev().zip(&loops.lowest_long).enumerate().skip(2);
        self.promising.clear();
        self.promising.extend(rows.map(|(after, (lowest, least))| (lowest.then(*least), after)));
        self.promising.sort_unstable();
    }

    /// Energy of the best hybrid that ends with a pair; `begun`: of the one that begins with it.
    #[inline]
    fn ending(
        &self,
        model: &Model<i16>,
        loops: &Loops,
        (i, x): (usize, usize),
        outward: View,
        begun: i16,
    ) -> i16 {
        let known = self.short(model, self.place(i, x), outward).min(begun);
        let known = self.one_sided(model, loops, (i, x), outward, known);
        self.longer(model, loops, (i, x), outward, known).max(FLOOR)
    }

    /// Loops with an energy of their own.
    #[inline]
    fn short(&self, model: &Model<i16>, place: usize, outward: View) -> i16 {
        // Of the four rows above, the four cells before the pair's column; the last is the nearest.
        let energies = |above: usize| self.energy[place - above * self.width - 4..].first_chunk::<4>();
        let views = |above: usize| self.inward[place - above * self.width - 4..].first_chunk::<4>();
        let (Some(e0), Some(e1), Some(e2), Some(e3)) = (energies(1), energies(2), energies(3), energies(4))
        else {
            return NONE;
        };
        let (Some(v0), Some(v1), Some(v2), Some(v3)) = (views(1), views(2), views(3), views(4)) else {
            return NONE;
        };
        let (inner, kind) = (usize::from(outward), kind_of(outward));
        let stack = |energy: i16, outer: View| energy.then(model.stack[kind][kind_of(outer)]);
        let of_2x3 = |energy: i16, outer: View| energy.then(model.mismatch_23[usize::from(outer)]);
        let bulge = stack(e0[2], v0[2]).min(stack(e1[3], v1[3])).then(model.bulge[1]);
        let of_1x1 = e1[2].then(model.interior_1x1[inner][kind_of(v1[2])]);
        let of_1x2 = e1[1].then(model.interior_2x1[usize::from(v1[1])][half(outward)]);
        let of_2x1 = e2[2].then(model.interior_2x1[inner][half(v2[2])]);
        let of_2x2 = e2[1].then(model.interior_2x2[inner][usize::from(v2[1])]);
        let of_2x3 = of_2x3(e2[0], v2[0]).min(of_2x3(e3[1], v3[1])).then(model.sides[2][3]);
        let least = stack(e0[3], v0[3]).min(bulge).min(of_1x1).min(of_1x2).min(of_2x1).min(of_2x2);
        least.min(of_2x3.then(model.mismatch_23[inner]))
    }

    /// Bulges, and loops with a single letter on one side, or what is known to be lower.
    #[inline]
    fn one_sided(
        &self,
        model: &Model<i16>,
        loops: &Loops,
        (i, x): (usize, usize),
        outward: View,
        mut known: i16,
    ) -> i16 {
        // Windows end with the column, or the row, before that of the pair; there are that many places to spare.
        let end = model.end[kind_of(outward)];
        let bound = known.wrapping_sub(end).wrapping_sub(loops.lowest_bulge);
        if self.lowest[ABOVE + i - 1].min(self.lowest_down[x + 1]) < bound {
            let mut bulge = [NONE; WINDOW];
            lower(&mut bulge, &self.bulge[(ABOVE + i - 1) * self.width + x..], &loops.bulge);
            lower(&mut bulge, &self.bulge_down[(1 + x) * self.height + i..], &loops.bulge);
            known = known.min(least(&bulge).then(end));
        }
        let mismatch = model.mismatch_1n[usize::from(outward)];
        let bound = known.wrapping_sub(mismatch).wrapping_sub(loops.lowest_lone);
        if self.lowest[ABOVE + i - 2].min(self.lowest_down[x]) < bound {
            let mut lone = [NONE; WINDOW];
            lower(&mut lone, &self.lone[(ABOVE + i - 2) * self.width + x..], &loops.lone);
            lower(&mut lone, &self.lone_down[x * self.height + i..], &loops.lone);
            known = known.min(least(&lone).then(mismatch));
        }
        known
    }

    /// All other loops, or what is known to be lower.
    #[inline]
    fn longer(
        &self,
        model: &Model<i16>,
        loops: &Loops,
        (i, x): (usize, usize),
        outward: View,
        known: i16,
    ) -> i16 {
        let mismatch = model.mismatch_interior[usize::from(outward)];
        let bound = known.wrapping_sub(mismatch);
        let mut long = None;
        // Few rows hold a pair that could gain by so long a loop.
        for &(_, after) in self.promising.iter().take_while(|(lowest, _)| *lowest < bound) {
            let row = &self.long[(ABOVE + i - 1 - after) * self.width + x..];
            lower(long.get_or_insert([NONE; WINDOW]), row, &loops.long[after]);
        }
        long.map_or(known, |long| known.min(least(&long).then(mismatch)))
    }

    /// The pairs of the best hybrid that ends with this one, the first first, j in the second strand's own direction.
    pub(super) fn trace(&self, mut last: (usize, usize)) -> Vec<(usize, usize)> {
        let own = |(i, x): (usize, usize)| (i, self.other.len() - 3 - x);
        let mut pairs = vec![own(last)];
        while let Some(before) = self.before(last) {
            last = before;
            pairs.push(own(last));
        }
        pairs.reverse();
        pairs
    }

    fn before(&self, (i, x): (usize, usize)) -> Option<(usize, usize)> {
        let model = Model::tenths();
        let energy = self.energy[self.place(i, x)];
        let kind = KIND[usize::from(self.other[x + 1])][usize::from(self.one[i + 1])];
        let outward = view(kind, inner(self.other[x]), inner(self.one[i]));
        // The nearest in the first strand, then in the second: of several the one that ViennaRNA names.
        for (after, k) in (0..=LONGEST_LOOP).zip((0..i).rev()) {
            for (before, y) in (0..=LONGEST_LOOP - after).zip((0..x).rev()) {
                let place = self.place(k, y);
                let inward = self.inward[place];
                if inward > 0
                    && energy == self.energy[place].then(model.interior(after, before, inward, outward))
                {
                    return Some((k, y));
                }
            }
        }
        None
    }
}

/// A neighbour within a loop. Loops do not reach over an end: which letter stands for it does not matter.
#[inline]
fn inner(neighbour: u8) -> u8 {
    if neighbour == END { 0 } else { neighbour }
}

/// Keeps the lower of what is there and of each loop behind its pair.
#[inline]
fn lower(kept: &mut Window, cells: &[i16], loops: &Window) {
    let Some(cells) = cells.first_chunk::<WINDOW>() else { return };
    for ((kept, cell), this) in kept.iter_mut().zip(cells).zip(loops) {
        *kept = (*kept).min(cell.then(*this));
    }
}

#[inline]
fn least(window: &Window) -> i16 {
    // Halves, so that vectors are compared with vectors as long as that goes.
    let mut lanes: [i16; 8] = std::array::from_fn(|lane| {
        window[lane].min(window[lane + 8]).min(window[lane + 16].min(window[lane + 24]))
    });
    for step in [4, 2, 1] {
        for lane in 0..step {
            lanes[lane] = lanes[lane].min(lanes[lane + step]);
        }
    }
    lanes[0]
}

/// What belongs to the lengths of loops, in the order of a window: 31 letters to none.
struct Loops {
    bulge: Window,
    lone: Window,
    /// By the letters on the first strand.
    long: [Window; LONGEST_LOOP + 1],
    /// The least of each, with the least that the pair before can add.
    lowest_bulge: i16,
    lowest_lone: i16,
    lowest_long: [i16; LONGEST_LOOP - 1],
}

impl Loops {
    fn get() -> &'static Self {
        static MADE: OnceLock<Loops> = OnceLock::new();
        MADE.get_or_init(|| {
            let model = Model::tenths();
            let window = |first: usize, last: usize, of: &dyn Fn(usize) -> i16| -> Window {
                std::array::from_fn(|lane| WINDOW - 1 - lane)
                    .map(|letters| if (first..=last).contains(&letters) { of(letters) } else { NONE })
            };
            let long: [Window; LONGEST_LOOP + 1] = std::array::from_fn(|after| {
                // Smaller ones have an energy of their own.
                let first = [usize::MAX, usize::MAX, 4, 3].get(after).copied().unwrap_or(2);
                window(first, LONGEST_LOOP - after, &|before| model.sides[after][before])
            });
            let (bulge, lone) = (
                window(2, LONGEST_LOOP, &|letters| model.bulge[letters]),
                window(3, LONGEST_LOOP - 1, &|letters| model.sides[1][letters]),
            );
            let with = |window: &Window, shares: &[i16]| {
                least(window) + shares.iter().copied().min().unwrap_or_default()
            };
            Self {
                lowest_bulge: with(&bulge, &model.end),
                lowest_lone: with(&lone, &model.mismatch_1n),
                lowest_long: std::array::from_fn(|after| with(&long[after], &model.mismatch_interior)),
                bulge,
                lone,
                long,
            }
        })
    }
}

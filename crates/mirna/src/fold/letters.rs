//! Letters, pairs and loops' mismatches as small numbers, in the order of the parameter file.

use crate::Base;

/// Letters: N A C G U.
pub(super) const LETTERS: usize = 5;
/// Kinds of pairs: none CG GC GU UG AU UA.
pub(super) const KINDS: usize = 7;
/// As a neighbour of an exterior pair: the strand ends there.
pub(super) const END: u8 = 5;
/// No hairpin loop is smaller.
pub(super) const SMALLEST_HAIRPIN: usize = 3;
/// No bulge or interior loop has more unpaired letters.
pub(super) const LONGEST_LOOP: usize = 30;

/// The number of a letter.
pub(super) fn code(base: Base) -> u8 {
    match base {
        Base::N => 0,
        Base::A => 1,
        Base::C => 2,
        Base::G => 3,
        Base::U => 4,
    }
}

/// By two letters' numbers: the kind of their pair, 0 where they do not pair.
pub(super) const KIND: [[u8; LETTERS]; LETTERS] =
    [[0; 5], [0, 0, 0, 0, 5], [0, 0, 0, 1, 0], [0, 0, 2, 0, 3], [0, 6, 0, 4, 0]];

/// The kind of a pair read from its other letter.
pub(super) const TURNED: [u8; KINDS] = [0, 2, 1, 4, 3, 6, 5];

/// A pair as seen from within a loop: its kind, read from the letter after which the loop goes on, the letter that
/// follows, and the letter before the pair's second. 0 to 31 is no pair.
///
/// The pair that closes a loop is seen as (i, j) with letters i + 1 and j − 1; a pair (p, q) that the loop holds is seen
/// as (q, p) with letters q + 1 and p − 1.
pub(super) type View = u8;

/// Number of views.
pub(super) const VIEWS: usize = 256;

/// Packs a view.
pub(super) const fn view(kind: u8, next: u8, previous: u8) -> View {
    kind << 5 | (next * LETTERS as u8 + previous)
}

/// Kind, next and previous letter of a view; the letters of numbers that are no view are N.
pub(super) const fn unpack(view: View) -> (u8, u8, u8) {
    let letters = view & 31;
    if letters < 25 { (view >> 5, letters / 5, letters % 5) } else { (0, 0, 0) }
}

/// All views of pairs.
#[cfg(test)]
pub(super) fn views() -> impl Iterator<Item = View> {
    (0..=View::MAX).filter(|&view| (1..KINDS as u8).contains(&unpack(view).0))
}

/// The kind of a view.
#[inline]
pub(super) fn kind_of(view: View) -> usize {
    usize::from(view >> 5)
}

/// Number of halves of views.
pub(super) const HALVES: usize = 64;

/// Kind and next letter of a view.
#[inline]
pub(super) fn half(view: View) -> usize {
    const HALF: [u8; VIEWS] = {
        let mut halves = [0; VIEWS];
        let mut view = 0;
        while view < VIEWS {
            let (kind, next, _) = unpack(view as View);
            halves[view] = kind << 3 | next;
            view += 1;
        }
        halves
    };
    // What the table shows anyway saves the reader a check.
    usize::from(HALF[usize::from(view)]) % HALVES
}

/// One strand's letters, by number.
#[derive(Clone, Debug)]
pub(super) struct Strand {
    /// Numbers of the letters, 5'→3'.
    pub letters: Vec<u8>,
}

impl Strand {
    /// The strand of these bases.
    pub(super) fn new(bases: &[Base]) -> Self {
        Self { letters: bases.iter().map(|&base| code(base)).collect() }
    }

    /// How many letters.
    pub(super) fn len(&self) -> usize {
        self.letters.len()
    }

    /// The letter before `i`, where there is one.
    fn before(&self, i: usize) -> Option<u8> {
        i.checked_sub(1).map(|before| self.letters[before])
    }

    /// The kind of a pair, 0 for none.
    pub(super) fn kind(&self, i: usize, j: usize) -> u8 {
        KIND[usize::from(self.letters[i])][usize::from(self.letters[j])]
    }

    /// The pair i < j as seen from the loop that it closes.
    pub(super) fn inward(&self, i: usize, j: usize) -> View {
        view(self.kind(i, j), self.letters[i + 1], self.letters[j - 1])
    }

    /// The pair i < j as seen from the loop that holds it.
    pub(super) fn outward(&self, i: usize, j: usize) -> View {
        let after = self.letters.get(j + 1).copied();
        view(self.kind(j, i), after.unwrap_or(0), self.before(i).unwrap_or(0))
    }

    /// The place in a table of exterior pairs of the pair i < j.
    pub(super) fn exterior(&self, i: usize, j: usize) -> usize {
        let after = self.letters.get(j + 1).copied();
        exterior(self.kind(i, j), self.before(i).unwrap_or(END), after.unwrap_or(END))
    }
}

/// The place of an exterior pair, with the letters before and after it, in a table.
pub(super) fn exterior(kind: u8, before: u8, after: u8) -> usize {
    usize::from(kind) * 36 + usize::from(before) * 6 + usize::from(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_turn_with_their_letters() {
        for (one, other) in (0..LETTERS).flat_map(|one| (0..LETTERS).map(move |other| (one, other))) {
            assert_eq!(TURNED[usize::from(KIND[one][other])], KIND[other][one]);
        }
        assert_eq!(KIND.as_flattened().iter().filter(|&&kind| kind > 0).count(), 6);
    }

    #[test]
    fn views_unpack() {
        for kind in 0..KINDS as u8 {
            for (next, previous) in (0..5).flat_map(|next| (0..5).map(move |previous| (next, previous))) {
                assert_eq!(unpack(view(kind, next, previous)), (kind, next, previous));
            }
        }
    }
}

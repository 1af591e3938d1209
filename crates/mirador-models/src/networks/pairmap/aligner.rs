//! The soft aligner: a local alignment of a miRNA (5'→3') with a site (3'→5') that is all alignments at once. A pair of
//! letters weighs by its position in the miRNA, gaps too; the score is the logarithm of the sum over alignments, and the
//! posterior tells which letters pair. (Forward and backward algorithm: Durbin et al., Biological Sequence Analysis,
//! chapter 4.)

use pulp::bytemuck::{cast_slice, cast_slice_mut};
use pulp::{Arch, Simd, WithSimd};

/// Positions of a miRNA.
pub(super) const POSITIONS: usize = 30;
/// A, C, G, U, N.
pub(super) const LETTERS: usize = 5;
/// At each position: letters of the miRNA unpaired, the first and each further one; the same of the site; an alignment
/// that starts, and that ends.
pub(super) const MOVES: usize = 6;

/// Kinds of pairs: C:G, G:C, G:U, U:G, A:U, U:A.
pub(super) const KINDS: usize = 6;

/// Kind of a miRNA's letter with a site's, if they pair.
pub(super) fn kind(mirna: u8, site: u8) -> Option<usize> {
    const KIND: [[u8; LETTERS]; LETTERS] =
        [[9, 9, 9, 4, 9], [9, 9, 0, 9, 9], [9, 1, 9, 2, 9], [5, 9, 3, 9, 9], [9; LETTERS]];
    let kind = usize::from(KIND[usize::from(mirna)][usize::from(site)]);
    (kind < KINDS).then_some(kind)
}

/// Weights as factors, e^w.
#[derive(Clone, Debug)]
pub(super) struct Aligner {
    /// For each position, miRNA letter and site letter.
    pub pairs: Vec<[[f32; LETTERS]; LETTERS]>,
    /// For each position.
    pub moves: Vec<[f32; MOVES]>,
    /// For a pair right after another: kinds as [`kind`] tells them.
    pub stacks: [[f32; KINDS]; KINDS],
}

/// A row: letters as numbers below [`LETTERS`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Letters<'a> {
    /// 5'→3'.
    pub mirna: &'a [u8],
    /// 3'→5', so that paired letters run the same way.
    pub site: &'a [u8],
}

impl Letters<'_> {
    /// Kinds of a pair and of the next one, one on in either strand.
    pub(super) fn stack(&self, i: usize, j: usize) -> Option<(usize, usize)> {
        let next = kind(*self.mirna.get(i + 1)?, *self.site.get(j + 1)?)?;
        Some((kind(self.mirna[i], self.site[j])?, next))
    }
}

/// What the aligner says of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Alignment {
    /// ln(1 + sum over alignments).
    pub score: f32,
    /// Probability of each pair: miRNA positions × site positions (3'→5').
    pub posterior: Vec<f32>,
    /// Probability of each pair together with the next, one on in either strand.
    pub stacked: Vec<f32>,
    /// Expected number of each move at each position.
    pub moves: Vec<[f32; MOVES]>,
}

/// Weight of the empty alignment, e^-40: the sum over thirty strong pairs then stays within what a float holds.
const START: f32 = 4.248_354e-18;

impl Aligner {
    /// Aligns rows.
    pub(super) fn align(&self, rows: &[Letters<'_>]) -> Vec<Alignment> {
        let mut alignments = vec![Alignment::default(); rows.len()];
        Arch::new().dispatch(Align { aligner: self, rows, alignments: &mut alignments, whole: true });
        alignments
    }

    /// Scores of rows, without the way back that tells what pairs.
    pub(super) fn scores(&self, rows: &[Letters<'_>]) -> Vec<f32> {
        let mut alignments = vec![Alignment::default(); rows.len()];
        Arch::new().dispatch(Align { aligner: self, rows, alignments: &mut alignments, whole: false });
        alignments.into_iter().map(|alignment| alignment.score).collect()
    }

    fn in_a_row(&self) -> InARow {
        let mut table = [[[[1.0; LETTERS]; LETTERS]; LETTERS]; LETTERS];
        for mirna in 0..LETTERS * LETTERS {
            for site in 0..LETTERS * LETTERS {
                let [before, after] = [mirna / LETTERS, mirna % LETTERS];
                let [other, next] = [site / LETTERS, site % LETTERS];
                if let (Some(first), Some(second)) =
                    (kind(before as u8, other as u8), kind(after as u8, next as u8))
                {
                    table[before][after][other][next] = self.stacks[first][second];
                }
            }
        }
        table
    }
}

/// Factors by two letters of the miRNA in a row and the two of the site that they face.
type InARow = [[[[f32; LETTERS]; LETTERS]; LETTERS]; LETTERS];

/// A vector register holds the same cell of as many rows as it has lanes. A row that is shorter than its neighbours has
/// factors of 0 beyond its end, which nothing passes.
struct Align<'a> {
    aligner: &'a Aligner,
    rows: &'a [Letters<'a>],
    alignments: &'a mut [Alignment],
    /// Or the scores alone.
    whole: bool,
}

/// The three states of a cell: paired, and in a gap behind a pair.
#[derive(Clone, Copy)]
struct Cell<V> {
    pair: V,
    mirna_gap: V,
    site_gap: V,
}

impl WithSimd for Align<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let blocks = self.rows.chunks(S::F32_LANES).zip(self.alignments.chunks_mut(S::F32_LANES));
        let in_a_row = self.aligner.in_a_row();
        for (rows, alignments) in blocks {
            let block = Block::new(simd, self.aligner, &in_a_row, rows);
            let (forward, sum) = block.forward();
            for (alignment, sum) in alignments.iter_mut().zip(cast_slice::<_, f32>(&[sum])) {
                alignment.score = (sum / START).ln();
            }
            if self.whole {
                block.trace(alignments, &forward, sum);
            }
        }
    }
}

/// As in [`Alignment`], of a block.
struct Expected<V> {
    posterior: Vec<V>,
    stacked: Vec<V>,
    moves: Vec<[V; MOVES]>,
}

/// As many rows as a register has lanes.
struct Block<'a, S: Simd> {
    simd: S,
    aligner: &'a Aligner,
    rows: &'a [Letters<'a>],
    /// Letters of the longest miRNA and of the longest site.
    m: usize,
    n: usize,
    /// Factor of each pair, m × n.
    factors: Vec<S::f32s>,
    /// Further factor where the pair before stands right behind, m × n.
    stacks: Vec<S::f32s>,
}

impl<'a, S: Simd> Block<'a, S> {
    #[inline(always)]
    fn new(simd: S, aligner: &'a Aligner, in_a_row: &InARow, rows: &'a [Letters<'a>]) -> Self {
        let longest = |of: fn(&Letters<'_>) -> usize| rows.iter().map(of).max().unwrap_or(0);
        let (m, n) = (longest(|row| row.mirna.len()), longest(|row| row.site.len()));
        let (mut factors, mut stacks) =
            (vec![simd.splat_f32s(0.0); m * n], vec![simd.splat_f32s(1.0); m * n]);
        // Row by row of the table: what all lanes write then stays in the nearest cache.
        for (i, (factors, stacks)) in factors.chunks_mut(n).zip(stacks.chunks_mut(n)).enumerate() {
            let (factors, stacks) = (cast_slice_mut::<_, f32>(factors), cast_slice_mut::<_, f32>(stacks));
            for (lane, row) in rows.iter().enumerate() {
                let Some(&letter) = row.mirna.get(i) else { continue };
                let of_letter = aligner.pairs[i][usize::from(letter)];
                let cells = factors.chunks_exact_mut(S::F32_LANES);
                cells.zip(row.site).for_each(|(cell, &other)| cell[lane] = of_letter[usize::from(other)]);
                if i == 0 {
                    continue;
                }
                let of_letters = &in_a_row[usize::from(row.mirna[i - 1])][usize::from(letter)];
                let cells = stacks.chunks_exact_mut(S::F32_LANES).skip(1);
                cells.zip(row.site.windows(2)).for_each(|(cell, others)| {
                    cell[lane] = of_letters[usize::from(others[0])][usize::from(others[1])];
                });
            }
        }
        Self { simd, aligner, rows, m, n, factors, stacks }
    }

    #[inline(always)]
    fn moves(&self, i: usize) -> [S::f32s; MOVES] {
        self.aligner.moves[i].map(|factor| self.simd.splat_f32s(factor))
    }

    /// What is behind the scores.
    #[inline(always)]
    fn trace(&self, alignments: &mut [Alignment], forward: &[Cell<S::f32s>], sum: S::f32s) {
        let Expected { posterior, stacked, moves } = self.backward(forward, sum);
        let lanes = S::F32_LANES;
        let (posterior, stacked) = (cast_slice::<_, f32>(&posterior), cast_slice::<_, f32>(&stacked));
        let moves = cast_slice::<_, f32>(moves.as_flattened());
        for (lane, (row, alignment)) in self.rows.iter().zip(&mut *alignments).enumerate() {
            let of = |i: usize| std::array::from_fn(|of| moves[(i * MOVES + of) * lanes + lane]);
            alignment.moves = (0..row.mirna.len()).map(of).collect();
            let cells = row.mirna.len() * row.site.len();
            alignment.posterior = Vec::with_capacity(cells);
            alignment.stacked = Vec::with_capacity(cells);
        }
        let tables = posterior.chunks(self.n * lanes).zip(stacked.chunks(self.n * lanes));
        for (i, (posterior, stacked)) in tables.enumerate() {
            for (lane, (row, alignment)) in self.rows.iter().zip(&mut *alignments).enumerate() {
                if i < row.mirna.len() {
                    let of_lane = |cells: &[f32], own: &mut Vec<f32>| {
                        own.extend(cells.chunks_exact(lanes).take(row.site.len()).map(|cell| cell[lane]));
                    };
                    of_lane(posterior, &mut alignment.posterior);
                    of_lane(stacked, &mut alignment.stacked);
                }
            }
        }
    }

    /// Sums over all alignments that end in a cell, (m + 1) × (n + 1) with a border before the first row and column; and
    /// over all alignments.
    #[inline(always)]
    fn forward(&self) -> (Vec<Cell<S::f32s>>, S::f32s) {
        let (simd, width) = (self.simd, self.n + 1);
        let (zero, start) = (simd.splat_f32s(0.0), simd.splat_f32s(START));
        let mut cells = vec![Cell { pair: zero, mirna_gap: zero, site_gap: zero }; (self.m + 1) * width];
        let mut sum = start;
        for i in 0..self.m {
            let moves = self.moves(i);
            let begun = simd.mul_f32s(start, moves[4]);
            for j in 0..self.n {
                let at = (i + 1) * width + j + 1;
                let (before, above, left) = (cells[at - width - 1], cells[at - width], cells[at - 1]);
                let gapped = simd.add_f32s(begun, simd.add_f32s(before.mirna_gap, before.site_gap));
                let reached = simd.mul_add_e_f32s(self.stacks[i * self.n + j], before.pair, gapped);
                let pair = simd.mul_f32s(self.factors[i * self.n + j], reached);
                sum = simd.mul_add_e_f32s(moves[5], pair, sum);
                cells[at] = Cell {
                    pair,
                    mirna_gap: simd.mul_add_e_f32s(
                        moves[0],
                        above.pair,
                        simd.mul_f32s(moves[1], above.mirna_gap),
                    ),
                    site_gap: simd.mul_add_e_f32s(
                        moves[2],
                        left.pair,
                        simd.mul_f32s(moves[3], left.site_gap),
                    ),
                };
            }
        }
        (cells, sum)
    }

    /// Probabilities of pairs and of two in a row, m × n, and expected moves.
    #[inline(always)]
    fn backward(&self, forward: &[Cell<S::f32s>], sum: S::f32s) -> Expected<S::f32s> {
        let (simd, m, n) = (self.simd, self.m, self.n);
        let (zero, start) = (simd.splat_f32s(0.0), simd.splat_f32s(START));
        let per_sum = simd.div_f32s(simd.splat_f32s(1.0), sum);
        let (mut posterior, mut stacked) = (vec![zero; m * n], vec![zero; m * n]);
        let mut counts = vec![[zero; MOVES]; m];
        // What may follow each cell of the row below and of this one; the column behind the last is empty.
        let none = Cell { pair: zero, mirna_gap: zero, site_gap: zero };
        let (mut below, mut row) = (vec![none; n + 1], vec![none; n + 1]);
        for i in (0..m).rev() {
            let here = self.moves(i);
            let next = if i + 1 < m { self.moves(i + 1) } else { [zero; MOVES] };
            for j in (0..n).rev() {
                let next_pair = (i + 1) * n + j + 1;
                let (paired, stack) = match i + 1 < m && j + 1 < n {
                    true => {
                        let paired = simd.mul_f32s(self.factors[next_pair], below[j + 1].pair);
                        (paired, simd.mul_f32s(paired, self.stacks[next_pair]))
                    }
                    false => (zero, zero),
                };
                let (down, right) = (below[j].mirna_gap, row[j + 1].site_gap);
                let opened = simd.mul_add_e_f32s(next[0], down, simd.mul_f32s(here[2], right));
                row[j] = Cell {
                    pair: simd.add_f32s(here[5], simd.add_f32s(stack, opened)),
                    mirna_gap: simd.mul_add_e_f32s(next[1], down, paired),
                    site_gap: simd.mul_add_e_f32s(here[3], right, paired),
                };
                let cell = forward[(i + 1) * (n + 1) + j + 1];
                let share = |from, to| simd.mul_f32s(simd.mul_f32s(from, to), per_sum);
                posterior[i * n + j] = share(cell.pair, row[j].pair);
                stacked[i * n + j] = share(cell.pair, stack);
                if i + 1 < m {
                    let below = &mut counts[i + 1];
                    below[0] = simd.mul_add_e_f32s(next[0], share(cell.pair, down), below[0]);
                    below[1] = simd.mul_add_e_f32s(next[1], share(cell.mirna_gap, down), below[1]);
                }
                let started = simd.mul_f32s(self.factors[i * n + j], simd.mul_f32s(start, row[j].pair));
                counts[i][4] = simd.mul_add_e_f32s(here[4], simd.mul_f32s(started, per_sum), counts[i][4]);
                counts[i][5] = simd.mul_add_e_f32s(here[5], simd.mul_f32s(cell.pair, per_sum), counts[i][5]);
                counts[i][2] = simd.mul_add_e_f32s(here[2], share(cell.pair, right), counts[i][2]);
                counts[i][3] = simd.mul_add_e_f32s(here[3], share(cell.site_gap, right), counts[i][3]);
            }
            std::mem::swap(&mut below, &mut row);
        }
        Expected { posterior, stacked, moves: counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn made_up(rng: &mut ChaCha8Rng) -> Aligner {
        let mut factor = |low: f32, high: f32| rng.random_range(low..high).exp();
        Aligner {
            pairs: (0..POSITIONS)
                .map(|_| [(); LETTERS].map(|()| [(); LETTERS].map(|()| factor(-1.5, 1.5))))
                .collect(),
            moves: (0..POSITIONS).map(|_| [(); MOVES].map(|()| factor(-3.0, -0.2))).collect(),
            stacks: [(); KINDS].map(|()| [(); KINDS].map(|()| factor(-0.5, 0.5))),
        }
    }

    /// The score by the definition, without lanes, in double precision.
    fn plain(aligner: &Aligner, row: Letters<'_>) -> f64 {
        let (m, n) = (row.mirna.len(), row.site.len());
        let mut cells = vec![vec![[0.0f64; 3]; n + 1]; m + 1];
        let mut sum = 1.0;
        for i in 0..m {
            let moves = aligner.moves[i].map(f64::from);
            for j in 0..n {
                let (before, above, left) = (cells[i][j], cells[i][j + 1], cells[i + 1][j]);
                let stack = match (i, j) {
                    (0, _) | (_, 0) => None,
                    _ => row.stack(i - 1, j - 1),
                };
                let stack = stack.map_or(1.0, |(first, second)| f64::from(aligner.stacks[first][second]));
                let factor = f64::from(aligner.pairs[i][usize::from(row.mirna[i])][usize::from(row.site[j])]);
                let pair = factor * (moves[4] + stack * before[0] + before[1] + before[2]);
                sum += pair * moves[5];
                let mirna_gap = moves[0] * above[0] + moves[1] * above[1];
                cells[i + 1][j + 1] = [pair, mirna_gap, moves[2] * left[0] + moves[3] * left[2]];
            }
        }
        sum.ln()
    }

    /// How the score changes with the logarithm of a factor.
    fn slope(aligner: &Aligner, row: Letters<'_>, factor: impl Fn(&mut Aligner) -> &mut f32) -> f64 {
        const STEP: f32 = 1e-3;
        let at = |step: f32| {
            let mut moved = aligner.clone();
            *factor(&mut moved) *= step.exp();
            plain(&moved, row)
        };
        (at(STEP) - at(-STEP)) / f64::from(2.0 * STEP)
    }

    #[test]
    fn scores_and_what_it_expects_are_those_of_the_definition() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let aligner = made_up(&mut rng);
        let mut letters = |length: usize| (0..length).map(|_| rng.random_range(0..5)).collect::<Vec<u8>>();
        let sequences: Vec<_> = (0..37).map(|k| (letters(15 + k % 16), letters(6 + 2 * k))).collect();
        let rows: Vec<Letters<'_>> = sequences.iter().map(|(mirna, site)| Letters { mirna, site }).collect();
        for (&row, alignment) in rows.iter().zip(aligner.align(&rows)) {
            assert!((plain(&aligner, row) - f64::from(alignment.score)).abs() < 1e-5);
            let n = row.site.len();
            for i in [0, 3, 9, row.mirna.len() - 1] {
                let letter = usize::from(row.mirna[i]);
                for other in 0..LETTERS {
                    let facing = (0..n).filter(|&j| usize::from(row.site[j]) == other);
                    let expected: f32 = facing.map(|j| alignment.posterior[i * n + j]).sum();
                    let slope = slope(&aligner, row, |moved| &mut moved.pairs[i][letter][other]);
                    assert!((slope - f64::from(expected)).abs() < 1e-4, "pair {i} {other}");
                }
                for of in 0..MOVES {
                    let slope = slope(&aligner, row, |moved| &mut moved.moves[i][of]);
                    assert!((slope - f64::from(alignment.moves[i][of])).abs() < 1e-4, "move {i} {of}");
                }
            }
            for (first, second) in (0..KINDS).flat_map(|first| (0..KINDS).map(move |second| (first, second)))
            {
                let cells = (0..row.mirna.len()).flat_map(|i| (0..n).map(move |j| (i, j)));
                let such = cells.filter(|&(i, j)| row.stack(i, j) == Some((first, second)));
                let expected: f32 = such.map(|(i, j)| alignment.stacked[i * n + j]).sum();
                let slope = slope(&aligner, row, |moved| &mut moved.stacks[first][second]);
                assert!((slope - f64::from(expected)).abs() < 1e-4, "stack {first} {second}");
            }
        }
    }
}

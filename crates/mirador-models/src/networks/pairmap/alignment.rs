//! The soft aligner as a layer: its weights are trained by the exact gradient of its score.

use mirna::Base;
use tch::{Tensor, nn};

use super::aligner::{Aligner, Alignment as Aligned, KINDS, LETTERS, Letters, MOVES, POSITIONS};
use super::energy::stack;
use super::{MIRNA_ROWS, MISSING, SITE_ROWS, WIDTH};
use crate::LoadError;
use crate::tensors::values;

/// Where training starts: natural logarithms near those that training finds, see `reports/pairmap.md`.
const WATSON_CRICK: f32 = 1.0;
const WOBBLE: f32 = -0.3;
const MISMATCH: f32 = -1.8;
const GAP_OPEN: f32 = -3.4;
const GAP_EXTEND: f32 = -1.0;
/// Score of a stack for each kcal/mol.
const STACK: f32 = 0.3;

/// Trained weights: (30, 5, 5) of pairs by position and letters, (30, 6) of moves, (1, 6, 6) of pairs in a row.
#[derive(Debug)]
pub(super) struct Alignment {
    pairs: Tensor,
    moves: Tensor,
    stacks: Tensor,
}

/// Numbers that a panel adds to a row.
pub(super) const COMPARED: usize = 4;

/// Rows as letters.
pub(super) struct Rows {
    inputs: Vec<[u8; WIDTH]>,
    compared: Vec<Option<[f32; COMPARED]>>,
}

impl Rows {
    /// Rows from inputs (n, 131), with a panel (n, 136).
    pub(super) fn of(input: &Tensor) -> Self {
        let values = values(input);
        let rows = values.chunks_exact(input.size()[1] as usize);
        let compared = |row: &[f32]| match row[WIDTH..] {
            [own, first, second, third, fourth] if own > 0.0 => Some([first, second, third, fourth]),
            _ => None,
        };
        Self {
            inputs: rows.clone().map(|row| std::array::from_fn(|at| row[at] as u8)).collect(),
            compared: rows.map(compared).collect(),
        }
    }

    /// How each stands to a panel of its own, where it has one.
    pub(super) fn compared(&self) -> &[Option<[f32; COMPARED]>] {
        &self.compared
    }

    pub(super) fn letters(&self) -> Vec<Letters<'_>> {
        self.inputs.iter().map(letters).collect()
    }

    /// The best seed match of each.
    pub(super) fn site_types(&self) -> impl Iterator<Item = usize> {
        self.inputs.iter().map(|input| usize::from(input[WIDTH - 1]))
    }
}

impl Alignment {
    /// Weights that know what pairs; `fixed` ones are not trained.
    pub(super) fn new(path: nn::Path, fixed: bool) -> Self {
        const BASES: [Base; LETTERS] = [Base::A, Base::C, Base::G, Base::U, Base::N];
        let pair = |mirna: Base, site: Base| match () {
            () if mirna.pairs_with(site) => WATSON_CRICK,
            () if mirna.wobbles_with(site) => WOBBLE,
            () => MISMATCH,
        };
        let pairs: Vec<f32> = BASES.into_iter().flat_map(|a| BASES.map(|b| pair(a, b))).collect();
        let moves = [GAP_OPEN, GAP_EXTEND, GAP_OPEN, GAP_EXTEND, 0.0, 0.0];
        let stacks: Vec<f32> =
            (0..KINDS).flat_map(|a| (0..KINDS).map(move |b| -STACK * stack(a, b))).collect();
        let variable = |name: &str, values: &[f32], shape: &[i64]| {
            let values = Tensor::from_slice(values).view(&shape[1..]).unsqueeze(0).expand(shape, false);
            match fixed {
                true => {
                    let mut variable = path.zeros_no_train(name, shape);
                    tch::no_grad(|| variable.copy_(&values));
                    variable
                }
                false => path.var_copy(name, &values),
            }
        };
        let [positions, letters, kinds] = [POSITIONS, LETTERS, KINDS].map(|size| size as i64);
        Self {
            pairs: variable("pairs", &pairs, &[positions, letters, letters]),
            moves: variable("moves", &moves, &[positions, MOVES as i64]),
            stacks: variable("stacks", &stacks, &[1, kinds, kinds]),
        }
    }

    /// Those of a network.
    pub(super) fn of(store: &nn::VarStore) -> Result<Self, LoadError> {
        let variables = store.variables();
        let get = |part: &str| {
            let name = format!("alignment.{part}");
            variables.get(&name).map(Tensor::shallow_clone).ok_or(LoadError::Missing(name))
        };
        Ok(Self { pairs: get("pairs")?, moves: get("moves")?, stacks: get("stacks")? })
    }

    /// The aligner with these weights.
    pub(super) fn aligner(&self) -> Aligner {
        let factors = |weights: &Tensor| values(&weights.detach().exp());
        let stacks = factors(&self.stacks);
        Aligner {
            pairs: factors(&self.pairs).as_chunks().0.as_chunks().0.to_vec(),
            moves: factors(&self.moves).as_chunks().0.to_vec(),
            stacks: std::array::from_fn(|first| std::array::from_fn(|second| stacks[first * KINDS + second])),
        }
    }

    /// Scores (n, 1) and all that the aligner says of the rows. While training, the scores carry a gradient.
    pub(super) fn align(&self, rows: &[Letters<'_>], train: bool) -> (Tensor, Vec<Aligned>) {
        let alignments = self.aligner().align(rows);
        let scores: Vec<f32> = alignments.iter().map(|alignment| alignment.score).collect();
        let scores = Tensor::from_slice(&scores).unsqueeze(1).to_device(self.pairs.device());
        let scores =
            if train && self.pairs.requires_grad() { scores + self.slope(rows, &alignments) } else { scores };
        (scores, alignments)
    }

    /// Zeros whose gradient is the score's: the score changes with a weight by how often an alignment is expected to
    /// use it.
    fn slope(&self, rows: &[Letters<'_>], alignments: &[Aligned]) -> Tensor {
        const PAIRS: usize = LETTERS * LETTERS;
        const USES: usize = POSITIONS * (PAIRS + MOVES) + KINDS * KINDS;
        let mut uses = vec![0.0f32; rows.len() * USES];
        for ((uses, row), alignment) in uses.as_chunks_mut::<USES>().0.iter_mut().zip(rows).zip(alignments) {
            let (pairs, rest) = uses.split_at_mut(POSITIONS * PAIRS);
            let (moves, stacks) = rest.split_at_mut(POSITIONS * MOVES);
            for (i, &mirna) in row.mirna.iter().enumerate() {
                for (j, &site) in row.site.iter().enumerate() {
                    let cell = i * row.site.len() + j;
                    pairs[i * PAIRS + usize::from(mirna) * LETTERS + usize::from(site)] +=
                        alignment.posterior[cell];
                    if let Some((first, second)) = row.stack(i, j) {
                        stacks[first * KINDS + second] += alignment.stacked[cell];
                    }
                }
            }
            moves[..alignment.moves.len() * MOVES].copy_from_slice(alignment.moves.as_flattened());
        }
        let uses =
            Tensor::from_slice(&uses).view([rows.len() as i64, USES as i64]).to_device(self.pairs.device());
        let weights =
            Tensor::cat(&[&self.pairs, &self.moves, &self.stacks].map(|weights| weights.flatten(0, -1)), 0);
        let used = uses.mv(&weights).unsqueeze(1);
        &used - used.detach()
    }
}

fn letters(input: &[u8; WIDTH]) -> Letters<'_> {
    let (mirna, rest) = input.split_at(MIRNA_ROWS);
    let present = |letters: &[u8]| letters.iter().take_while(|&&letter| letter != MISSING).count();
    let site = &rest[..SITE_ROWS];
    Letters { mirna: &mirna[..present(mirna)], site: &site[..present(site)] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tch::Device;

    #[test]
    fn the_gradient_is_the_slope_of_the_score() {
        let store = nn::VarStore::new(Device::Cpu);
        let alignment = Alignment::new(store.root() / "alignment", false);
        let mirna = [3, 2, 0, 2, 2, 3, 0, 2, 3, 0, 2, 2, 3, 3, 2, 3, 0, 3, 0, 2, 3, 3];
        let site = [0, 1, 3, 1, 1, 0, 3, 2, 3, 0, 0, 1, 4, 1, 0, 0, 1, 0, 3, 2, 2];
        let row = [Letters { mirna: &mirna, site: &site }];
        alignment.align(&row, true).0.backward();
        for (name, variable) in store.variables() {
            let slopes = variable.flatten(0, -1);
            let gradient = variable.grad().flatten(0, -1);
            for at in (0..slopes.numel() as i64).step_by(7) {
                let score = |step: f64| {
                    let _ = tch::no_grad(|| slopes.get(at).g_add_scalar_(step));
                    alignment.align(&row, false).0.double_value(&[0, 0])
                };
                let (low, high) = (score(-1e-2), score(2e-2));
                score(-1e-2);
                let expected = gradient.double_value(&[at]);
                assert!(((high - low) / 2e-2 - expected).abs() < 2e-3, "{name} {at}: {expected}");
            }
        }
    }
}

//! Least squares on the sums over sites, with what a transfection does to long or AU-rich 3'UTRs in general taken out of both
//! sides first (Frisch and Waugh 1933), so that no weight of a site stands for it.

use anyhow::{Result, ensure};
use tch::{Kind, Tensor};

use super::rows::{CANONICAL, COLUMNS, Columns, Rows, VALUES, robust};
use crate::recipe::Fit;

/// 1, length and AU share.
const NUISANCES: usize = 3;
/// The column of a class that offset sites have no weight for: the distance was worth nothing there.
const DISTANCE: usize = 3;

/// The columns that have a weight; canonical sites are fitted first, offset ones on what is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inputs {
    canonical: Vec<usize>,
    offset: Vec<usize>,
}

impl Inputs {
    /// All of the model.
    pub(super) fn all() -> Self {
        let is_distance = |column: &usize| column % VALUES == DISTANCE;
        Self {
            canonical: (0..CANONICAL).collect(),
            offset: (CANONICAL..COLUMNS).filter(|column| !is_distance(column)).collect(),
        }
    }

    /// All but one feature.
    pub(super) fn without(feature: usize) -> Self {
        Self::all().only(|column| column % VALUES != feature + 1)
    }

    /// Nothing of a site but its class.
    pub(super) fn classes() -> Self {
        Self::all().only(|column| column.is_multiple_of(VALUES))
    }

    /// Canonical sites alone.
    pub(super) fn canonical() -> Self {
        Self { offset: Vec::new(), ..Self::all() }
    }

    fn only(self, keep: impl Fn(usize) -> bool) -> Self {
        let kept = |columns: Vec<usize>| columns.into_iter().filter(|column| keep(*column)).collect();
        Self { canonical: kept(self.canonical), offset: kept(self.offset) }
    }
}

/// What a gene gets.
pub(super) struct Scores {
    /// By canonical sites.
    pub repression: Vec<f64>,
    /// By all sites.
    pub rank: Vec<f64>,
}

impl Scores {
    /// One score for both.
    pub(super) fn same(scores: Vec<f64>) -> Self {
        Self { repression: scores.clone(), rank: scores }
    }

    /// The scores that weights give these sums.
    pub(super) fn of(sums: &[Columns], weights: &Columns) -> Self {
        let part = |row: &Columns, columns: std::ops::Range<usize>| -> f64 {
            columns.map(|column| row[column] * weights[column]).sum()
        };
        let repression: Vec<f64> = sums.iter().map(|row| part(row, 0..CANONICAL)).collect();
        let offset = sums.iter().map(|row| part(row, CANONICAL..COLUMNS));
        let rank = repression.iter().zip(offset).map(|(canonical, offset)| canonical + offset).collect();
        Self { repression, rank }
    }
}

/// One experiment's share of the normal equations.
struct Moments {
    /// Products of columns.
    columns: Vec<Columns>,
    /// Products of columns with the response, by the group that is left out; the last is where none is.
    response: Vec<Columns>,
}

/// The normal equations of every experiment, for any choice of inputs and of training groups.
pub(super) struct Equations<'a> {
    rows: &'a Rows,
    fit: &'a Fit,
    /// By over-expression experiment.
    moments: Vec<Moments>,
}

impl<'a> Equations<'a> {
    /// Equations on some genes, or on all; `sums` are those of each over-expression experiment.
    pub(super) fn new(
        rows: &'a Rows,
        fit: &'a Fit,
        sums: &[&[Columns]],
        genes: Option<&[bool]>,
    ) -> Result<Self> {
        let of = |(&at, sums): (&usize, &&[Columns])| moments(rows, fit, at, sums, genes);
        let moments = rows.over.iter().zip(sums).map(of).collect::<Result<_>>()?;
        Ok(Self { rows, fit, moments })
    }

    /// The weights by the experiments of these groups; the response does not know the group that is left out.
    pub(super) fn weights(&self, inputs: &Inputs, groups: &[usize], left_out: Option<usize>) -> Columns {
        let (mut products, mut right) = (vec![[0.0; COLUMNS]; COLUMNS], [0.0; COLUMNS]);
        for (&at, moments) in self.rows.over.iter().zip(&self.moments) {
            if self.rows.group(at).is_some_and(|group| groups.contains(&group)) {
                let response = &moments.response[left_out.unwrap_or(self.rows.groups.len())];
                right.iter_mut().zip(response).for_each(|(sum, value)| *sum += value);
                for (sums, values) in products.iter_mut().zip(&moments.columns) {
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
        }
        let mut weights = [0.0; COLUMNS];
        for columns in [&inputs.canonical, &inputs.offset] {
            // What the weights found so far leave of the response.
            let rest: Columns = std::array::from_fn(|row| {
                right[row] - products[row].iter().zip(&weights).map(|(a, b)| a * b).sum::<f64>()
            });
            self.solve(columns, &products, &rest, &mut weights);
        }
        weights
    }

    fn solve(&self, columns: &[usize], products: &[Columns], right: &Columns, weights: &mut Columns) {
        if columns.is_empty() {
            return;
        }
        let ridge =
            |column: usize| if column.is_multiple_of(VALUES) { self.fit.ridge_sites } else { self.fit.ridge };
        let matrix: Vec<f64> = columns
            .iter()
            .flat_map(|&row| columns.iter().map(move |&column| (row, column)))
            .map(|(row, column)| products[row][column] + if row == column { ridge(row) } else { 0.0 })
            .collect();
        let size = columns.len() as i64;
        let right: Vec<f64> = columns.iter().map(|&column| right[column]).collect();
        let found = Tensor::linalg_solve(
            &Tensor::from_slice(&matrix).view([size, size]),
            &Tensor::from_slice(&right),
            true,
        );
        debug_assert_eq!(found.kind(), Kind::Double);
        let mut values = vec![0.0; columns.len()];
        found.copy_data(&mut values, columns.len());
        columns.iter().zip(values).for_each(|(&column, value)| weights[column] = value);
    }
}

fn moments(rows: &Rows, fit: &Fit, at: usize, sums: &[Columns], genes: Option<&[bool]>) -> Result<Moments> {
    let changes = &rows.experiment(at).changes;
    let id = &rows.experiment(at).about.id;
    let is_tested = |gene: &usize| changes[*gene].is_some() && genes.is_none_or(|genes| genes[*gene]);
    let tested: Vec<usize> = (0..changes.len()).filter(is_tested).collect();
    ensure!(tested.len() > NUISANCES, "{id}: {} genes are too few for a fit", tested.len());
    let basis = basis(rows, &tested);
    let along = |basis: &[f64], column: usize| -> f64 {
        tested.iter().zip(basis).map(|(&gene, value)| sums[gene][column] * value).sum()
    };
    let shadows: Vec<Columns> =
        basis.iter().map(|basis| std::array::from_fn(|column| along(basis, column))).collect();
    let mut columns = vec![[0.0; COLUMNS]; COLUMNS];
    for &gene in &tested {
        for (row, value) in sums[gene].iter().enumerate().filter(|(_, value)| **value != 0.0) {
            columns[row].iter_mut().zip(&sums[gene]).for_each(|(sum, other)| *sum += value * other);
        }
    }
    for shadow in &shadows {
        for (row, value) in columns.iter_mut().zip(shadow) {
            row.iter_mut().zip(shadow).for_each(|(sum, other)| *sum -= value * other);
        }
    }
    let mut response = Vec::with_capacity(rows.groups.len() + 1);
    for left_out in (0..rows.groups.len()).map(Some).chain([None]) {
        let all = rows.response(at, left_out);
        let mut values: Vec<f64> = tested.iter().filter_map(|&gene| all[gene]).collect();
        let (centre, deviation) =
            robust(&values).filter(|(_, deviation)| *deviation > 0.0).unwrap_or((0.0, 1.0));
        values
            .iter_mut()
            .for_each(|value| *value = ((*value - centre) / deviation).clamp(-fit.clip, fit.clip));
        let mut right = [0.0; COLUMNS];
        for (&gene, value) in tested.iter().zip(&values) {
            right.iter_mut().zip(&sums[gene]).for_each(|(sum, column)| *sum += column * value);
        }
        for (basis, shadow) in basis.iter().zip(&shadows) {
            let share: f64 = basis.iter().zip(&values).map(|(a, b)| a * b).sum();
            right.iter_mut().zip(shadow).for_each(|(sum, column)| *sum -= column * share);
        }
        response.push(right);
    }
    Ok(Moments { columns, response })
}

/// What is taken out: orthonormal vectors over these genes that span 1, log10 length and AU share. Where the genes are alike
/// in one of them, it is left away.
fn basis(rows: &Rows, genes: &[usize]) -> Vec<Vec<f64>> {
    let pick = |values: &[f64]| genes.iter().map(|&gene| values[gene]).collect::<Vec<f64>>();
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(NUISANCES);
    for mut vector in [vec![1.0; genes.len()], pick(&rows.lengths), pick(&rows.au)] {
        let before = norm(&vector);
        for other in &basis {
            let share: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
            vector.iter_mut().zip(other).for_each(|(value, other)| *value -= share * other);
        }
        let after = norm(&vector);
        if after > 1e-9 * before {
            vector.iter_mut().for_each(|value| *value /= after);
            basis.push(vector);
        }
    }
    basis
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repression::simulated::{MIRNAS, rows, truth};

    const FIT: Fit =
        Fit { ridge: 1e-3, ridge_sites: 1e-3, clip: 100.0, curve: Vec::new(), draws: 1, seed: 1 };

    fn fitted(rows: &Rows, inputs: &Inputs) -> Columns {
        let sums: Vec<&[Columns]> = rows.over.iter().map(|&at| rows.sums(at)).collect();
        let groups: Vec<usize> = (0..MIRNAS).collect();
        Equations::new(rows, &FIT, &sums, None).unwrap().weights(inputs, &groups, None)
    }

    /// In units of the response, which are those of its robust standard deviation.
    fn unit(rows: &Rows) -> f64 {
        let deviation = |at: usize| {
            let response: Vec<f64> = rows.response(at, None).into_iter().flatten().collect();
            robust(&response).unwrap().1
        };
        (0..MIRNAS).map(deviation).sum::<f64>() / MIRNAS as f64
    }

    #[test]
    fn known_weights_are_found_whatever_length_does_in_general() {
        for of_length in [0.0, 1.0] {
            let rows = rows(of_length);
            let (found, unit) = (fitted(&rows, &Inputs::all()), unit(&rows));
            for (column, (weight, truth)) in found.iter().zip(truth()).enumerate() {
                let off = (weight * unit - truth).abs();
                assert!(off < 0.05, "{of_length}, column {column}: {} is not {truth}", weight * unit);
            }
        }
    }

    #[test]
    fn what_is_left_away_has_no_weight() {
        let rows = rows(0.0);
        let of = |inputs: Inputs| fitted(&rows, &inputs);
        let is_zero = |weights: &Columns, zero: fn(usize) -> bool| {
            weights.iter().enumerate().all(|(column, weight)| (*weight == 0.0) == zero(column))
        };
        assert!(is_zero(&of(Inputs::all()), |column| column >= CANONICAL && column % VALUES == DISTANCE));
        assert!(is_zero(&of(Inputs::canonical()), |column| column >= CANONICAL));
        assert!(is_zero(&of(Inputs::classes()), |column| !column.is_multiple_of(VALUES)));
        let without_au = of(Inputs::without(0));
        assert!(is_zero(&without_au, |column| column % VALUES == 1
            || column >= CANONICAL && column % VALUES == DISTANCE));
        let (all, canonical) = (of(Inputs::all()), of(Inputs::canonical()));
        assert_eq!(
            all[..CANONICAL],
            canonical[..CANONICAL],
            "canonical weights do not depend on offset sites"
        );
    }

    #[test]
    fn a_ridge_shrinks() {
        let rows = rows(0.0);
        let sums: Vec<&[Columns]> = rows.over.iter().map(|&at| rows.sums(at)).collect();
        let fit = Fit { ridge: 1e9, ridge_sites: 1e9, ..FIT };
        let weights =
            Equations::new(&rows, &fit, &sums, None).unwrap().weights(&Inputs::all(), &[0, 1], None);
        assert!(weights.iter().all(|weight| weight.abs() < 1e-3));
    }
}

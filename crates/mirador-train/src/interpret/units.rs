//! How inner layers follow the free energy of the duplex (Gu et al. 2021, Table 1): Spearman's correlation of each unit,
//! of each map's sum, and of sums by sign.

use mirador_models::Replica;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirna::fold::Duplex;
use serde::{Deserialize, Serialize};

use crate::stats::correlation::{pearson, ranks};
use crate::stats::significance::correlation;

/// Inputs that run at once.
const BATCH: usize = 256;
/// Maps of the convolution.
const MAPS: usize = 320;

/// Correlations of a group of values with the energy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Correlations {
    /// What is correlated.
    pub name: String,
    /// Values that vary over the rows.
    pub units: usize,
    /// Values that are the same in every row, and skipped.
    pub constant: usize,
    /// Rows.
    pub rows: usize,
    /// Lowest correlation; none where nothing varies.
    pub least: Option<f64>,
    /// Logarithm to base 10 of its p, times the units that vary (Bonferroni).
    pub least_log10_p: f64,
    /// Highest correlation.
    pub most: Option<f64>,
    /// Logarithm to base 10 of its p, likewise.
    pub most_log10_p: f64,
    /// Units whose p is below .05 after the correction.
    pub significant: usize,
}

/// Values of one layer: a column for each unit.
struct Layer {
    units: usize,
    rows: Vec<f32>,
}

impl Layer {
    fn column(&self, unit: usize) -> Vec<f64> {
        self.rows.iter().skip(unit).step_by(self.units).map(|value| f64::from(*value)).collect()
    }

    /// Only some rows.
    fn pick(&self, rows: impl Iterator<Item = usize>) -> Self {
        let rows = rows.flat_map(|row| &self.rows[row * self.units..(row + 1) * self.units]).copied();
        Self { units: self.units, rows: rows.collect() }
    }

    /// Sums of the units of each group.
    fn sums(&self, groups: usize, group: impl Fn(usize) -> Option<usize>) -> Self {
        let groups_of: Vec<Option<usize>> = (0..self.units).map(group).collect();
        let mut sums = vec![0.0; self.rows.len() / self.units * groups];
        for (row, sums) in self.rows.chunks(self.units).zip(sums.chunks_mut(groups)) {
            for (value, group) in row.iter().zip(&groups_of) {
                if let Some(group) = group {
                    sums[*group] += value;
                }
            }
        }
        Self { units: groups, rows: sums }
    }

    /// Spearman's correlation of each unit; none where it is constant.
    fn spearman(&self, ranked: &[f64]) -> Vec<Option<f64>> {
        let of_unit = |unit| {
            let column = self.column(unit);
            let varies = column.iter().any(|value| *value != column[0]);
            varies.then(|| pearson(&ranks(&column), ranked))
        };
        (0..self.units).map(of_unit).collect()
    }
}

/// The correlations of a network that shows its layers; none where it does not. Rows without a duplex, and those whose
/// site takes several windows, are left out.
pub fn units(
    replica: &Replica,
    pairs: &[Pair],
    duplexes: &[Option<Duplex>],
    most: usize,
) -> Vec<Correlations> {
    let kept = pairs.iter().zip(duplexes).filter_map(|(pair, duplex)| {
        let encoded = replica.encoder.encode(&Input::Pair(pair.clone()));
        (encoded.inputs() == 1).then_some((encoded.values, duplex.as_ref()?.energy))
    });
    let (inputs, energies): (Vec<Vec<f32>>, Vec<f64>) = kept.take(most).unzip();
    if inputs.len() < 10 {
        return Vec::new();
    }
    let mut layers: Vec<(&'static str, Layer)> = Vec::new();
    for batch in inputs.chunks(BATCH) {
        for (place, (name, values)) in replica.stages(&batch.concat()).into_iter().enumerate() {
            if layers.len() == place {
                layers.push((name, Layer { units: values.len() / batch.len(), rows: Vec::new() }));
            }
            layers[place].1.rows.extend(values);
        }
    }
    layers.iter().flat_map(|(name, layer)| of_layer(name, layer, &energies)).collect()
}

fn of_layer(name: &str, layer: &Layer, energies: &[f64]) -> Vec<Correlations> {
    let rows = energies.len();
    let ranked = ranks(energies);
    let all = |layer: &Layer| layer.sums(1, |_| Some(0)).spearman(&ranked);
    let mut found = vec![summary(format!("{name}: each unit"), layer.spearman(&ranked), rows)];
    println!("{name}: {} of {} units vary", found[0].units, layer.units);
    // The signs come from every other row, the correlations from the rows between them.
    let (even, odd) = (layer.pick((0..rows).step_by(2)), layer.pick((1..rows).step_by(2)));
    let half = |first: usize| ranks(&energies.iter().skip(first).step_by(2).copied().collect::<Vec<f64>>());
    let signs = even.spearman(&half(0));
    let by_sign = |unit: usize| signs[unit].map(|sign| usize::from(sign > 0.0));
    let (odd_ranked, odd_rows) = (half(1), rows / 2);
    if name == "maps" {
        let width = layer.units / MAPS;
        let maps = layer.sums(MAPS, |unit| Some(unit / width));
        found.push(summary(format!("{name}: sum of each map"), maps.spearman(&ranked), rows));
        let maps = odd.sums(2 * MAPS, |unit| Some(unit / width * 2 + by_sign(unit)?)).spearman(&odd_ranked);
        found.push(summary(format!("{name}: sum of each map by sign, on the other half"), maps, odd_rows));
    }
    found.push(summary(format!("{name}: sum of all units"), all(layer), rows));
    let sums = odd.sums(2, by_sign).spearman(&odd_ranked);
    found.push(summary(format!("{name}: sum of all units by sign, on the other half"), sums, odd_rows));
    found
}

fn summary(name: String, correlations: Vec<Option<f64>>, rows: usize) -> Correlations {
    let known: Vec<f64> = correlations.iter().flatten().copied().collect();
    let tests = (known.len() as f64).max(1.0).log10();
    let adjusted = |r: f64| (correlation(r, rows) + tests).min(0.0);
    let least = known.iter().copied().reduce(f64::min);
    let most = known.iter().copied().reduce(f64::max);
    Correlations {
        name,
        units: known.len(),
        constant: correlations.len() - known.len(),
        rows,
        least,
        least_log10_p: least.map_or(0.0, adjusted),
        most,
        most_log10_p: most.map_or(0.0, adjusted),
        significant: known.iter().filter(|r| adjusted(**r) < 0.05f64.log10()).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_units_are_skipped_and_signs_come_from_other_rows() {
        let rows = 40;
        let energies: Vec<f64> = (0..rows).map(f64::from).collect();
        let values = (0..rows).flat_map(|row| [row as f32, -(row as f32), 0.5, (row * 7 % 11) as f32]);
        let layer = Layer { units: 4, rows: values.collect() };
        let found = of_layer("states", &layer, &energies);
        assert_eq!((found[0].units, found[0].constant), (3, 1));
        assert!(
            (found[0].least.unwrap() + 1.0).abs() < 1e-12 && (found[0].most.unwrap() - 1.0).abs() < 1e-12
        );
        let by_sign = &found[2];
        assert_eq!((by_sign.units, by_sign.rows), (2, 20));
        assert!(by_sign.least.unwrap() < -0.8 && by_sign.most.unwrap() > 0.8, "{by_sign:?}");
    }
}

//! The competitors: which of the most frequent miRNAs would this site prefer?

use std::collections::BTreeMap;

use tch::{Tensor, nn};

use super::aligner::{Aligner, Alignment, Letters};
use super::alignment::Rows;
use super::{MIRNA_ROWS, MISSING};
use crate::tensors::values;

/// Numbers that it adds to a row.
pub(super) const COMPARED: usize = 4;

/// The most frequent miRNA of each of the most frequent families, and the logarithm of the family's share. Not trained:
/// read from the training rows.
#[derive(Debug)]
pub(super) struct Panel {
    mirnas: Tensor, // (size, 30)
    shares: Tensor, // (size)
}

impl Panel {
    /// An empty one.
    pub(super) fn new(path: &nn::Path, size: i64) -> Self {
        let mut mirnas = path.zeros_no_train("mirnas", &[size, MIRNA_ROWS as i64]);
        let _ = tch::no_grad(|| mirnas.fill_(f64::from(MISSING)));
        Self { mirnas, shares: path.zeros_no_train("shares", &[size]) }
    }

    /// Fills a network's panel, if it has one, from training inputs (n, 131).
    pub(super) fn adapt(store: &nn::VarStore, inputs: &Tensor) {
        let variables = store.variables();
        let variable = |name: &str| variables.get(&format!("head.panel.{name}"));
        let (Some(mirnas), Some(shares)) = (variable("mirnas"), variable("shares")) else { return };
        let rows = Rows::of(inputs);
        let letters = rows.letters();
        let mut families: BTreeMap<&[u8], BTreeMap<&[u8], usize>> = BTreeMap::new();
        for row in &letters {
            *families.entry(seed(row.mirna)).or_default().entry(row.mirna).or_default() += 1;
        }
        let mut frequent: Vec<(usize, &[u8])> = families
            .values()
            .filter_map(|members| {
                let (most, _) = members.iter().max_by_key(|(_, count)| **count)?;
                Some((members.values().sum(), *most))
            })
            .collect();
        frequent.sort_by(|a, b| b.cmp(a));
        for (at, (count, mirna)) in frequent.iter().take(shares.numel()).enumerate() {
            let share = (*count as f64 / letters.len() as f64).ln();
            let mut padded = [f32::from(MISSING); MIRNA_ROWS];
            padded.iter_mut().zip(*mirna).for_each(|(value, &letter)| *value = f32::from(letter));
            tch::no_grad(|| {
                mirnas.get(at as i64).copy_(&Tensor::from_slice(&padded));
                let _ = shares.get(at as i64).fill_(share);
            });
        }
    }

    /// For each row its score less that of the others together, less the best of them, less their mean, and the fraction
    /// of others above it. miRNAs of the row's own family are no competitors.
    pub(super) fn compare(
        &self,
        aligner: &Aligner,
        rows: &[Letters<'_>],
        alignments: &[Alignment],
    ) -> Vec<f32> {
        let letters: Vec<u8> = values(&self.mirnas).into_iter().map(|letter| letter as u8).collect();
        let mirnas =
            letters.chunks(MIRNA_ROWS).filter_map(|row| row.split(|&letter| letter == MISSING).next());
        let panel: Vec<(&[u8], f32)> =
            mirnas.zip(values(&self.shares)).filter(|(mirna, _)| !mirna.is_empty()).collect();
        let pairs: Vec<Letters<'_>> = rows
            .iter()
            .flat_map(|row| panel.iter().map(|&(mirna, _)| Letters { mirna, site: row.site }))
            .collect();
        let scores = aligner.scores(&pairs);
        let of = |index: usize| {
            let scores = &scores[index * panel.len()..(index + 1) * panel.len()];
            let own = seed(rows[index].mirna);
            let others = panel.iter().zip(scores).filter(|((mirna, _), _)| seed(mirna) != own);
            let others: Vec<(f32, f32)> = others.map(|(&(_, share), &score)| (score, share)).collect();
            numbers(alignments[index].score, &others)
        };
        (0..rows.len()).flat_map(of).collect()
    }
}

/// A score beside others (score, logarithm of its share); zeros where there are none.
fn numbers(own: f32, others: &[(f32, f32)]) -> [f32; COMPARED] {
    if others.is_empty() {
        return [0.0; COMPARED];
    }
    let best = others.iter().map(|other| other.0).fold(f32::MIN, f32::max);
    let sum: f32 = others.iter().map(|(score, share)| (score + share - best).exp()).sum();
    let mean = others.iter().map(|other| other.0).sum::<f32>() / others.len() as f32;
    let above = others.iter().filter(|other| other.0 > own).count() as f32 / others.len() as f32;
    [own - best - sum.ln(), own - best, own - mean, above]
}

/// Letters 2 to 8.
fn seed(mirna: &[u8]) -> &[u8] {
    &mirna[1..8]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::Device;
    use crate::networks::pairmap::alignment::Alignment as Layer;
    use crate::networks::pairmap::{MODEL, WIDTH, encode};
    use crate::tasks::target_site::Pair;
    use crate::{Options, Replica};

    const LET_7: &str = "UGAGGUAGUAGGUUGUAUAGUU";
    const MIR_21: &str = "UAGCUUAUCAGACUGAUGUUGA";
    const MIR_16: &str = "UAGCAGCACGUAAAUAUUGGCG";

    fn input(mirna: &str, site: &str) -> Vec<f32> {
        let pair = Pair { mirna: mirna.parse().unwrap(), site: site.parse().unwrap() };
        encode(&pair).values
    }

    /// let-7 twice, miR-21 once, and a panel of two that has seen them.
    fn adapted() -> Replica {
        let options: Options = serde_json::from_str(r#"{"panel": 2}"#).unwrap();
        let replica = Replica::new(&MODEL, &options, Device::Cpu).unwrap();
        let site = "AACUAUACAACCUACUACCUCAAA";
        let rows = [LET_7, MIR_21, LET_7].map(|mirna| input(mirna, site)).concat();
        Panel::adapt(&replica.store, &Tensor::from_slice(&rows).view([3, WIDTH as i64]));
        replica
    }

    #[test]
    fn holds_the_most_frequent_families_and_their_shares() {
        let replica = adapted();
        let variables = replica.store.variables();
        let shares = values(&variables["head.panel.shares"]);
        assert!((shares[0].exp() - 2.0 / 3.0).abs() < 1e-6 && (shares[1].exp() - 1.0 / 3.0).abs() < 1e-6);
        let first = &values(&variables["head.panel.mirnas"])[..MIRNA_ROWS];
        assert_eq!(first, &input(LET_7, "AAAAAA")[..MIRNA_ROWS]);
    }

    #[test]
    fn compares_with_mirnas_of_other_families() {
        let replica = adapted();
        let variables = replica.store.variables();
        let panel = Panel {
            mirnas: variables["head.panel.mirnas"].shallow_clone(),
            shares: variables["head.panel.shares"].shallow_clone(),
        };
        let site = "AACUAUACAACCUACUACCUCAAA";
        let inputs = [LET_7, MIR_21, MIR_16].map(|mirna| input(mirna, site)).concat();
        let rows = Rows::of(&Tensor::from_slice(&inputs).view([3, WIDTH as i64]));
        let letters = rows.letters();
        let aligner = Layer::of(&replica.store).unwrap().aligner();
        let alignments = aligner.align(&letters);
        let compared = panel.compare(&aligner, &letters, &alignments);
        let scores: Vec<f32> = alignments.iter().map(|alignment| alignment.score).collect();
        let best = |row: usize| compared[row * COMPARED + 1];
        // let-7's site: it beats miR-21, its only competitor, and miR-21 and miR-16 lose to it.
        assert!((best(0) - (scores[0] - scores[1])).abs() < 1e-4 && best(0) > 0.0);
        assert!((best(1) - (scores[1] - scores[0])).abs() < 1e-4 && best(1) < 0.0);
        assert!((best(2) - (scores[2] - scores[0])).abs() < 1e-4);
        assert_eq!(compared[2 * COMPARED + 3], 1.0 / 2.0 * if scores[1] > scores[2] { 2.0 } else { 1.0 });
    }
}

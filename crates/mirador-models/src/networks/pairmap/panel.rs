//! The competitors: which of the most frequent miRNAs would this site prefer?

use std::collections::BTreeMap;
use std::sync::Arc;

use tch::{Tensor, nn};

use super::aligner::{Aligner, Alignment, Letters};
use super::alignment::{Alignment as Trained, COMPARED, Rows};
use super::{MIRNA_ROWS, MISSING, WIDTH, numbered, numbers_of};
use crate::tasks::target_site::Competitor;
use crate::tensors::values;
use crate::{Competition, LoadError, Panels};

/// Values behind an input's letters and seed match: whether the row has been compared with a panel of its own, and those
/// numbers.
pub(super) const OWN: usize = 1 + COMPARED;

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

    /// Fills a network's panel, if it has one, from training inputs (n, 136).
    pub(super) fn adapt(store: &nn::VarStore, inputs: &Tensor) {
        let variables = store.variables();
        let variable = |name: &str| variables.get(&format!("head.panel.{name}"));
        let (Some(mirnas), Some(shares)) = (variable("mirnas"), variable("shares")) else { return };
        let rows = Rows::of(inputs);
        let letters = rows.letters();
        let frequent = families(letters.iter().map(|row| (row.mirna, 1.0)), shares.numel());
        for (at, (count, mirna)) in frequent.iter().enumerate() {
            let share = (count / letters.len() as f64).ln();
            let mut padded = [f32::from(MISSING); MIRNA_ROWS];
            padded.iter_mut().zip(*mirna).for_each(|(value, &letter)| *value = f32::from(letter));
            tch::no_grad(|| {
                mirnas.get(at as i64).copy_(&Tensor::from_slice(&padded));
                let _ = shares.get(at as i64).fill_(share);
            });
        }
    }

    /// The numbers of each row: those that it brings, else by this panel.
    pub(super) fn compare(
        &self,
        aligner: &Aligner,
        rows: &Rows,
        letters: &[Letters<'_>],
        alignments: &[Alignment],
    ) -> Vec<f32> {
        let (mut compared, own): (Vec<_>, Vec<_>) =
            rows.compared().iter().map(|own| (own.unwrap_or_default(), own.is_some())).unzip();
        let rest: Vec<usize> = (0..own.len()).filter(|&row| !own[row]).collect();
        let of_rest: Vec<Letters<'_>> = rest.iter().map(|&row| letters[row]).collect();
        let score = |index: usize| alignments[rest[index]].score;
        for (&row, numbers) in rest.iter().zip(self.competitors().compare(aligner, &of_rest, score)) {
            compared[row] = numbers;
        }
        compared.into_flattened()
    }

    /// The panel's miRNAs, outside libtorch.
    pub(super) fn competitors(&self) -> Competitors {
        let letters: Vec<u8> = values(&self.mirnas).into_iter().map(|letter| letter as u8).collect();
        let mirnas =
            letters.chunks(MIRNA_ROWS).filter_map(|row| row.split(|&letter| letter == MISSING).next());
        let shared = mirnas.zip(values(&self.shares)).filter(|(mirna, _)| !mirna.is_empty());
        Competitors(shared.map(|(mirna, share)| (mirna.to_vec(), share)).collect())
    }
}

/// miRNAs that compete for sites, one of each family, each with the logarithm of its family's share.
pub(super) struct Competitors(Vec<(Vec<u8>, f32)>);

impl Competitors {
    /// A caller's own, as the panel of training is made: the most frequent miRNA of each of as many families as that has.
    /// Levels count in proportion; together these miRNAs have the share of that panel.
    fn own(panel: &[Competitor], trained: &Self) -> Self {
        let mut levels: Vec<(Vec<u8>, f64)> =
            panel.iter().map(|competitor| (numbers_of(&competitor.mirna), competitor.level)).collect();
        // So that sums do not depend on the order.
        levels.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
        let levels = levels.iter().map(|(mirna, level)| (mirna.as_slice(), *level));
        let frequent = families(levels, trained.0.len());
        let shared: f64 = trained.0.iter().map(|(_, share)| f64::from(*share).exp()).sum();
        let scale = shared / frequent.iter().map(|(level, _)| level).sum::<f64>();
        Self(frequent.iter().map(|(level, mirna)| (mirna.to_vec(), (level * scale).ln() as f32)).collect())
    }

    /// For each row its score less that of the others together, less the best of them, less their mean, and the fraction
    /// of others above it. miRNAs of the row's own family are no competitors.
    pub(super) fn compare(
        &self,
        aligner: &Aligner,
        rows: &[Letters<'_>],
        own: impl Fn(usize) -> f32,
    ) -> Vec<[f32; COMPARED]> {
        let panel = &self.0;
        let pairs: Vec<Letters<'_>> = rows
            .iter()
            .flat_map(|row| panel.iter().map(|(mirna, _)| Letters { mirna, site: row.site }))
            .collect();
        let scores = aligner.scores(&pairs);
        let of = |index: usize| {
            let scores = &scores[index * panel.len()..(index + 1) * panel.len()];
            let family = seed(rows[index].mirna);
            let others = panel.iter().zip(scores).filter(|((mirna, _), _)| seed(mirna) != family);
            let others: Vec<(f32, f32)> = others.map(|((_, share), &score)| (score, *share)).collect();
            numbers(own(index), &others)
        };
        (0..rows.len()).map(of).collect()
    }
}

/// The most frequent families, at most so many: each one's sum and its most frequent miRNA.
fn families<'a>(mirnas: impl Iterator<Item = (&'a [u8], f64)>, most: usize) -> Vec<(f64, &'a [u8])> {
    let mut families: BTreeMap<&[u8], BTreeMap<&[u8], f64>> = BTreeMap::new();
    for (mirna, level) in mirnas {
        *families.entry(seed(mirna)).or_default().entry(mirna).or_default() += level;
    }
    let mut frequent: Vec<(f64, &[u8])> = families
        .values()
        .filter_map(|members| {
            let (most, _) = members.iter().max_by(|one, other| one.1.total_cmp(other.1))?;
            Some((members.values().sum(), *most))
        })
        .collect();
    frequent.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.cmp(one.1)));
    frequent.truncate(most);
    frequent
}

/// Makes panels of callers for the network with these variables; none where it reads no panel.
pub(super) fn panels(store: &nn::VarStore) -> Result<Option<Panels>, LoadError> {
    let variables = store.variables();
    let variable = |name: &str| variables.get(&format!("head.panel.{name}")).map(Tensor::shallow_clone);
    let (Some(mirnas), Some(shares)) = (variable("mirnas"), variable("shares")) else { return Ok(None) };
    let trained = Panel { mirnas, shares }.competitors();
    let aligner = Arc::new(Trained::of(store)?.aligner());
    Ok(Some(Box::new(move |panel| {
        let (competitors, aligner) = (Competitors::own(panel, &trained), aligner.clone());
        let compare: Competition = Box::new(move |pair, input| {
            let [mirna, site] = numbered(pair);
            let row = [Letters { mirna: &mirna, site: &site }];
            let own = aligner.scores(&row);
            let compared = competitors.compare(&aligner, &row, |index| own[index]);
            input[WIDTH] = 1.0;
            input[WIDTH + 1..].copy_from_slice(compared.as_flattened());
        });
        compare
    })))
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
    use crate::networks::pairmap::{MODEL, encode};
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

    const SITE: &str = "AACUAUACAACCUACUACCUCAAA";

    fn pair(mirna: &str) -> Pair {
        Pair { mirna: mirna.parse().unwrap(), site: SITE.parse().unwrap() }
    }

    /// An input with a panel of its own.
    fn beside(replica: &Replica, mirna: &str, panel: &[(&str, f64)]) -> Vec<f32> {
        let competitor = |&(mirna, level): &(&str, f64)| Competitor { mirna: mirna.parse().unwrap(), level };
        let panel: Vec<Competitor> = panel.iter().map(competitor).collect();
        let mut values = replica.encoder.encode(&pair(mirna).into()).values;
        panels(&replica.store).unwrap().unwrap()(&panel)(&pair(mirna), &mut values);
        values
    }

    #[test]
    fn the_networks_own_panel_sent_by_a_caller_changes_nothing() {
        tch::manual_seed(3);
        let replica = adapted();
        for mirna in [LET_7, MIR_21, MIR_16] {
            let fixed = replica.score(&[pair(mirna).into()])[0];
            let other = replica.forward(&beside(&replica, mirna, &[(MIR_16, 1.0), (MIR_21, 1.0)]))[0];
            for panel in [
                &[(LET_7, 2.0), (MIR_21, 1.0)][..],
                &[(MIR_21, 300.0), (LET_7, 600.0)],
                &[(LET_7, 0.5), (MIR_21, 0.5), (LET_7, 0.5)],
                // The third family is one more than the panel has room for.
                &[(MIR_16, 0.1), (LET_7, 2.0), (MIR_21, 1.0)],
            ] {
                let own = replica.forward(&beside(&replica, mirna, panel))[0];
                assert!((own - fixed).abs() < 1e-5, "{mirna} {panel:?}: {own}, not {fixed}");
            }
            assert!(mirna != MIR_16 || (other - fixed).abs() > 1e-3, "{mirna}: {other} and {fixed}");
        }
    }

    #[test]
    fn a_row_with_a_panel_of_its_own_leaves_its_neighbours_alone() {
        tch::manual_seed(3);
        let replica = adapted();
        let rows = [
            beside(&replica, MIR_16, &[(MIR_21, 1.0)]),
            replica.encoder.encode(&pair(MIR_16).into()).values,
            beside(&replica, MIR_16, &[(LET_7, 1.0)]),
        ];
        let together = replica.forward(&rows.concat());
        for (row, together) in rows.iter().zip(&together) {
            assert!((replica.forward(row)[0] - together).abs() < 1e-5);
        }
        assert!((together[0] - together[2]).abs() > 1e-3);
    }

    #[test]
    fn a_network_without_a_panel_makes_none() {
        let replica = Replica::new(&MODEL, &Options::new(), Device::Cpu).unwrap();
        assert!(panels(&replica.store).unwrap().is_none());
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
        let aligner = Trained::of(&replica.store).unwrap().aligner();
        let alignments = aligner.align(&letters);
        let compared = panel.compare(&aligner, &rows, &letters, &alignments);
        let scores: Vec<f32> = alignments.iter().map(|alignment| alignment.score).collect();
        let best = |row: usize| compared[row * COMPARED + 1];
        // let-7's site: it beats miR-21, its only competitor, and miR-21 and miR-16 lose to it.
        assert!((best(0) - (scores[0] - scores[1])).abs() < 1e-4 && best(0) > 0.0);
        assert!((best(1) - (scores[1] - scores[0])).abs() < 1e-4 && best(1) < 0.0);
        assert!((best(2) - (scores[2] - scores[0])).abs() < 1e-4);
        assert_eq!(compared[2 * COMPARED + 3], 1.0 / 2.0 * if scores[1] > scores[2] { 2.0 } else { 1.0 });
    }
}

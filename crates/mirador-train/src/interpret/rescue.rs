//! Base pairs broken on either strand and restored by both: how much of the score comes back.

use mirador_models::interpret::{DoubleMutant, rescue};
use mirador_models::tasks::target_site::Pair;
use mirna::fold::Duplex;
use serde::{Deserialize, Serialize};

use super::scorer::Scorer;
use crate::stats::correlation::mean;
use crate::stats::interval::{Interval, bootstrap};

/// The mean over rows of each row's mean over its base pairs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rescue {
    /// Rows that were asked.
    pub rows: usize,
    /// Rows with a pair that tells: its single mutants lose more than .05.
    pub telling_rows: usize,
    /// Base pairs of all rows.
    pub pairs: usize,
    /// Those that tell.
    pub telling_pairs: usize,
    /// The mean and its interval, a bootstrap over rows; none where no row tells.
    pub rescue: Option<Interval>,
    /// Mean probability of the rows, and with each pair broken on the miRNA, on the site, and restored.
    pub probabilities: [f64; 4],
}

/// The mutants of a row's base pairs.
fn mutants(pair: &Pair, duplex: &Duplex) -> Vec<DoubleMutant> {
    let mutant = |&(mirna, site): &(usize, usize)| {
        DoubleMutant::new([(0, mirna), (1, site)], [pair.mirna[mirna], pair.site[site]])
    };
    duplex.pairs.iter().map(mutant).collect()
}

/// Mutates every base pair of the rows' duplexes.
pub fn rescued(scorer: &Scorer<'_>, what: &str, pairs: &[Pair], duplexes: &[Option<Duplex>]) -> Rescue {
    let folded =
        pairs.iter().zip(duplexes).filter_map(|(pair, duplex)| Some((pair.clone(), duplex.as_ref()?)));
    let (pairs, duplexes): (Vec<Pair>, Vec<&Duplex>) = folded.unzip();
    let of_row = |row: usize| mutants(&pairs[row], duplexes[row]);
    let changes = |row: usize| of_row(row).iter().flat_map(DoubleMutant::changes).collect();
    let (mut told, mut telling_pairs, mut all) = (Vec::new(), 0, 0);
    let mut sums = [0.0; 4];
    scorer.each(what, &pairs, changes, |row, scores| {
        let mut mutants = of_row(row);
        for (mutant, scored) in mutants.iter_mut().zip(scores[1..].chunks_exact(3)) {
            mutant.score(scores[0], [scored[0], scored[1], scored[2]]);
            let four = [scores[0], scored[0], scored[1], scored[2]];
            sums.iter_mut().zip(four).for_each(|(sum, p)| *sum += f64::from(p));
        }
        all += mutants.len();
        telling_pairs += mutants.iter().filter(|mutant| mutant.rescue.is_some()).count();
        told.extend(rescue(&mutants).map(f64::from));
    });
    let interval = || {
        let groups: Vec<usize> = (0..told.len()).collect();
        let of = |rows: &[usize]| vec![mean(&rows.iter().map(|&row| told[row]).collect::<Vec<f64>>())];
        bootstrap(&groups, of)[0]
    };
    Rescue {
        rows: pairs.len(),
        telling_rows: told.len(),
        pairs: all,
        telling_pairs,
        rescue: (!told.is_empty()).then(interval),
        probabilities: sums.map(|sum| sum / all.max(1) as f64),
    }
}

//! Made-up experiments with known weights, for tests.

use mirador_models::networks::repression::CLASSES;
use mirna::{Base, Rna};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::rows::{COLUMNS, Columns, Rows, VALUES};
use crate::data::repression::dataset::{About, Change, Dataset, Experiment, Gene, Kind, write};

/// miRNAs, each of a seed group of its own.
pub(super) const MIRNAS: usize = 6;
const GENES: usize = 1_500;

/// Weights of the class alone, and of features where the model has some.
pub(super) fn truth() -> Columns {
    let mut truth = [0.0; COLUMNS];
    for (class, site) in [0.8, 0.5, 0.4, 0.15, 0.08, 0.07].into_iter().enumerate() {
        let features = [0.2, -0.1, if class < 4 { -0.03 } else { 0.0 }, -0.05];
        truth[class * VALUES] = site;
        truth[class * VALUES + 1..][..features.len()].copy_from_slice(&features.map(|weight| weight * site));
    }
    truth
}

/// Experiments whose genes change by the true weights, by noise, and by `of_length` for each tenfold length.
pub(super) fn rows(of_length: f64) -> Rows {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mirnas: Vec<Rna> = (0..MIRNAS).map(|_| letters(22, &mut rng).into_iter().collect()).collect();
    let genes = (0..GENES).map(|gene| Gene {
        id: format!("G{gene}"),
        symbol: String::new(),
        utr: utr(&mirnas, &mut rng),
    });
    let genes: Vec<Gene> = genes.collect();
    let unchanged = Change { raw: 0.0, centred: 0.0, fdr: Some(1e-3) };
    let experiment = |(at, mirna): (usize, &Rna)| Experiment {
        about: About {
            id: format!("E{at}"),
            mirna: format!("M{at}"),
            sequence: mirna.to_string(),
            group: format!("M{at}"),
            kind: Kind::OverExpression,
            series: format!("S{at}"),
        },
        changes: vec![Some(unchanged); GENES],
    };
    let dataset = Dataset { experiments: mirnas.iter().enumerate().map(experiment).collect(), genes };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("repression.tsv");
    write(&path, &dataset).expect("a file");
    let mut rows = Rows::open(&path).expect("what was written");
    for at in 0..MIRNAS {
        for gene in 0..GENES {
            let sites: f64 = rows.sums(at)[gene].iter().zip(truth()).map(|(sum, weight)| sum * weight).sum();
            // Nearly normal, with a standard deviation of .3.
            let noise = 0.3 * ((0..12).map(|_| rng.random_range(0.0..1.0)).sum::<f64>() - 6.0);
            let raw = -(sites + of_length * rows.lengths[gene] + noise);
            rows.dataset.experiments[at].changes[gene] = Some(Change { raw, centred: raw, ..unchanged });
        }
    }
    rows
}

fn letters(length: usize, rng: &mut ChaCha8Rng) -> Vec<Base> {
    (0..length).map(|_| [Base::A, Base::C, Base::G, Base::U][rng.random_range(0..4)]).collect()
}

/// Random letters with seed matches put in, the more the longer.
fn utr(mirnas: &[Rna], rng: &mut ChaCha8Rng) -> Rna {
    let mut utr = letters(rng.random_range(200..2_000), rng);
    for _ in 0..utr.len() / 100 {
        let mirna = &mirnas[rng.random_range(0..mirnas.len())];
        let mut site = Rna::from(&mirna[..8]).reverse_complement().to_vec();
        site[7] = Base::A;
        // What does not pair makes the class: nothing, position 8, the A, both, position 2, position 7.
        for &place in [&[][..], &[0], &[7], &[0, 7], &[6], &[0, 1]][rng.random_range(0..CLASSES)] {
            site[place] = Base::N;
        }
        let at = rng.random_range(0..utr.len());
        utr.splice(at..at, site);
    }
    utr.into_iter().collect()
}

//! Which letters pair in the duplex of least free energy, by region (Gu et al. 2021, Table 2).

use std::collections::HashMap;

use mirador_models::tasks::target_site::Pair;
use mirna::Base;
use mirna::fold::{Duplex, Duplexes};
use serde::{Deserialize, Serialize};

use super::regions::PAIRED;

/// Rows whose effect of a region is above what the paper found on average: its "extracted" rows.
const EXTRACTED: [(&str, f64); 3] = [("L13-4", 0.48), ("L10-4", 0.61), ("LT7-5", 0.23)];
/// The seed whose letters are counted: positions 2 to 7, from 0.
const SEED: std::ops::Range<usize> = 1..7;

/// The fraction of letters that pair in each region.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pairing {
    /// Which rows: `all`, or the region whose effect is above a bound.
    pub rows_of: String,
    /// The bound.
    pub above: Option<f64>,
    /// How many rows.
    pub rows: usize,
    /// Region and fraction (Watson–Crick and G·U).
    pub fractions: Vec<(String, f64)>,
}

/// Letters of the seed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SeedLetter {
    /// A, C, G or U.
    pub letter: char,
    /// Fraction of the letters at positions 2 to 7.
    pub fraction: f64,
}

/// The duplex of each row; none where no hybrid is stable.
pub fn fold(pairs: &[Pair]) -> Vec<Option<Duplex>> {
    let mut duplexes = Duplexes::new();
    pairs.iter().map(|pair| duplexes.fold(&pair.mirna, &pair.site)).collect()
}

/// Pairing of all rows and of the extracted ones; `effects` are the rows' effects by region.
pub fn pairing(
    pairs: &[Pair],
    duplexes: &[Option<Duplex>],
    effects: &HashMap<&'static str, Vec<f64>>,
) -> Vec<Pairing> {
    let rows: Vec<usize> = (0..pairs.len()).collect();
    let mut found = vec![of_rows("all", None, &rows, pairs, duplexes)];
    for (region, above) in EXTRACTED {
        let rows: Vec<usize> = rows.iter().copied().filter(|&row| effects[region][row] > above).collect();
        found.push(of_rows(region, Some(above), &rows, pairs, duplexes));
    }
    found
}

fn of_rows(
    name: &str,
    above: Option<f64>,
    rows: &[usize],
    pairs: &[Pair],
    duplexes: &[Option<Duplex>],
) -> Pairing {
    let fraction = |part: &super::regions::Part| {
        let (mut paired, mut letters) = (0, 0);
        for &row in rows {
            let length = if part.strand == 0 { pairs[row].mirna.len() } else { pairs[row].site.len() };
            let region = part.letters(length);
            letters += region.len();
            let pairs = duplexes[row].iter().flat_map(|duplex| &duplex.pairs);
            let place = |pair: &(usize, usize)| if part.strand == 0 { pair.0 } else { pair.1 };
            paired += pairs.filter(|pair| region.contains(&place(pair))).count();
        }
        (part.name.to_owned(), paired as f64 / letters.max(1) as f64)
    };
    let fractions = PAIRED.iter().map(fraction).collect();
    Pairing { rows_of: name.to_owned(), above, rows: rows.len(), fractions }
}

/// How often each letter stands in the seed.
pub fn seed_letters(pairs: &[Pair]) -> Vec<SeedLetter> {
    let letters: Vec<Base> = pairs.iter().flat_map(|pair| pair.mirna[SEED].to_vec()).collect();
    let fraction = |base: Base| {
        let count = letters.iter().filter(|letter| **letter == base).count();
        SeedLetter { letter: base.letter(), fraction: count as f64 / letters.len().max(1) as f64 }
    };
    [Base::A, Base::C, Base::G, Base::U].into_iter().map(fraction).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_duplex_pairs_everywhere() {
        let mirna: mirna::Rna = "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap();
        let site = mirna.reverse_complement();
        let pairs = vec![Pair { mirna, site }];
        let effects = EXTRACTED.iter().map(|(name, _)| (*name, vec![0.5])).collect();
        let found = pairing(&pairs, &fold(&pairs), &effects);
        assert_eq!(found.iter().map(|pairing| pairing.rows).collect::<Vec<_>>(), [1, 1, 0, 1]);
        assert!(found[0].fractions.iter().all(|(_, fraction)| *fraction == 1.0), "{found:?}");
        let letters = seed_letters(&pairs);
        assert_eq!(letters[2].fraction, 3.0 / 6.0, "GAGGUA");
    }
}

//! Sites as they might have been cut: what the networks must not learn is where a source puts the duplex.
//!
//! The duplex lies near nt 15 of 50 in CLASH 2013, near 23 in Hejret 2023 and near 21 in Klimentova 2022. A network
//! with a dense layer over positions takes that for biology unless training moves the sites.

use std::ops::RangeInclusive;

use mirador_models::tasks::target_site::Pair;
use mirna::duplex::duplex;
use mirna::{Base, Rna};
use rand::RngExt;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use crate::recipe::SiteRows;

/// Furthest move, nt: then 20 of 50 nt of the site are still there on either side of a duplex in its middle.
const FURTHEST: usize = 15;
/// Shortest site that cropping leaves, nt.
const SHORTEST: usize = 26;
/// Lengths that sites are cut to, nt.
pub const CUT: RangeInclusive<usize> = 20..=50;

/// Moves and crops a pair's site with the shares of `rows`; `sites` lend the letters that come into view.
pub fn augment(pair: Pair, sites: &[Rna], rows: SiteRows, rng: &mut ChaCha8Rng) -> Pair {
    let mut site = pair.site.to_vec();
    if rng.random_bool(rows.shifted) {
        shift(&mut site, sites, rng);
    }
    if rng.random_bool(rows.cropped) && site.len() > SHORTEST {
        let kept = rng.random_range(SHORTEST..=site.len());
        let start = rng.random_range(0..=site.len() - kept);
        site = site[start..start + kept].to_vec();
    }
    let pair = Pair { site: site.into_iter().collect(), ..pair };
    match rng.random_bool(rows.cut) {
        true => {
            let (length, place) = (rng.random_range(CUT), rng.random_range(0.0..1.0));
            cut(&pair, length, place)
        }
        false => pair,
    }
}

/// The pair with its site cut to `length` nt round the duplex that the untrained aligner finds: as far to the left
/// (`place` 0) or to the right (1) as holds the duplex. Of a duplex longer than `length` the middle is kept.
pub fn cut(pair: &Pair, length: usize, place: f64) -> Pair {
    let site = &pair.site;
    let spare = site.len().saturating_sub(length);
    let found = duplex(&pair.mirna, site).site;
    let (first, last) = (found.end.saturating_sub(length).min(spare), found.start.min(spare));
    let start = match first <= last {
        true => first + ((last - first) as f64 * place).round() as usize,
        false => usize::midpoint(first, last),
    };
    Pair { mirna: pair.mirna.clone(), site: site[start..(start + length).min(site.len())].into() }
}

/// Moves the window to either side at the same length; letters of another site fill the gap.
fn shift(site: &mut [Base], sites: &[Rna], rng: &mut ChaCha8Rng) {
    let length = site.len();
    let Some(other) = sites.choose(rng).filter(|other| other.len() >= length) else { return };
    let by = rng.random_range(1..=FURTHEST.min(length / 3).max(1));
    if rng.random_bool(0.5) {
        site.rotate_right(by);
        site[..by].copy_from_slice(&other[..by]);
    } else {
        site.rotate_left(by);
        site[length - by..].copy_from_slice(&other[length - by..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn keeps_most_of_the_site_in_one_piece() {
        let site: Rna = "GGCUACCUCAGGAUUCGAUCGGAUCUAGGAUCUAGGCUUACGGAUUACGA".parse().unwrap();
        let pair = Pair { mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(), site: site.clone() };
        let other: Rna = "N".repeat(50).parse().unwrap();
        let rows = SiteRows { shifted: 1.0, cropped: 0.5, ..SiteRows::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let moved = augment(pair.clone(), std::slice::from_ref(&other), rows, &mut rng);
            assert!((SHORTEST..=50).contains(&moved.site.len()));
            let own: Vec<Base> = moved.site.iter().copied().filter(|&base| base != Base::N).collect();
            assert!(own.len() >= SHORTEST - FURTHEST);
            assert!(site.windows(own.len()).any(|part| part == own));
        }
    }

    #[test]
    fn a_cut_holds_the_duplex() {
        let mirna: Rna = "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap();
        let site: Rna = "GGCAGGAUUACCGAAACUAUACAACCUACUACCUCAGGAUCUAGGCUUACG".parse().unwrap();
        let pair = Pair { mirna, site };
        let cut = |length, place| cut(&pair, length, place).site.to_string();
        assert_eq!(cut(24, 0.0), "GAAACUAUACAACCUACUACCUCA");
        assert_eq!(cut(24, 1.0), "AACUAUACAACCUACUACCUCAGG");
        assert_eq!(cut(22, 0.7), "AACUAUACAACCUACUACCUCA");
        assert_eq!(cut(20, 0.0), "ACUAUACAACCUACUACCUC");
        assert_eq!(cut(90, 0.5), pair.site.to_string());
        for place in [0.0, 0.3, 1.0] {
            let site = cut(30, place);
            assert!(site.len() == 30 && site.contains("AACUAUACAACCUACUACCUCA"), "{place}: {site}");
        }
    }
}

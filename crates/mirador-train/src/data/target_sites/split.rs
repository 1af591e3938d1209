//! Splits that share nothing: sites by single linkage on shared k-mers, miRNAs by seed family.

use std::collections::{HashMap, HashSet};

use mirna::{Base, Rna};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::{Example, Split};

/// Sites that share this many letters in a row are one cluster…
const LONG: usize = 25;
/// …this many when one of them is shorter than [`SHORT_SITE`].
const SHORT: usize = 14;
const SHORT_SITE: usize = 30;

/// The k-mers by which two sets of sites can be told to touch.
pub struct SharedKmers<'a> {
    long: HashSet<&'a [Base]>,
    /// Short k-mers of every site, for a short one to be held against.
    short: HashSet<&'a [Base]>,
    short_of_short: HashSet<&'a [Base]>,
}

impl<'a> SharedKmers<'a> {
    /// The k-mers of these sites.
    pub fn new(sites: impl Iterator<Item = &'a Rna> + Clone) -> Self {
        let kmers = |k: usize, short_only: bool| {
            sites
                .clone()
                .filter(move |site| !short_only || site.len() < SHORT_SITE)
                .flat_map(move |site| site.windows(k))
                .collect()
        };
        Self { long: kmers(LONG, false), short: kmers(SHORT, false), short_of_short: kmers(SHORT, true) }
    }

    /// Whether a site shares 25 nt with one of them (14 when either is under 30 nt).
    pub fn touch(&self, site: &Rna) -> bool {
        let short = if site.len() < SHORT_SITE { &self.short } else { &self.short_of_short };
        site.windows(LONG).any(|kmer| self.long.contains(kmer))
            || site.windows(SHORT).any(|kmer| short.contains(kmer))
    }
}

/// A cluster number for each site: single linkage on shared 25-mers (14-mers where a site is under 30 nt).
pub fn clusters(sites: &[&Rna]) -> Vec<usize> {
    let mut parents: Vec<usize> = (0..sites.len()).collect();
    let mut first_with: HashMap<&[Base], usize> = HashMap::new();
    let short: HashSet<&[Base]> =
        sites.iter().filter(|site| site.len() < SHORT_SITE).flat_map(|site| site.windows(SHORT)).collect();
    for (index, site) in sites.iter().enumerate() {
        let linking = site.windows(SHORT).filter(|kmer| short.contains(kmer));
        for kmer in site.windows(LONG).chain(linking) {
            let other = *first_with.entry(kmer).or_insert(index);
            let (a, b) = (root(&mut parents, index), root(&mut parents, other));
            parents[a.max(b)] = a.min(b);
        }
    }
    (0..sites.len()).map(|index| root(&mut parents, index)).collect()
}

fn root(parents: &mut [usize], mut index: usize) -> usize {
    while parents[index] != index {
        parents[index] = parents[parents[index]];
        index = parents[index];
    }
    index
}

/// Share of rows held back for unseen families, the largest share of one such family, and share of clusters for
/// validation.
const LEFT_OUT: f64 = 0.04;
const LEFT_OUT_FAMILY: f64 = 0.005;
const VALIDATION: f64 = 0.1;

/// Sets every row's split: some miRNA families are left out, then a tenth of the site clusters is validation. Rows
/// that share a cluster with a left-out row are removed; their number is returned.
pub fn assign(rows: &mut Vec<Example>, seed: u64) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut sizes: HashMap<Vec<Base>, usize> = HashMap::new();
    for row in rows.iter() {
        *sizes.entry(row.family().to_vec()).or_default() += 1;
    }
    let total = rows.len() as f64;
    let mut families: Vec<(Vec<Base>, usize)> = sizes.into_iter().collect();
    families.sort_unstable();
    families.shuffle(&mut rng);
    let mut left_out = HashSet::new();
    let mut held = 0;
    for (family, size) in families {
        if (size as f64) < LEFT_OUT_FAMILY * total && (held as f64) < LEFT_OUT * total {
            held += size;
            left_out.insert(family);
        }
    }
    let touched: HashSet<usize> =
        rows.iter().filter(|row| left_out.contains(row.family())).map(|row| row.cluster).collect();
    let before = rows.len();
    rows.retain(|row| left_out.contains(row.family()) || !touched.contains(&row.cluster));

    let mut clusters: Vec<usize> = rows.iter().map(|row| row.cluster).collect();
    clusters.sort_unstable();
    clusters.dedup();
    clusters.shuffle(&mut rng);
    let validation: HashSet<usize> =
        clusters.iter().copied().take((clusters.len() as f64 * VALIDATION) as usize).collect();
    for row in rows.iter_mut() {
        row.split = match () {
            () if left_out.contains(row.family()) => Split::LeftOut,
            () if validation.contains(&row.cluster) => Split::Validation,
            () => Split::Train,
        };
    }
    before - rows.len()
}

#[cfg(test)]
mod tests {
    use mirador_models::tasks::target_site::Pair;

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_sites_that_share_letters() {
        let long = "ACGUACGGUUACGAUCGGAUUCAGC".to_owned() + "AAAAAAAAAA";
        let also = "GGGGGGG".to_owned() + &long[..25];
        let short = long[3..20].to_owned();
        let other = "C".repeat(40);
        let sites: Vec<Rna> = [&long, &also, &short, &other].iter().map(|s| s.parse().unwrap()).collect();
        assert_eq!(clusters(&sites.iter().collect::<Vec<_>>()), [0, 0, 0, 3]);
        let kmers = SharedKmers::new(sites[..1].iter());
        assert!(kmers.touch(&sites[1]) && kmers.touch(&sites[2]) && !kmers.touch(&sites[3]));
    }

    proptest! {
        #[test]
        fn no_cluster_and_no_left_out_family_stands_in_two_splits(
            letters in prop::collection::vec(("[ACGU]{15}", 0usize..60), 200..300), seed in 0u64..9,
        ) {
            let site: Rna = "ACGUACGU".parse().unwrap();
            let mut rows: Vec<Example> = letters
                .iter()
                .map(|(mirna, cluster)| {
                    let pair = Pair { mirna: mirna.parse().unwrap(), site: site.clone() };
                    Example { source: "s".into(), split: Split::Train, cluster: *cluster, pair, label: true }
                })
                .collect();
            assign(&mut rows, seed);
            let mut of_cluster = HashMap::new();
            let mut left_out = HashMap::new();
            for row in &rows {
                prop_assert_eq!(*of_cluster.entry(row.cluster).or_insert(row.split), row.split);
                let is_left_out = row.split == Split::LeftOut;
                prop_assert_eq!(*left_out.entry(row.family().to_vec()).or_insert(is_left_out), is_left_out);
            }
        }
    }
}

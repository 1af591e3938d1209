//! Public files → one dataset file: letters and orientation repaired, repeats and whatever touches a published test
//! dropped, splits assigned, every step counted.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Result, ensure};
use mirador_models::sha256;
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dataset::{Example, Split, UTR_WINDOW, write};
use super::split::{SharedKmers, assign, clusters};
use crate::data::sources::{
    Clash2013, Hejret2023, Labelled, PredictedSites, Tally, isomirs, klimentova2022, three_prime_utrs,
};

/// Fixed, so that everybody gets the same file.
const SEED: u64 = 1;

/// Name of the test of Hejret 2023 in the dataset.
pub const HEJRET_TEST: &str = "hejret2023_test";
/// Name of the test of Klimentova 2022.
pub const KLIMENTOVA_TEST: &str = "klimentova2022_test";

/// Writes `out` from the public files below `data`; returns what was done, in words.
pub fn target_sites(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let clash = Clash2013::read(data, &mut tally)?;
    let hejret = Hejret2023::read(data, &mut tally)?;
    let isomirs = isomirs(data, &mut tally)?;
    let fair_tests = fair_tests(data)?;
    let sites = fair_tests.iter().map(|row| &row.pair).chain(&clash.test_positives).map(|pair| &pair.site);
    let tests = SharedKmers::new(sites);
    let sources = [("clash2013", clash.positives), ("hejret2023", hejret.positives), ("isomirs", isomirs)];
    let mut rows = chimeras(sources, &tests, &mut tally);
    split(&mut rows, &mut tally);
    let windows = utr_windows(&rows, &three_prime_utrs(data)?, &tests)?;
    tally.count(windows.len(), "negatives of the paper's protocol: the same miRNA with a 3'UTR window");
    rows.extend(windows);
    rows.extend(fair_tests);
    finish(out, &rows, tally)
}

/// Writes `out` from the public files: chimeric reads and predicted sites, with the two bias-corrected tests. Any site
/// of a published test of any of these sets keeps a training site away.
pub fn all_target_sites(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let clash = Clash2013::read(data, &mut tally)?;
    let hejret = Hejret2023::read(data, &mut tally)?;
    let isomirs = isomirs(data, &mut tally)?;
    let predicted = PredictedSites::read(data, &mut tally)?;
    let fair_tests = fair_tests(data)?;
    let published = predicted.tests.iter().map(|(pair, _)| pair).chain(&clash.test_positives);
    let sites = fair_tests.iter().map(|row| &row.pair).chain(published).map(|pair| &pair.site);
    let tests = SharedKmers::new(sites);
    let [miraw, deepmirtar] = predicted.positives;
    let sources = [
        ("clash2013", clash.positives),
        ("hejret2023", hejret.positives),
        ("isomirs", isomirs),
        ("miraw", miraw),
        ("deepmirtar", deepmirtar),
    ];
    let mut rows = chimeras(sources, &tests, &mut tally);
    split(&mut rows, &mut tally);
    rows.extend(fair_tests);
    finish(out, &rows, tally)
}

/// Gives every row its cluster and its split.
fn split(rows: &mut Vec<Example>, tally: &mut Tally) {
    let sites: Vec<&Rna> = rows.iter().map(|row| &row.pair.site).collect();
    let numbers = clusters(&sites);
    rows.iter_mut().zip(numbers).for_each(|(row, cluster)| row.cluster = cluster);
    let lost = assign(rows, SEED);
    tally.count(lost, "rows share a site with a left-out miRNA family: dropped");
    for split in [Split::Train, Split::Validation, Split::LeftOut] {
        let positives = rows.iter().filter(|row| row.split == split).count();
        tally.count(positives, format!("positives in split {split:?}"));
    }
}

/// Writes the file, and adds how many rows it has and its digest.
pub(super) fn finish(out: &Path, rows: &[Example], mut tally: Tally) -> Result<Vec<String>> {
    write(out, rows)?;
    tally.0.push(format!("{} rows in {}, SHA-256 {}", rows.len(), out.display(), sha256(out)?));
    Ok(tally.0)
}

/// The bias-corrected tests, which every dataset ends with and none trains on: a site that shares 25 nt with one of theirs
/// is kept out of training.
pub(super) fn fair_tests(data: &Path) -> Result<Vec<Example>> {
    let hejret = Hejret2023::read(data, &mut Tally::default())?;
    let mut rows = published_test(HEJRET_TEST, &hejret.test);
    rows.extend(published_test(KLIMENTOVA_TEST, &klimentova2022(data)?));
    Ok(rows)
}

/// The positives of all sources, each pair once, away from the published tests.
pub(super) fn chimeras<const N: usize>(
    sources: [(&str, Vec<Pair>); N],
    tests: &SharedKmers<'_>,
    tally: &mut Tally,
) -> Vec<Example> {
    let mut seen = HashSet::new();
    let mut rows = Vec::new();
    for (source, pairs) in sources {
        let (mut repeats, mut touching) = (0, 0);
        let all = pairs.len();
        for pair in pairs {
            if tests.touch(&pair.site) {
                touching += 1;
            } else if seen.insert(pair.clone()) {
                let source = source.to_owned();
                rows.push(Example { source, split: Split::Train, cluster: 0, pair, label: true });
            } else {
                repeats += 1;
            }
        }
        tally.count(all, format!("positives in {source}"));
        tally.count(
            touching,
            format!("of them share 25 nt with a site of a published test: dropped ({source})"),
        );
        tally.count(repeats, format!("repeat a pair that was read before: dropped ({source})"));
    }
    rows
}

/// For each row a window of its site's length from a random 3'UTR, away from published tests and from all sites.
pub(super) fn utr_windows(rows: &[Example], utrs: &[Rna], tests: &SharedKmers<'_>) -> Result<Vec<Example>> {
    let positives = SharedKmers::new(rows.iter().map(|row| &row.pair.site));
    let longest = rows.iter().map(|row| row.pair.site.len()).max().unwrap_or(0);
    let utrs: Vec<&Rna> = utrs.iter().filter(|utr| utr.len() >= longest).collect();
    ensure!(!utrs.is_empty(), "no 3'UTR is long enough");
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut windows = Vec::with_capacity(rows.len());
    for row in rows {
        let site = loop {
            let Some(utr) = utrs.choose(&mut rng) else { continue };
            let start = rng.random_range(0..=utr.len() - row.pair.site.len());
            let window = Rna::from(&utr[start..start + row.pair.site.len()]);
            if !tests.touch(&window) && !positives.touch(&window) {
                break window;
            }
        };
        let pair = Pair { mirna: row.pair.mirna.clone(), site };
        windows.push(Example { source: row.source.clone() + UTR_WINDOW, pair, label: false, ..row.clone() });
    }
    Ok(windows)
}

/// A published test as it is; clusters are its own.
fn published_test(source: &str, rows: &[Labelled]) -> Vec<Example> {
    let sites: Vec<&Rna> = rows.iter().map(|(pair, _)| &pair.site).collect();
    let numbers = clusters(&sites);
    let example = |((pair, label), cluster): (&Labelled, usize)| Example {
        source: source.to_owned(),
        split: Split::Test,
        cluster,
        pair: pair.clone(),
        label: *label,
    };
    rows.iter().zip(numbers).map(example).collect()
}

//! The dataset of miRNAs as they were read (Hejret 2023): which isomiR each is, and what can be counted of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;
use mirna::isomir::{Isomir, IsomirType};
use mirna::mirbase::{Mature, Mirbase};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::{Example, Split, UTR_WINDOW};
use super::prepare::{finish, utr_windows};
use super::split::{SharedKmers, clusters};
use crate::data::sources::{Tally, human_mirbase, isomirs, isomirs_test, three_prime_utrs};
use crate::stats::significance::at_least;

/// Source of a read that is a mature miRNA of miRBase.
pub const MIRNA: &str = "mirna";
/// Source of a read that is no isomiR of any miRNA of miRBase.
const UNKNOWN: &str = "unknown";
/// Between the types of an isomiR that has several.
const AND: char = '+';

/// Fixed, so that everybody gets the same file.
const SEED: u64 = 1;
/// A miRNA with fewer reads of isomiRs is not asked which types it prefers. The paper asks from 100 on.
const READS: usize = 20;
/// Level of the binomial tests, corrected for their number (as in the paper).
const LEVEL: f64 = 0.01;

/// The isomiR types that a source's name holds; none for a miRNA, for what is unknown, and for other sources.
pub fn types(source: &str) -> impl Iterator<Item = IsomirType> {
    let names: Vec<&str> = source.strip_suffix(UTR_WINDOW).unwrap_or(source).split(AND).collect();
    IsomirType::ALL.into_iter().filter(move |kind| names.contains(&kind.name()))
}

/// A read beside the miRNA that it comes from.
struct Read<'a> {
    pair: Pair,
    origin: Option<(&'a Mature, Isomir)>,
}

impl Read<'_> {
    fn source(&self) -> String {
        let Some((_, isomir)) = &self.origin else { return UNKNOWN.to_owned() };
        let types: Vec<&str> = isomir.types().map(IsomirType::name).collect();
        if types.is_empty() { MIRNA.to_owned() } else { types.join(&AND.to_string()) }
    }

    fn mature(&self) -> Option<&str> {
        self.origin.as_ref().map(|(mature, _)| mature.name.as_str())
    }
}

/// Writes `out`: every positive read, its source named by its isomiR types, and as many negatives by the paper's protocol
/// (the same miRNA with a window of a 3'UTR). Rows of half of the miRNAs are `left_out`.
pub fn isomir_reads(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let mirbase = human_mirbase(data)?;
    let mut origins: HashMap<Rna, Option<(&Mature, Isomir)>> = HashMap::new();
    let pairs = isomirs(data, &mut tally)?;
    let read = |pair: Pair| {
        let origin = origins.entry(pair.mirna.clone()).or_insert_with(|| origin(&pair.mirna, &mirbase));
        Read { origin: origin.clone(), pair }
    };
    let reads: Vec<Read<'_>> = pairs.into_iter().map(read).collect();
    count(&reads, &mut tally);
    prefer(&reads, &mut tally);

    let mut names: Vec<Option<&str>> = reads.iter().map(Read::mature).collect();
    names.sort_unstable();
    names.dedup();
    names.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    let unseen: BTreeSet<Option<&str>> = names.split_off(names.len().div_ceil(2)).into_iter().collect();
    let numbers = clusters(&reads.iter().map(|read| &read.pair.site).collect::<Vec<_>>());
    let example = |(read, cluster): (&Read<'_>, usize)| Example {
        source: read.source(),
        split: if unseen.contains(&read.mature()) { Split::LeftOut } else { Split::Train },
        cluster,
        pair: read.pair.clone(),
        label: true,
    };
    let mut rows: Vec<Example> = reads.iter().zip(numbers).map(example).collect();
    let windows = utr_windows(&rows, &three_prime_utrs(data)?, &SharedKmers::new(std::iter::empty()))?;
    tally.count(windows.len(), "negatives of the paper's protocol: the same miRNA with a 3'UTR window");
    tally.count(unseen.len(), "miRNAs (with their isomiRs) are left out where half of them are to be unseen");
    rows.extend(windows);
    finish(out, &rows, tally)
}

/// Source of the rows of [`test_reads`].
pub const READS_TEST: &str = "hejret2023_reads";

/// The positives of Hejret 2023's bias-corrected test with the miRNA as it was read. Training keeps away from their sites.
pub fn test_reads(data: &Path, test: &[&Pair]) -> Result<Vec<Example>> {
    let sites: BTreeSet<&Rna> = test.iter().map(|pair| &pair.site).collect();
    let mut pairs = isomirs_test(data)?;
    pairs.retain(|pair| sites.contains(&pair.site));
    let numbers = clusters(&pairs.iter().map(|pair| &pair.site).collect::<Vec<_>>());
    let example = |(pair, cluster)| Example {
        source: READS_TEST.to_owned(),
        split: Split::Test,
        cluster,
        pair,
        label: true,
    };
    Ok(pairs.into_iter().zip(numbers).map(example).collect())
}

/// The human miRNA that a read is an isomiR of: the one that differs in the fewest letters, the first of equals.
pub fn origin<'a>(read: &Rna, mirbase: &'a Mirbase) -> Option<(&'a Mature, Isomir)> {
    let all = mirbase.matures().iter().filter_map(|mature| Some((mature, Isomir::of(read, &mature.rna)?)));
    all.min_by_key(|(_, isomir)| isomir.distance())
}

/// Reads, distinct sequences and miRNAs by type (the paper's Tables S2 and S3), and sites that are shared (its Discussion).
fn count(reads: &[Read<'_>], tally: &mut Tally) {
    let exact = reads.iter().filter(|read| read.source() == MIRNA).count();
    let unknown = reads.iter().filter(|read| read.origin.is_none()).count();
    let isomirs = reads.len() - exact - unknown;
    tally.count(exact, "reads are a mature miRNA of miRBase, letter by letter");
    tally
        .count(isomirs, format!("are isomiRs ({:.1} % of all)", 100.0 * isomirs as f64 / reads.len() as f64));
    tally.count(unknown, "are no isomiR of a human miRNA of miRBase");
    for kind in IsomirType::ALL {
        let of_kind = || reads.iter().filter(|read| types(&read.source()).any(|other| other == kind));
        let sequences: BTreeSet<&Rna> = of_kind().map(|read| &read.pair.mirna).collect();
        let mirnas: BTreeSet<_> = of_kind().filter_map(Read::mature).collect();
        let (sequences, mirnas) = (sequences.len(), mirnas.len());
        tally.count(
            of_kind().count(),
            format!("reads with {}: {sequences} isomiRs of {mirnas} miRNAs", kind.name()),
        );
    }
    let mut of_mirna: BTreeMap<&str, BTreeSet<&Rna>> = BTreeMap::new();
    for read in reads.iter().filter(|read| read.source() != MIRNA) {
        if let Some(mature) = read.mature() {
            of_mirna.entry(mature).or_default().insert(&read.pair.mirna);
        }
    }
    let most = of_mirna.values().map(BTreeSet::len).max().unwrap_or(0);
    let mean = of_mirna.values().map(BTreeSet::len).sum::<usize>() as f64 / of_mirna.len().max(1) as f64;
    tally.count(of_mirna.len(), format!("miRNAs have an isomiR: 1 to {most}, {mean:.1} on average"));
    support(reads, tally);

    let sites = |keep: &dyn Fn(&str) -> bool| -> BTreeSet<usize> {
        let numbers = clusters(&reads.iter().map(|read| &read.pair.site).collect::<Vec<_>>());
        let kept = reads.iter().zip(numbers).filter(|(read, _)| keep(&read.source()));
        kept.map(|(_, cluster)| cluster).collect()
    };
    let (of_exact, of_isomirs) =
        (sites(&|source| source == MIRNA), sites(&|source| types(source).next().is_some()));
    let both = of_exact.intersection(&of_isomirs).count();
    let [five, three] = ["5p", "3p"].map(|end| {
        let of_end = sites(&|source| types(source).any(|kind| kind.name().starts_with(end)));
        of_exact.intersection(&of_end).count()
    });
    tally.count(
        of_exact.len(),
        format!(
            "places (sites that share 25 nt) are bound by miRNAs, {} by isomiRs, {both} by both ({five} by an isomiR that \
             differs at the 5' end, {three} at the 3' end)",
            of_isomirs.len()
        ),
    );
}

/// In how many reads each isomiR stands (the paper's Figure S1 and its bound of ten reads).
fn support(reads: &[Read<'_>], tally: &mut Tally) {
    let mut of_isomir: BTreeMap<&Rna, Vec<&Read<'_>>> = BTreeMap::new();
    for read in reads.iter().filter(|read| read.origin.is_some() && read.source() != MIRNA) {
        of_isomir.entry(&read.pair.mirna).or_default().push(read);
    }
    let mut counts: Vec<usize> = of_isomir.values().map(Vec::len).collect();
    counts.sort_unstable();
    let Some(most) = of_isomir.values().max_by_key(|reads| reads.len()) else { return };
    let in_ten = counts.iter().filter(|count| **count >= 10).count();
    tally.count(
        counts.len(),
        format!(
            "isomiRs stand in {:.1} reads on average ({} in the middle, {} at most: {} with {}); {in_ten} of them in ten reads \
             or more",
            counts.iter().sum::<usize>() as f64 / counts.len() as f64,
            counts[counts.len() / 2],
            most.len(),
            most[0].mature().unwrap_or_default(),
            most[0].source()
        ),
    );
}

/// Whether a miRNA's isomiRs are of some type more often than isomiRs altogether: one-sided binomial tests, Bonferroni.
fn prefer(reads: &[Read<'_>], tally: &mut Tally) {
    let mut of_mirna: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for read in reads {
        if let Some(mature) = read.mature().filter(|_| read.source() != MIRNA) {
            of_mirna.entry(mature).or_default().push(read.source());
        }
    }
    let with = |sources: &[String], kind: IsomirType| {
        sources.iter().filter(|source| types(source).any(|other| other == kind)).count()
    };
    let all: Vec<String> = of_mirna.values().flatten().cloned().collect();
    let asked: Vec<&Vec<String>> = of_mirna.values().filter(|sources| sources.len() >= READS).collect();
    let tests = asked.len() * IsomirType::ALL.len();
    let prefers = |sources: &Vec<String>, kind: IsomirType| {
        let share = with(&all, kind) as f64 / all.len() as f64;
        at_least(with(sources, kind), sources.len(), share) * tests as f64 <= LEVEL
    };
    let prefer_any =
        asked.iter().filter(|sources| IsomirType::ALL.into_iter().any(|kind| prefers(sources, kind)));
    tally.count(
        prefer_any.count(),
        format!(
            "of {} miRNAs with {READS} reads of isomiRs or more have a type more often than isomiRs altogether (one-sided \
             binomial tests, p < {LEVEL} after Bonferroni over {tests})",
            asked.len()
        ),
    );
    for kind in IsomirType::ALL {
        let count = asked.iter().filter(|sources| prefers(sources, kind)).count();
        tally.count(count, format!("of them prefer {}", kind.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_names_its_types() {
        let named = |source: &str| types(source).map(IsomirType::name).collect::<Vec<_>>();
        assert_eq!(named("5p_deletion+3p_addition+utr_window"), ["5p_deletion", "3p_addition"]);
        assert_eq!(named("snp"), ["snp"]);
        assert!(named(MIRNA).is_empty() && named("mirna+utr_window").is_empty() && named(UNKNOWN).is_empty());
    }

    #[test]
    fn a_read_comes_from_the_nearest_mirna() {
        let mirbase = Mirbase::parse(
            ">hsa-far MIMAT0000001 x\nUGAGGUAGUAGGUUGUGUGGUU\n>hsa-let-7a-5p MIMAT0000062 x\nUGAGGUAGUAGGUUGUAUAGUU\n",
        )
        .unwrap();
        let (mature, isomir) = origin(&"UGAGGUAGUAGGUUGUAUAGU".parse().unwrap(), &mirbase).unwrap();
        assert_eq!((mature.name.as_str(), isomir.distance()), ("hsa-let-7a-5p", 1));
        assert!(origin(&"CCCCCCCCCCCCCCCCCCCC".parse().unwrap(), &mirbase).is_none());
    }
}

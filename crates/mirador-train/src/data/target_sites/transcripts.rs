//! DMISO's negatives on known transcripts: a site that lies in a 3'UTR, beside a window of that same 3'UTR. And where else
//! on its 3'UTR a miRNA could have bound.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;
use mirna::fold::Duplexes;
use mirna::{Base, Rna};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::dataset::{Example, UTR_WINDOW};
use super::prepare::{chimeras, fair_tests, finish};
use super::split::{SharedKmers, clusters};
use crate::data::sources::{Clash2013, Functional, Hejret2023, Tally, isomirs, three_prime_utrs};

/// Fixed, so that everybody gets the same file.
const SEED: u64 = 1;
/// Letters by which a site is looked for.
const WORD: usize = 25;
/// A window lies so many letters from every site of its transcript, or more (paper: "Training data").
const APART: usize = 10;
/// Free energy of miRNA and window, kcal/mol, is below this. The paper prints "< 10 kcal/mol", which holds for every pair;
/// it is read as −10, so that a negative is a window that pairs.
const ENERGY: f64 = -10.0;

/// Human 3'UTRs, and where sites lie on them.
pub struct Transcripts(Vec<Rna>);

/// Where a site lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Index of the 3'UTR.
    pub transcript: usize,
    /// Letters on it.
    pub letters: Range<usize>,
}

impl Transcripts {
    /// Every 3'UTR of the public files; where both have a gene, the first is found.
    pub fn read(data: &Path) -> Result<Self> {
        let mut utrs = Functional::utrs(data)?;
        utrs.extend(three_prime_utrs(data)?);
        Ok(Self(utrs))
    }

    /// Where each site lies, letter by letter; the first place of several.
    pub fn places(&self, sites: &[&Rna]) -> Vec<Option<Place>> {
        let mut beginnings: HashMap<&[Base], Vec<usize>> = HashMap::new();
        for (index, site) in sites.iter().enumerate().filter(|(_, site)| site.len() >= WORD) {
            beginnings.entry(&site[..WORD]).or_default().push(index);
        }
        let mut places = vec![None; sites.len()];
        for (transcript, utr) in self.0.iter().enumerate() {
            for (start, word) in utr.windows(WORD).enumerate() {
                for &index in beginnings.get(word).into_iter().flatten() {
                    let letters = start..start + sites[index].len();
                    if places[index].is_none() && utr.get(letters.clone()) == Some(&sites[index][..]) {
                        places[index] = Some(Place { transcript, letters });
                    }
                }
            }
        }
        places
    }

    /// Windows of `length` letters of a transcript, one every `step`, without masked letters and away from some sites.
    pub fn windows(&self, transcript: usize, length: usize, step: usize, away: &[Range<usize>]) -> Vec<Rna> {
        let utr = &self.0[transcript];
        let starts = (0..(utr.len() + 1).saturating_sub(length)).step_by(step);
        let is_away = |start: usize| {
            away.iter().all(|site| start + length + APART <= site.start || start >= site.end + APART)
        };
        let windows = starts.filter(|start| is_away(*start)).map(|start| &utr[start..start + length]);
        windows.filter(|window| !window.contains(&Base::N)).map(Rna::from).collect()
    }
}

/// Writes `out`: chimeric reads whose site lies in a 3'UTR at hand, for each the same miRNA with a window of that 3'UTR, and
/// the two bias-corrected tests.
pub fn transcript_sites(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let clash = Clash2013::read(data, &mut tally)?;
    let hejret = Hejret2023::read(data, &mut tally)?;
    let isomirs = isomirs(data, &mut tally)?;
    let fair_tests = fair_tests(data)?;
    let published = fair_tests.iter().map(|row| &row.pair).chain(&clash.test_positives);
    let tests = SharedKmers::new(published.map(|pair| &pair.site));
    let sources = [("clash2013", clash.positives), ("hejret2023", hejret.positives), ("isomirs", isomirs)];
    let all = chimeras(sources, &tests, &mut tally);
    let transcripts = Transcripts::read(data)?;
    let places = transcripts.places(&all.iter().map(|row| &row.pair.site).collect::<Vec<_>>());
    let found = all.iter().zip(places).filter_map(|(row, place)| Some((row.clone(), place?)));
    let (mut rows, places): (Vec<Example>, Vec<Place>) = found.unzip();
    let numbers = clusters(&rows.iter().map(|row| &row.pair.site).collect::<Vec<_>>());
    rows.iter_mut().zip(numbers).for_each(|(row, cluster)| row.cluster = cluster);
    tally.count(
        rows.len(),
        "positives whose site lies in a 3'UTR at hand, letter by letter; the others are dropped",
    );
    let of: HashSet<usize> = places.iter().map(|place| place.transcript).collect();
    tally.count(of.len(), "3'UTRs hold them");
    let windows = same_transcript(&rows, &places, &transcripts, &tests);
    tally.count(
        windows.len(),
        format!(
            "negatives: the same miRNA with a window of the same 3'UTR, {APART} nt or more from every site that was read \
             there, free energy of the duplex below {ENERGY} kcal/mol"
        ),
    );
    tally.count(rows.len() - windows.len(), "positives have no such window");
    rows.extend(windows);
    rows.extend(fair_tests);
    finish(out, &rows, tally)
}

/// For each row a window of its own 3'UTR, drawn by lot among those that pair with its miRNA; none where there is none.
fn same_transcript(
    rows: &[Example],
    places: &[Place],
    transcripts: &Transcripts,
    tests: &SharedKmers<'_>,
) -> Vec<Example> {
    let mut sites: BTreeMap<usize, Vec<Range<usize>>> = BTreeMap::new();
    for place in places {
        sites.entry(place.transcript).or_default().push(place.letters.clone());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut folded = Duplexes::new();
    let mut found = Vec::new();
    for (row, place) in rows.iter().zip(places) {
        let away = &sites[&place.transcript];
        let mut windows = transcripts.windows(place.transcript, row.pair.site.len(), 1, away);
        windows.shuffle(&mut rng);
        let pairs = |window: &Rna| {
            !tests.touch(window)
                && folded.energy(&row.pair.mirna, window).is_some_and(|energy| energy < ENERGY)
        };
        if let Some(site) = windows.into_iter().find(pairs) {
            let pair = Pair { mirna: row.pair.mirna.clone(), site };
            found.push(Example {
                source: row.source.clone() + UTR_WINDOW,
                pair,
                label: false,
                ..row.clone()
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcripts() -> Transcripts {
        let site = "ACGUUAGCCAUCGAUUCAGGCAUCCAGGUUAC";
        Transcripts(vec![
            "CCCC".repeat(20).parse().unwrap(),
            format!("{site}{}", "AUUGC".repeat(20)).parse().unwrap(),
        ])
    }

    #[test]
    fn a_site_is_found_letter_by_letter() {
        let sites: Vec<Rna> = ["UUAGCCAUCGAUUCAGGCAUCCAGGUUAC", "UUAGCCAUCGAUUCAGGCAUCCAGGUUAG", "UUAGCC"]
            .map(|site| site.parse().unwrap())
            .to_vec();
        let places = transcripts().places(&sites.iter().collect::<Vec<_>>());
        assert_eq!(places, [Some(Place { transcript: 1, letters: 3..32 }), None, None]);
    }

    #[test]
    fn windows_keep_away_from_sites() {
        let all = transcripts();
        assert_eq!(all.windows(1, 132, 1, &[]).len(), 1);
        assert!(all.windows(1, 133, 1, &[]).is_empty(), "longer than the transcript");
        let away = all.windows(1, 20, 1, &[3..32, 100..110]);
        // Starts 42 to 70; from 120 on no whole window is left.
        assert_eq!(away.len(), 29);
        assert_eq!(away[0], Rna::from(&all.0[1][42..62]));
    }

    #[test]
    fn a_negative_is_of_the_transcript_of_its_positive_and_pairs() {
        let all = Transcripts(vec![
            format!("{}{}{}", "AC".repeat(30), "CUACCUCAUAUAACCUACUACC", "AC".repeat(30)).parse().unwrap(),
        ]);
        let row = |site: &str| Example {
            source: "s".into(),
            split: super::super::dataset::Split::Train,
            cluster: 0,
            pair: Pair { mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(), site: site.parse().unwrap() },
            label: true,
        };
        let rows = [row(&"AC".repeat(10))];
        let places = [Place { transcript: 0, letters: 0..20 }];
        let tests = SharedKmers::new(std::iter::empty());
        let found = same_transcript(&rows, &places, &all, &tests);
        assert_eq!((found.len(), found[0].label, found[0].source.as_str()), (1, false, "s+utr_window"));
        let energy = Duplexes::new().energy(&found[0].pair.mirna, &found[0].pair.site).unwrap();
        assert!(energy < ENERGY && all.0[0].windows(20).any(|window| window == &found[0].pair.site[..]));
    }
}

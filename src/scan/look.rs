//! What the letters tell: seed matches, and the windows that a network is to be shown.

use std::ops::Range;

use mirador_models::SiteEffects;
use mirador_models::tasks::target_site::Pair;
use mirna::sites::{SiteClass, Utr, seed_sites};
use mirna::{Base, Rna};

use super::{BEFORE, Probe, SHORTEST, STRIDE, Transcript, WINDOW};

/// How to look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Also for sites without a canonical seed match.
    pub seedless: bool,
    /// Least binding probability of those.
    pub min_probability: f32,
    /// Whether sites are told one by one.
    pub sites: bool,
}

/// What the letters of one transcript tell of one miRNA.
#[derive(Debug)]
pub struct Looked {
    /// In the transcript's order.
    pub(super) canonical: Vec<Canonical>,
    pub(super) weak_sites: usize,
    pub(super) repression_score: f64,
    pub(super) rank_score: f64,
    /// Windows without a canonical site, in the transcript's order.
    pub(super) seedless: Vec<Range<usize>>,
}

/// A canonical site.
#[derive(Debug)]
pub(super) struct Canonical {
    pub class: SiteClass,
    /// The six letters that face positions 2 to 7.
    pub core: Range<usize>,
    pub window: Range<usize>,
    /// Whether a network is asked about the window: half of its letters are known.
    pub known: bool,
    /// What it adds to the transcript's score; nothing before the 3'UTR.
    pub repression: Option<f64>,
}

impl Look {
    /// How many windows and sites there are to look at.
    pub fn count(&self, probe: &Probe, transcript: &Transcript) -> usize {
        let canonical =
            seed_sites(&probe.letters, &transcript.letters).filter(|site| site.class.is_canonical());
        canonical.count() + if self.seedless { windows(transcript.letters.len()).count() } else { 0 }
    }
}

/// Looks for a miRNA's sites. Sites before the 3'UTR are told and not summed; the 3'UTR's are as if it stood alone.
pub fn look(probe: &Probe, transcript: &Transcript, effects: &SiteEffects, look: Look) -> Looked {
    let letters = &transcript.letters[..];
    let (coding, utr) = letters.split_at(transcript.cds_end.min(letters.len()));
    let before = seed_sites(&probe.letters, letters)
        .filter(|site| site.class.is_canonical() && site.core().start < coding.len());
    let mut looked = Looked {
        canonical: before.map(|site| Canonical::new(letters, site.class, site.core(), None)).collect(),
        weak_sites: 0,
        repression_score: 0.0,
        rank_score: 0.0,
        seedless: Vec::new(),
    };
    let surroundings = Utr::new(utr);
    for (site, context) in surroundings.sites(&probe.letters) {
        let effect = effects(site, &context, utr.len());
        looked.rank_score += effect;
        if site.class.is_canonical() {
            looked.repression_score += effect;
            let core = site.core().start + coding.len()..site.core().end + coding.len();
            looked.canonical.push(Canonical::new(letters, site.class, core, Some(effect)));
        } else {
            looked.weak_sites += 1;
        }
    }
    if look.seedless {
        let sites = &looked.canonical;
        let holds_site = |window: &Range<usize>| {
            let first = sites.partition_point(|site| site.core.start < window.start);
            sites.get(first).is_some_and(|site| site.core.end <= window.end)
        };
        let free = windows(letters.len()).filter(|window| !holds_site(window));
        looked.seedless = free.filter(|window| is_known(&letters[window.clone()])).collect();
    }
    looked
}

impl Canonical {
    fn new(letters: &[Base], class: SiteClass, core: Range<usize>, repression: Option<f64>) -> Self {
        let start = core.start.saturating_sub(BEFORE);
        let window = start..(core.start + WINDOW - BEFORE).min(letters.len());
        Self { class, core, known: is_known(&letters[window.clone()]), window, repression }
    }
}

impl Looked {
    /// What a network is asked: the windows of canonical sites, then the others.
    pub fn pairs<'a>(
        &'a self,
        probe: &'a Probe,
        transcript: &'a Transcript,
    ) -> impl Iterator<Item = Pair> + 'a {
        let canonical = self.canonical.iter().filter(|site| site.known).map(|site| &site.window);
        canonical.chain(&self.seedless).map(|window| Pair {
            mirna: probe.letters.clone(),
            site: Rna::from(&transcript.letters[window.clone()]),
        })
    }
}

/// Windows over a whole transcript, the last one at its end.
fn windows(length: usize) -> impl Iterator<Item = Range<usize>> {
    let last = length.saturating_sub(WINDOW);
    let starts = (0..last).step_by(STRIDE).chain((length >= SHORTEST).then_some(last));
    starts.map(move |start| start..(start + WINDOW).min(length))
}

/// Whether half of the letters are known at least.
fn is_known(letters: &[Base]) -> bool {
    2 * letters.iter().filter(|letter| **letter != Base::N).count() >= letters.len()
}

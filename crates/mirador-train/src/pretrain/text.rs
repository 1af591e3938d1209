//! What is read before any label: the training miRNAs, and 3'UTRs in windows beside the training sites.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::Result;
use mirador_models::networks::deepmirnatar::SITE_LIMIT;
use mirador_models::sha256_of;
use mirna::{Base, Rna};

use crate::data::sources::{Tally, deepmirnatar, three_prime_utrs};

/// From one window's start to the next, nt.
const STRIDE: usize = 20;
/// One transcript in 50 is held out. Neighbouring windows share letters, so whole transcripts are.
const HELD_OUT: usize = 50;

/// Sequences without labels, 5'→3'.
#[derive(Debug)]
pub(super) struct Text {
    /// Distinct training miRNAs.
    pub mirnas: Vec<Rna>,
    /// 3'UTR windows of 53 nt and distinct training sites.
    pub windows: Vec<Rna>,
    /// 3'UTR windows of other transcripts.
    pub held_out: Vec<Rna>,
}

impl Text {
    /// Reads the public files below `data`.
    pub(super) fn read(data: &Path, tally: &mut Tally) -> Result<Self> {
        let train = deepmirnatar(data, "train", false, tally)?;
        let mut tested = deepmirnatar(data, "valid", false, tally)?;
        tested.extend(deepmirnatar(data, "test", false, tally)?);
        let mirnas: BTreeSet<&Rna> = train.iter().map(|(pair, _)| &pair.mirna).collect();
        let sites: BTreeSet<&Rna> = train.iter().map(|(pair, _)| &pair.site).collect();
        let tested = Sites::new(tested.iter().map(|(pair, _)| &pair.site));
        let known = Sites::new(sites.iter().copied());
        let (mut windows, mut held_out, mut dropped) = (Vec::new(), Vec::new(), 0);
        for (index, transcript) in three_prime_utrs(data)?.iter().enumerate() {
            for window in transcript.windows(SITE_LIMIT).step_by(STRIDE) {
                if tested.are_in(window) {
                    dropped += 1;
                } else if index % HELD_OUT > 0 {
                    windows.push(Rna::from(window));
                } else if !known.are_in(window) {
                    held_out.push(Rna::from(window));
                }
            }
        }
        tally.count(mirnas.len(), "distinct training miRNAs");
        tally.count(sites.len(), "distinct training sites");
        tally.count(dropped, "3'UTR windows hold a validation or test site: dropped");
        tally.count(windows.len(), "3'UTR windows");
        tally.count(held_out.len(), "3'UTR windows of other transcripts, without training sites: held out");
        windows.extend(sites.into_iter().cloned());
        Ok(Self { mirnas: mirnas.into_iter().cloned().collect(), windows, held_out })
    }

    /// Tells this text from others.
    pub(super) fn sha256(&self) -> String {
        let all = self.mirnas.iter().chain(&self.windows).chain(&self.held_out);
        sha256_of(all.map(|rna| format!("{rna}\n")).collect::<String>().as_bytes())
    }
}

/// Sites that are looked for in longer sequences, by their first letters.
struct Sites<'a> {
    by_start: HashMap<&'a [Base], Vec<&'a Rna>>,
    start: usize,
}

impl<'a> Sites<'a> {
    fn new(sites: impl Iterator<Item = &'a Rna> + Clone) -> Self {
        let start = sites.clone().map(|site| site.len()).min().unwrap_or(0);
        let mut by_start: HashMap<&[Base], Vec<&Rna>> = HashMap::new();
        for site in sites {
            by_start.entry(&site[..start]).or_default().push(site);
        }
        Self { by_start, start }
    }

    /// Whether one of them at least stands in `window`.
    fn are_in(&self, window: &[Base]) -> bool {
        (0..=window.len().saturating_sub(self.start)).any(|at| {
            let rest = &window[at..];
            let found = rest.get(..self.start).and_then(|start| self.by_start.get(start));
            found.is_some_and(|sites| sites.iter().any(|site| rest.starts_with(site)))
        })
    }
}

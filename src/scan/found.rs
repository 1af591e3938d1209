//! What was found: sites, and the score of a transcript.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use mirador_models::Pairing;
use mirador_models::tasks::probability;
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;
use mirna::fold::Duplexes;
use mirna::seed::SiteType;
use serde::Serialize;
use utoipa::ToSchema;

use super::look::{Canonical, Look, Looked};
use super::{Probe, Transcript};

/// What was found for a miRNA on a transcript.
#[derive(Debug)]
pub struct Scanned {
    /// The transcript's score.
    pub score: TranscriptScore,
    /// In the transcript's order; empty where they were not asked for.
    pub sites: Vec<Site>,
}

/// How much a miRNA turns a transcript down, by its sites.
#[derive(Debug, Serialize, ToSchema)]
pub struct TranscriptScore {
    /// The miRNA's id.
    #[schema(value_type = String)]
    pub mirna: Arc<str>,
    /// The transcript's id.
    #[schema(value_type = String)]
    pub transcript: Arc<str>,
    /// Sum over the canonical sites of the 3'UTR; higher for transcripts that go down more, 0 without a site. In units of
    /// the spread of log2 fold changes in an over-expression experiment (about .26 log2). One miRNA's transcripts can be
    /// ranked by it; two miRNAs differ in more than their sites.
    pub repression_score: f64,
    /// `repression_score` with the offset 6mers, which order transcripts without a canonical site: the one to sort by.
    pub rank_score: f64,
    /// 8mers, 7mers and 6mers, those before the 3'UTR too.
    pub canonical_sites: usize,
    /// Offset 6mers of the 3'UTR.
    pub weak_sites: usize,
    /// Sites without a canonical seed match; absent where they were not looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seedless_sites: Option<usize>,
    /// The highest binding probability of all windows that were looked at; null where there was none.
    pub best_probability: Option<f32>,
    /// What was assumed or left out in reading miRNA and transcript.
    pub warnings: Vec<String>,
}

/// What kind of site it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// An 8mer, 7mer or 6mer: letters tell.
    Canonical,
    /// A network's finding. What is bound so hardly goes down.
    Seedless,
}

/// A site.
#[derive(Debug, Serialize, ToSchema)]
pub struct Site {
    /// The miRNA's id.
    #[schema(value_type = String)]
    pub mirna: Arc<str>,
    /// The transcript's id.
    #[schema(value_type = String)]
    pub transcript: Arc<str>,
    /// What kind of site it is.
    pub kind: SiteKind,
    /// The seed match: 8mer, 7mer-m8, 7mer-A1, 6mer; of seedless sites offset-6mer or none.
    #[schema(example = "8mer")]
    pub site_type: &'static str,
    /// From 0: the six letters that face miRNA positions 2 to 7; of a seedless site the first that pairs.
    pub start: usize,
    /// The letter behind the last.
    pub end: usize,
    /// What the binding model read, from 0, the end not included: 30 letters before the six and 20 from them on.
    pub window: [usize; 2],
    /// The binding model's probability for the window; null where fewer than half of its letters are known.
    pub probability: Option<f32>,
    /// What the site adds to the score; null before the 3'UTR and for seedless sites.
    pub repression: Option<f64>,
    /// Free energy of the duplex with the window, kcal/mol; null where nothing pairs.
    pub mfe_kcal_per_mol: Option<f64>,
    /// The pairs as dots and brackets: the miRNA 5'→3', `&`, the window 5'→3'; null where the model does not tell.
    pub pairing: Option<String>,
}

/// Sums to a millionth: the weights are known to fewer digits.
fn rounded(score: f64) -> f64 {
    (score * 1e6).round() / 1e6
}

impl Looked {
    /// What was found, given the logits of [`Self::pairs`].
    pub fn judge(
        self,
        probe: &Probe,
        transcript: &Transcript,
        look: Look,
        logits: &[f32],
        pairing: Option<&Pairing>,
    ) -> Scanned {
        let mut probabilities = logits.iter().map(|logit| probability(*logit));
        let Self { canonical, weak_sites, repression_score, rank_score, seedless } = self;
        let canonical: Vec<(Canonical, Option<f32>)> = canonical
            .into_iter()
            .map(|site| {
                let probability = if site.known { probabilities.next() } else { None };
                (site, probability)
            })
            .collect();
        let best = logits.iter().copied().max_by(f32::total_cmp).map(probability);
        let mut teller = Teller { probe, transcript, pairing, folds: Duplexes::new() };
        let hits = seedless.into_iter().zip(probabilities);
        let hits: Vec<_> = hits.filter(|(_, probability)| *probability >= look.min_probability).collect();
        let canonical_sites = canonical.len();
        let seedless = teller.seedless(hits);
        let score = TranscriptScore {
            mirna: probe.id.clone(),
            transcript: transcript.id.clone(),
            repression_score: rounded(repression_score),
            rank_score: rounded(rank_score),
            canonical_sites,
            weak_sites,
            seedless_sites: look.seedless.then_some(seedless.len()),
            best_probability: best,
            warnings: [&probe.warnings[..], &transcript.warnings].concat(),
        };
        let mut sites = Vec::new();
        if look.sites {
            sites
                .extend(canonical.into_iter().map(|(site, probability)| teller.canonical(site, probability)));
            sites.extend(seedless);
            sites.sort_by_key(|site| site.start);
        }
        Scanned { score, sites }
    }
}

/// Tells of the sites of one miRNA on one transcript.
struct Teller<'a> {
    probe: &'a Probe,
    transcript: &'a Transcript,
    pairing: Option<&'a Pairing>,
    folds: Duplexes,
}

impl Teller<'_> {
    fn canonical(&mut self, site: Canonical, probability: Option<f32>) -> Site {
        let Canonical { class, core, window, repression, .. } = site;
        let pair = self.pair(&window);
        Site {
            mirna: self.probe.id.clone(),
            transcript: self.transcript.id.clone(),
            kind: SiteKind::Canonical,
            site_type: class.name(),
            start: core.start,
            end: core.end,
            window: [window.start, window.end],
            probability,
            repression: repression.map(rounded),
            mfe_kcal_per_mol: self.folds.energy(&pair.mirna, &pair.site),
            pairing: self.pairing.map(|pairing| pairing(&pair)),
        }
    }

    /// A site once, by its best window: windows overlap. A site lies where its letters pair.
    fn seedless(&mut self, mut hits: Vec<(Range<usize>, f32)>) -> Vec<Site> {
        hits.sort_by_key(|(window, probability)| (Reverse(probability.to_bits()), window.start));
        let mut sites: Vec<Site> = Vec::new();
        for (window, probability) in hits {
            let pair = self.pair(&window);
            let fold = self.folds.fold(&pair.mirna, &pair.site);
            let pairing = self.pairing.map(|pairing| pairing(&pair));
            let within = match &pairing {
                Some(pairing) => paired(pairing),
                None => fold.as_ref().map(|fold| fold.second()),
            };
            let Some(within) = within else { continue };
            let place = window.start + within.start..window.start + within.end;
            if sites.iter().any(|site| site.start < place.end && place.start < site.end) {
                continue;
            }
            sites.push(Site {
                mirna: self.probe.id.clone(),
                transcript: self.transcript.id.clone(),
                kind: SiteKind::Seedless,
                site_type: SiteType::best(&pair.mirna, &pair.site).name(),
                start: place.start,
                end: place.end,
                window: [window.start, window.end],
                probability: Some(probability),
                repression: None,
                mfe_kcal_per_mol: fold.map(|fold| fold.energy),
                pairing,
            });
        }
        sites.sort_by_key(|site| site.start);
        sites
    }

    fn pair(&self, window: &Range<usize>) -> Pair {
        Pair { mirna: self.probe.letters.clone(), site: Rna::from(&self.transcript.letters[window.clone()]) }
    }
}

/// The letters of the site from the first that pairs to the last.
fn paired(pairing: &str) -> Option<Range<usize>> {
    let (_, site) = pairing.split_once('&')?;
    Some(site.find(')')?..site.rfind(')')? + 1)
}

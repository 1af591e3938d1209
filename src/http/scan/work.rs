//! The scanning: a part at a time, letters away from the connections' threads, windows through the queue like lines.

use std::ops::Range;
use std::sync::Arc;

use futures_util::{Stream, StreamExt, stream};
use mirador_models::SiteEffects;
use mirador_models::tasks::target_site::Pair;

use super::{Look, Probe, Transcript};
use crate::http::callers::CallerShare;
use crate::http::offload::{Bounds, Pool, offload_to};
use crate::http::problem::Problem;
use crate::http::scoring::{PARTS_AT_ONCE, Row, predict_part, refusal};
use crate::scan::{Looked, Scanned, look};
use crate::serving::ServedModel;

/// Letters of the transcripts that are looked at together.
const LETTERS_OF_PART: usize = 100_000;
/// Windows of them.
const WINDOWS_OF_PART: usize = 5_000;
/// Most windows and sites of one miRNA on one transcript: more are a repeat that should be masked.
const MOST_OF_ITEM: usize = 20_000;
/// What a site, or a score, takes with its line in a reply, its names left out.
const SITE_BYTES: usize = 700;
/// So many letters are a millisecond's work.
const LIGHT_LETTERS: usize = 10_000;

/// A scan that is asked for.
pub(super) struct Scan {
    pub binding: Arc<ServedModel>,
    pub repression: Arc<ServedModel>,
    pub look: Look,
    pub probes: Vec<Probe>,
    pub transcripts: Vec<Transcript>,
    /// Items, in order, that were told before.
    pub told: usize,
}

/// How much there is to look at: of each miRNA on each transcript.
pub(super) struct Plan {
    counts: Vec<usize>,
}

impl Scan {
    /// Each miRNA on each transcript.
    pub(super) fn len(&self) -> usize {
        self.probes.len() * self.transcripts.len()
    }

    fn item(&self, index: usize) -> (&Probe, &Transcript) {
        (&self.probes[index % self.probes.len()], &self.transcripts[index / self.probes.len()])
    }

    /// Counts the windows and sites to look at, before any is.
    ///
    /// # Errors
    /// 413 where there are more than `most`, or too many of one miRNA on one transcript.
    pub(super) async fn plan(
        self: &Arc<Self>,
        most: usize,
        lines: bool,
        share: &Arc<CallerShare>,
    ) -> Result<Plan, Problem> {
        let scan = self.clone();
        let count = move |bounds: &Bounds| {
            let (mut counts, mut all) = (Vec::with_capacity(scan.len()), 0);
            for index in 0..scan.len() {
                bounds.look()?;
                let (probe, transcript) = scan.item(index);
                let count = scan.look.count(probe, transcript);
                if count > MOST_OF_ITEM {
                    return Err(Problem::repeat(&transcript.id, &probe.id, MOST_OF_ITEM));
                }
                all += count;
                if all > most {
                    return Err(Problem::too_many_windows(most, lines));
                }
                counts.push(count);
            }
            Ok(Plan { counts })
        };
        let letters: usize = self.transcripts.iter().map(|transcript| transcript.letters.len()).sum();
        let heavy = letters * self.probes.len() > LIGHT_LETTERS;
        let pool = heavy.then(|| Pool::Folds(share.clone()));
        offload_to(pool, Bounds::new(usize::MAX), count).await
    }

    /// Bytes that a whole reply takes at most, with what it is made of.
    pub(super) fn bytes(&self, plan: &Plan) -> usize {
        let of_item = |(index, count): (usize, &usize)| {
            let (probe, transcript) = self.item(index);
            let ids = 2 * (probe.id.len() + transcript.id.len());
            let sites = if self.look.sites { count * (SITE_BYTES + ids) } else { 0 };
            SITE_BYTES + ids + sites
        };
        plan.counts.iter().enumerate().map(of_item).sum()
    }

    /// What is found, in order; a few parts are under way at once.
    pub(super) fn run(
        self: Arc<Self>,
        plan: &Plan,
        share: Arc<CallerShare>,
    ) -> impl Stream<Item = Result<Vec<Scanned>, Problem>> + Send + use<> {
        let parts = self.parts(plan);
        stream::iter(parts).map(move |items| self.clone().part(items, share.clone())).buffered(PARTS_AT_ONCE)
    }

    /// Consecutive items of so many letters and windows together, or one.
    fn parts(&self, plan: &Plan) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> = Vec::new();
        let (mut letters, mut windows) = (0, 0);
        for (index, count) in plan.counts.iter().enumerate().skip(self.told) {
            let own = self.item(index).1.letters.len();
            (letters, windows) = (letters + own, windows + count);
            match parts.last_mut() {
                Some(part) if letters <= LETTERS_OF_PART && windows <= WINDOWS_OF_PART => {
                    part.end = index + 1
                }
                _ => {
                    (letters, windows) = (own, *count);
                    parts.push(index..index + 1);
                }
            }
        }
        parts
    }

    async fn part(
        self: Arc<Self>,
        items: Range<usize>,
        share: Arc<CallerShare>,
    ) -> Result<Vec<Scanned>, Problem> {
        // Closed never; a permit less is no reason to stop.
        let _chunk = share.chunks.acquire().await;
        let letters: usize = items.clone().map(|index| self.item(index).1.letters.len()).sum();
        let pool = (letters > LIGHT_LETTERS).then_some(Pool::Rows);
        let (scan, range) = (self.clone(), items.clone());
        let looked: Vec<Looked> = offload_to(pool.clone(), Bounds::new(usize::MAX), move |_| {
            let effects = scan.effects();
            range
                .map(|index| {
                    let (probe, transcript) = scan.item(index);
                    look(probe, transcript, effects, scan.look)
                })
                .collect()
        })
        .await;
        let mut logits = Vec::with_capacity(looked.len());
        for (index, looked) in items.clone().zip(&looked) {
            logits.push(self.logits(index, looked, &share).await?);
        }
        let scan = self.clone();
        Ok(offload_to(pool, Bounds::new(usize::MAX), move |_| {
            let found = items.zip(looked).zip(logits).map(|((index, looked), logits)| {
                let (probe, transcript) = scan.item(index);
                looked.judge(probe, transcript, scan.look, &logits, scan.binding.pairing.as_ref())
            });
            found.collect()
        })
        .await)
    }

    fn effects(&self) -> &SiteEffects {
        self.repression.site_effects.as_ref().expect("a model of repression tells what a site adds")
    }

    /// The binding model's answers to an item's windows, as many at once as a batch may have.
    async fn logits(
        &self,
        index: usize,
        looked: &Looked,
        share: &Arc<CallerShare>,
    ) -> Result<Vec<f32>, Problem> {
        let (probe, transcript) = self.item(index);
        let most = self.binding.predictor.most_inputs_at_once();
        let mut logits = Vec::new();
        let mut pairs = looked.pairs(probe, transcript).peekable();
        while pairs.peek().is_some() {
            let rows: Vec<Row<()>> =
                pairs.by_ref().take(most).map(|pair: Pair| Row::of(pair, &self.binding)).collect();
            let inputs = rows.iter().map(|row| row.inputs).sum();
            let refused = |error| refusal(error, &self.binding);
            let mut places =
                self.binding.predictor.reserve(share.room, inputs, None).await.map_err(refused)?;
            let places = places.split(inputs);
            let (answers, _) = predict_part(rows, places, (self.binding.clone(), share.clone()), None)
                .await
                .map_err(refused)?;
            for answer in answers {
                logits.push(answer.ok_or(Problem::Internal)?.output());
            }
        }
        Ok(logits)
    }
}

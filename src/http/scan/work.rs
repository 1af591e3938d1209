//! The scanning: a part at a time, letters away from the connections' threads, windows through the queue like lines.

use std::collections::VecDeque;
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
use crate::serving::{ServedModel, Share};

/// Letters of the transcripts that are looked at together.
const LETTERS_OF_PART: usize = 100_000;
/// So many letters are a millisecond's work.
const LIGHT_LETTERS: usize = 10_000;

/// A scan that is asked for.
pub(super) struct Scan {
    pub binding: Arc<ServedModel>,
    pub repression: Arc<ServedModel>,
    pub look: Look,
    pub probes: Vec<Probe>,
    pub transcripts: Vec<Transcript>,
}

impl Scan {
    /// Each miRNA on each transcript.
    pub(super) fn len(&self) -> usize {
        self.probes.len() * self.transcripts.len()
    }

    fn item(&self, index: usize) -> (&Probe, &Transcript) {
        (&self.probes[index % self.probes.len()], &self.transcripts[index / self.probes.len()])
    }

    /// Whether there are no more windows and sites to look at than `most`.
    ///
    /// # Errors
    /// 413 that says so.
    pub(super) async fn fits(self: &Arc<Self>, most: usize, lines: bool) -> Result<(), Problem> {
        let scan = self.clone();
        let count = move |bounds: &Bounds| {
            let mut all = 0;
            for index in 0..scan.len() {
                bounds.look()?;
                let (probe, transcript) = scan.item(index);
                all += scan.look.count(probe, transcript);
                if all > most {
                    return Err(Problem::too_many_windows(most, lines));
                }
            }
            Ok(())
        };
        let letters: usize = self.transcripts.iter().map(|transcript| transcript.letters.len()).sum();
        let pool = (letters * self.probes.len() > LIGHT_LETTERS).then_some(Pool::Folds);
        offload_to(pool, Bounds::new(usize::MAX), count).await
    }

    /// What is found, in order; a few parts are under way at once.
    pub(super) fn run(
        self: Arc<Self>,
        share: Arc<CallerShare>,
    ) -> impl Stream<Item = Result<Vec<Scanned>, Problem>> + Send {
        let parts = self.clone().parts();
        stream::iter(parts).map(move |items| self.clone().part(items, share.clone())).buffered(PARTS_AT_ONCE)
    }

    /// Consecutive items of so many letters together, or one.
    fn parts(self: Arc<Self>) -> Vec<std::ops::Range<usize>> {
        let mut parts: VecDeque<std::ops::Range<usize>> = VecDeque::new();
        let mut letters = 0;
        for index in 0..self.len() {
            letters += self.item(index).1.letters.len();
            match parts.back_mut() {
                Some(part) if letters <= LETTERS_OF_PART => part.end = index + 1,
                _ => {
                    letters = self.item(index).1.letters.len();
                    parts.push_back(index..index + 1);
                }
            }
        }
        parts.into()
    }

    async fn part(
        self: Arc<Self>,
        items: std::ops::Range<usize>,
        share: Arc<CallerShare>,
    ) -> Result<Vec<Scanned>, Problem> {
        // Closed never; a permit less is no reason to stop.
        let _chunk = share.chunks.acquire().await;
        let letters: usize = items.clone().map(|index| self.item(index).1.letters.len()).sum();
        let pool = (letters > LIGHT_LETTERS).then_some(Pool::Rows);
        let (scan, range) = (self.clone(), items.clone());
        let looked: Vec<Looked> = offload_to(pool, Bounds::new(usize::MAX), move |_| {
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
            logits.push(self.logits(index, looked).await?);
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
    async fn logits(&self, index: usize, looked: &Looked) -> Result<Vec<f32>, Problem> {
        let (probe, transcript) = self.item(index);
        let most = self.binding.predictor.most_inputs_at_once();
        let mut logits = Vec::new();
        let mut pairs = looked.pairs(probe, transcript).peekable();
        while pairs.peek().is_some() {
            let rows: Vec<Row<()>> =
                pairs.by_ref().take(most).map(|pair: Pair| Row::of(pair, &self.binding)).collect();
            let inputs = rows.iter().map(|row| row.inputs).sum();
            let refused = |error| refusal(error, &self.binding);
            let mut room =
                self.binding.predictor.reserve(Share::Lines, inputs, None).await.map_err(refused)?;
            let room = room.split(inputs);
            let (answers, _) = predict_part(rows, room, self.binding.clone(), None).await.map_err(refused)?;
            for answer in answers {
                logits.push(answer.ok_or(Problem::Internal)?.output());
            }
        }
        Ok(logits)
    }
}

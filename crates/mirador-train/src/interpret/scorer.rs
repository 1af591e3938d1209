//! Many variants of many rows through a network, batch by batch, with a line on the way now and then.

use std::time::{Duration, Instant};

use mirador_models::Replica;
use mirador_models::interpret::{Change, variants};
use mirador_models::tasks::target_site::Pair;
use mirador_models::tasks::{Input, probability};

/// Variants that are made before they are scored.
const TOGETHER: usize = 4096;
/// Time between two lines of progress.
const QUIET: Duration = Duration::from_secs(20);

/// A network that scores variants.
pub struct Scorer<'a>(pub &'a Replica);

impl Scorer<'_> {
    /// Hands on the probabilities of each row, as it is and then with each of its changes; rows by their place.
    pub fn each(
        &self,
        what: &str,
        pairs: &[Pair],
        changes: impl Fn(usize) -> Vec<Change>,
        mut take: impl FnMut(usize, &[f32]),
    ) {
        let (start, mut said) = (Instant::now(), Instant::now());
        let (mut waiting, mut lengths, mut first) = (Vec::new(), Vec::new(), 0);
        for (row, pair) in pairs.iter().enumerate() {
            let before = waiting.len();
            waiting.extend(variants(&Input::Pair(pair.clone()), &changes(row)));
            lengths.push(waiting.len() - before);
            if waiting.len() < TOGETHER && row + 1 < pairs.len() {
                continue;
            }
            let scores = self.probabilities(&waiting);
            let mut rest = scores.as_slice();
            for (place, length) in lengths.drain(..).enumerate() {
                let (of_row, others) = rest.split_at(length);
                take(first + place, of_row);
                rest = others;
            }
            waiting.clear();
            first = row + 1;
            if said.elapsed() > QUIET || first == pairs.len() {
                println!("{what}: {first} of {} rows, {:.0} s", pairs.len(), start.elapsed().as_secs_f64());
                said = Instant::now();
            }
        }
    }

    /// Probabilities of rows.
    pub fn probabilities(&self, rows: &[Input]) -> Vec<f32> {
        self.0.score(rows).into_iter().map(probability).collect()
    }
}

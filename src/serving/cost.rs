//! What an input costs a model: the unit by which batches, queues and requests are bounded.

use std::time::{Duration, Instant};

use mirador_models::tasks::expression::{Gene, PROMOTER_LENGTHS};
use mirador_models::tasks::pre_mirna::PreMirna;
use mirador_models::tasks::repression::Targeted;
use mirador_models::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};
use mirador_models::tasks::{Input, Task, pre_mirna};
use mirador_models::{Replica, cuda};
use mirna::{Base, Rna};

/// Inputs of the batch that is timed, where one takes less than [`LONG`].
const BATCH: usize = 32;
const LONG: Duration = Duration::from_millis(5);
const TRIES: usize = 3;
/// Most hairpins of miRBase are shorter, nt.
const USUAL_HAIRPIN: usize = 100;

/// What an input takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cost {
    /// Time of a worker.
    pub(super) time: Duration,
    /// Inputs that half of the device's free memory holds; `None` where nobody says.
    pub(super) in_memory: Option<usize>,
}

/// Time of one forward pass over a batch, for each of its inputs: the shortest of a few, since somebody else may use the
/// processor. The inputs are of the longest row that the task takes, which no other exceeds; no more of them than a batch
/// may have. libtorch keeps the memory that they took, so that what is free afterwards tells of it.
pub(super) fn measure(replica: &Replica, max_batch_size: usize) -> Cost {
    let free = || cuda::free_memory(replica.store.device());
    let encoded = replica.encoder.encode(&longest(replica.encoder.task()));
    let inputs = encoded.inputs();
    let before = free();
    let time = |values: &[f32], inputs: usize| {
        let started = Instant::now();
        replica.forward(values);
        started.elapsed() / inputs as u32
    };
    let once = time(&encoded.values, inputs);
    let times = if once < LONG { BATCH.min(max_batch_size).div_ceil(inputs) } else { 1 };
    let values = encoded.values.repeat(times);
    let inputs = values.len() / replica.encoder.width;
    let shortest = (0..TRIES).map(|_| time(&values, inputs)).min().unwrap_or(once);
    let in_memory = before.zip(free()).map(|(before, after)| {
        let each = (before.saturating_sub(after) / inputs).max(1);
        (after / 2 / each).max(1)
    });
    Cost { time: shortest + folding(replica), in_memory }
}

/// Time to encode a hairpin of usual length, where it is folded: that is what such an input costs, and it grows with the third
/// power of the length. Nothing elsewhere.
fn folding(replica: &Replica) -> Duration {
    if !replica.encoder.folds {
        return Duration::ZERO;
    }
    let row = PreMirna { sequence: letters(USUAL_HAIRPIN) }.into();
    let time = |_| {
        let started = Instant::now();
        replica.encoder.encode(&row);
        started.elapsed()
    };
    (0..TRIES).map(time).min().unwrap_or_default()
}

fn letters(length: usize) -> Rna {
    [Base::G, Base::A, Base::C, Base::U, Base::U].into_iter().cycle().take(length).collect()
}

/// A row as long as rows may be.
fn longest(task: Task) -> Input {
    match task {
        Task::TargetSite => {
            Pair { mirna: letters(*MIRNA_LENGTHS.end()), site: letters(*SITE_LENGTHS.end()) }.into()
        }
        Task::PreMirna => PreMirna { sequence: letters(*pre_mirna::LENGTHS.end()) }.into(),
        // Its inputs are of one size, whatever the row.
        Task::Repression => {
            Targeted { mirna: letters(*MIRNA_LENGTHS.end()), utr: letters(*SITE_LENGTHS.end()) }.into()
        }
        Task::Expression => {
            let length = *PROMOTER_LENGTHS.end();
            Gene {
                promoter: letters(length),
                tss: length / 2,
                half_life: Default::default(),
                mirnas: Default::default(),
            }
            .into()
        }
    }
}

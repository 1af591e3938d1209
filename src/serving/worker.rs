//! The thread that owns one replica for life: takes a batch, runs it, answers each row.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle, sleep};
use std::time::{Duration, Instant};

use mirador_models::cuda::Condition;
use mirador_models::device::set_threads_here;

use super::health::Health;
use super::priority::stand_back;
use super::queue::{Line, Part, Queue, Slice};
use super::{Fault, ModelMetrics};

/// Outputs of as many inputs as the slice holds. It may panic: that costs only the input at fault.
pub type Forward = Box<dyn FnMut(&[f32]) -> Vec<f32> + Send>;

/// A new replica for the worker of this number that has reproduced the golden outputs, or why there is none.
pub type Rebuild = Arc<dyn Fn(usize) -> Result<Forward, String> + Send + Sync>;

/// How the device of the worker of this number does.
pub type AskDevice = Arc<dyn Fn(usize) -> Condition + Send + Sync>;

/// Names of worker threads start so; `telemetry` leaves their panics to them.
pub const THREAD_NAME: &str = "worker-";
/// A replica that was built anew and found good is not suspected again so soon: then the inputs are at fault.
const TRUSTED: Duration = Duration::from_secs(10);
/// Between two tries to build one anew.
const RETRY: Duration = Duration::from_secs(1);

/// One replica and how it is fed.
pub(super) struct Worker {
    /// Number among the model's workers, which tells its device.
    pub index: usize,
    /// `dmiso@balanced`, for the log.
    pub model: Arc<str>,
    /// What is measured.
    pub metrics: Arc<ModelMetrics>,
    /// Told when the device breaks.
    pub fault: Fault,
    /// Told when the replica does.
    pub health: Arc<Health>,
    /// Values in one input.
    pub width: usize,
    /// Most inputs of one batch.
    pub fits: Fits,
    /// Threads that libtorch may use within one operation.
    pub threads: usize,
    /// Whose inputs it runs.
    pub line: Line,
    /// The replica.
    pub forward: Forward,
    /// Asks its device how it does, where there is a way.
    pub condition: Option<AskDevice>,
    /// What makes another, where there is a way.
    pub rebuild: Option<Rebuild>,
    /// How long that is tried before the device counts as broken.
    pub hopeless: Duration,
}

impl Worker {
    /// Starts the thread; it ends when the queue is closed and empty.
    pub(super) fn spawn(mut self, queue: Arc<Queue>) -> io::Result<JoinHandle<()>> {
        Builder::new().name(format!("{THREAD_NAME}{}", self.index)).spawn(move || {
            set_threads_here(self.threads);
            if self.line == Line::Long {
                stand_back();
            }
            let mut trusted = None;
            while let Some(parts) = queue.take(self.line, self.fits.now()) {
                self.health.begins(self.index);
                // Whatever fails, the thread goes on: without it the line would wait for ever.
                let answered = catch_unwind(AssertUnwindSafe(|| self.answer(parts)));
                self.health.ends(self.index);
                if self.fault.is_known() {
                    queue.fail(self.line);
                    continue;
                }
                if !answered.unwrap_or(false)
                    && trusted.is_none_or(|since: Instant| since.elapsed() > TRUSTED)
                {
                    self.mend(&queue);
                    trusted = Some(Instant::now());
                }
            }
        })
    }

    /// Runs a batch and answers its callers; whether any input of it has an output.
    fn answer(&mut self, parts: Vec<Part>) -> bool {
        let started = Instant::now();
        let rows = parts.iter().map(|part| part.rows).sum();
        let padded = bucket(rows, self.fits.now());
        let outputs = match parts.as_slice() {
            [alone] if padded == rows => self.run(alone.inputs(self.width)),
            several => {
                let mut inputs = Vec::with_capacity(padded * self.width);
                several.iter().for_each(|part| inputs.extend_from_slice(part.inputs(self.width)));
                // Filled up with the batch's own first rows: a network need not accept an input without rows.
                inputs.extend_from_within(..(padded - rows) * self.width);
                self.metrics.padding_inputs.increment((padded - rows) as u64);
                let mut outputs = self.run(&inputs);
                outputs.truncate(rows);
                outputs
            }
        };
        let forward = started.elapsed();
        // What a broken device leaves is no answer: a job, for one, asks for these rows again.
        if self.fault.is_known() && outputs.iter().any(Option::is_none) {
            return false;
        }
        self.metrics.forward.record(forward);
        self.metrics.batch.record(outputs.len() as f64);
        let failed = outputs.iter().filter(|output| output.is_none()).count();
        self.metrics.failed.increment(failed as u64);
        self.metrics.answered.increment((outputs.len() - failed) as u64);
        let any = failed < outputs.len();
        let mut outputs = outputs.into_iter();
        for part in parts {
            self.metrics.queue_wait.record(part.waited);
            let slice = Slice {
                first: part.first,
                outputs: outputs.by_ref().take(part.rows).collect(),
                waited: part.waited,
                forward,
            };
            // A caller who left meanwhile wants no answer. The inputs' room is given back as `part` drops.
            let _ = part.answer.send(slice);
        }
        any
    }

    /// A batch failed altogether: is it the inputs or the replica? A new one that reproduces the golden outputs takes
    /// its place. While there is none, the model is not ready and nobody waits for it in vain.
    fn mend(&mut self, queue: &Queue) {
        let Some(rebuild) = self.rebuild.clone() else { return };
        let (begun, mut broken) = (Instant::now(), false);
        loop {
            let built = catch_unwind(AssertUnwindSafe(|| rebuild(self.index)));
            let reason = match built.unwrap_or_else(|panic| Err(message(&*panic))) {
                Ok(forward) => {
                    self.forward = forward;
                    break;
                }
                Err(reason) => reason,
            };
            if !broken {
                broken = true;
                self.health.breaks();
                tracing::error!(model = &*self.model, reason = first_line(&reason), "the model is broken");
            }
            if begun.elapsed() > self.hopeless {
                self.fault.report(&format!("{} cannot be mended: {}", self.model, first_line(&reason)));
                return;
            }
            queue.fail(self.line);
            if !queue.is_open() {
                break;
            }
            sleep(RETRY);
        }
        if broken {
            self.health.mends();
            tracing::info!(model = &*self.model, "the model was built anew");
        }
    }

    /// One output for each row; `None` for a row that makes the network panic or whose output is not finite. A batch
    /// that panics is run again in halves until the row at fault is alone, or the device has memory for them; the row once
    /// more as two, since libtorch may have kept a failure of this very shape.
    fn run(&mut self, inputs: &[f32]) -> Vec<Option<f32>> {
        let rows = inputs.len() / self.width;
        let reason = match catch_unwind(AssertUnwindSafe(|| (self.forward)(inputs))) {
            Ok(outputs) if outputs.len() == rows => {
                let bad = outputs.iter().filter(|output| !output.is_finite()).count();
                if bad > 0 {
                    tracing::error!(model = &*self.model, rows = bad, "an output is not finite");
                }
                self.fits.held(rows);
                return outputs.into_iter().map(|output| output.is_finite().then_some(output)).collect();
            }
            Ok(outputs) => format!("{} outputs for {rows} rows", outputs.len()),
            Err(panic) => message(&*panic),
        };
        let condition = self.condition.as_ref().map_or(Condition::Unknown, |ask| ask(self.index));
        if let Some(fault) = Fault::of(condition, &reason) {
            tracing::error!(model = &*self.model, reason = first_line(&fault), "the device is broken");
            self.fault.report(&fault);
            return vec![None; rows];
        }
        if condition == Condition::NoMemory || Fault::is_of_memory(&reason) {
            self.fits.failed(rows);
            let now = self.fits.now();
            tracing::warn!(
                model = &*self.model,
                rows,
                now,
                "the device has no memory for this batch: smaller ones"
            );
        }
        if rows <= 1 {
            let twice = inputs.repeat(2);
            return match catch_unwind(AssertUnwindSafe(|| (self.forward)(&twice))) {
                Ok(outputs) if rows == 1 && outputs.len() == 2 && outputs[0].is_finite() => {
                    vec![Some(outputs[0])]
                }
                _ => {
                    tracing::error!(
                        model = &*self.model,
                        reason = first_line(&reason),
                        "the network failed on a row"
                    );
                    vec![None; rows]
                }
            };
        }
        let (left, right) = inputs.split_at(rows / 2 * self.width);
        let mut outputs = self.run(left);
        outputs.extend(self.run(right));
        outputs
    }
}

/// How many inputs a device has memory for: half as many as failed, and after a while of success twice as many again, for
/// others may have given some back.
#[derive(Debug)]
pub(super) struct Fits {
    most: usize,
    now: usize,
    held: usize,
}

impl Fits {
    /// Batches that have to pass before a larger one is tried.
    const PATIENCE: usize = 64;

    /// As many as a batch may have.
    pub(super) fn new(most: usize) -> Self {
        Self { most, now: most, held: 0 }
    }

    /// Inputs that the next batch may have.
    pub(super) fn now(&self) -> usize {
        self.now
    }

    fn failed(&mut self, rows: usize) {
        self.now = (rows / 2).clamp(1, self.now);
        self.held = 0;
    }

    fn held(&mut self, rows: usize) {
        self.held += usize::from(rows >= self.now && self.now < self.most);
        if self.held > Self::PATIENCE {
            self.now = (2 * self.now).min(self.most);
            self.held = 0;
        }
    }
}

/// The next of few batch sizes, at most an eighth larger: libtorch keeps what it prepared for every shape that it met.
fn bucket(rows: usize, most: usize) -> usize {
    let step = (rows.next_power_of_two() / 16).max(1);
    rows.next_multiple_of(step).min(most.max(rows))
}

/// libtorch's messages go on with a backtrace.
pub(super) fn first_line(reason: &str) -> &str {
    reason.lines().next().unwrap_or_default()
}

pub(super) fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_line() {
        assert_eq!(first_line("shapes differ\nException raised from …\nframe #0"), "shapes differ");
    }

    #[test]
    fn what_fits_shrinks_at_once_and_grows_slowly() {
        let mut fits = Fits::new(512);
        fits.failed(512);
        fits.failed(256);
        assert_eq!(fits.now(), 128);
        (0..1000).for_each(|_| fits.held(127));
        assert_eq!(fits.now(), 128, "smaller batches tell nothing");
        (0..=Fits::PATIENCE).for_each(|_| fits.held(128));
        assert_eq!(fits.now(), 256);
        fits.failed(1);
        assert_eq!(fits.now(), 1);
    }

    #[test]
    fn buckets_are_few_and_waste_little() {
        let sizes: std::collections::BTreeSet<usize> = (1..=512).map(|rows| bucket(rows, 512)).collect();
        assert!(sizes.len() <= 56, "{sizes:?}");
        for rows in 1..=512 {
            let padded = bucket(rows, 512);
            assert!(padded >= rows && padded <= 512 && (padded - rows) * 8 <= rows, "{rows}: {padded}");
        }
        assert_eq!(bucket(500, 500), 500);
    }
}

//! The thread that owns one replica for life: takes a batch, runs it, answers each row.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

use super::queue::{Line, Part, Queue, Slice};
use super::{Fault, Meters};

/// Outputs of as many rows as the slice holds. It may panic: that costs only the row at fault.
pub type Forward = Box<dyn FnMut(&[f32]) -> Vec<f32> + Send>;

/// Names of worker threads start so; `telemetry` leaves their panics to them.
pub const THREAD_NAME: &str = "worker-";

/// One replica and how it is fed.
pub struct Worker {
    /// `dmiso@balanced`, for the log.
    pub model: Arc<str>,
    /// What is measured.
    pub meters: Arc<Meters>,
    /// Told when the device breaks.
    pub fault: Fault,
    /// Values in one row.
    pub width: usize,
    /// Most rows of one batch.
    pub max_batch_size: usize,
    /// Threads that libtorch may use within one operation.
    pub threads: usize,
    /// Whose rows it runs.
    pub line: Line,
    /// The replica.
    pub forward: Forward,
}

impl Worker {
    /// Starts the thread; it ends when the queue is closed and empty.
    pub fn spawn(mut self, index: usize, queue: Arc<Queue>) -> io::Result<JoinHandle<()>> {
        Builder::new().name(format!("{THREAD_NAME}{index}")).spawn(move || {
            // OpenMP keeps this setting for each thread apart.
            tch::set_num_threads(i32::try_from(self.threads).unwrap_or(1));
            while let Some(parts) = queue.take(self.line, self.max_batch_size) {
                self.answer(parts);
            }
        })
    }

    fn answer(&mut self, parts: Vec<Part>) {
        let started = Instant::now();
        let rows = parts.iter().map(|part| part.rows).sum();
        let padded = bucket(rows, self.max_batch_size);
        let outputs = match parts.as_slice() {
            [alone] if padded == rows => self.run(alone.inputs(self.width)),
            several => {
                let mut inputs = Vec::with_capacity(padded * self.width);
                several.iter().for_each(|part| inputs.extend_from_slice(part.inputs(self.width)));
                // Filled up with its own first rows: a network need not bear an input of nothing.
                inputs.extend_from_within(..(padded - rows) * self.width);
                self.meters.padding_inputs.increment((padded - rows) as u64);
                let mut outputs = self.run(&inputs);
                outputs.truncate(rows);
                outputs
            }
        };
        let forward = started.elapsed();
        self.meters.forward.record(forward);
        self.meters.batch.record(outputs.len() as f64);
        let failed = outputs.iter().filter(|output| output.is_none()).count();
        self.meters.failed.increment(failed as u64);
        self.meters.answered.increment((outputs.len() - failed) as u64);
        let mut outputs = outputs.into_iter();
        for part in parts {
            self.meters.queue_wait.record(part.waited);
            let slice = Slice {
                first: part.first,
                outputs: outputs.by_ref().take(part.rows).collect(),
                waited: part.waited,
                forward,
            };
            // A caller who left meanwhile wants no answer. The rows' room is given back as `part` drops.
            let _ = part.answer.send(slice);
        }
    }

    /// One output for each row; `None` for a row that makes the network panic or whose output is not finite. A batch
    /// that panics is run again in halves until the row at fault is alone.
    fn run(&mut self, inputs: &[f32]) -> Vec<Option<f32>> {
        let rows = inputs.len() / self.width;
        let reason = match catch_unwind(AssertUnwindSafe(|| (self.forward)(inputs))) {
            Ok(outputs) if outputs.len() == rows => {
                let bad = outputs.iter().filter(|output| !output.is_finite()).count();
                if bad > 0 {
                    tracing::error!(model = &*self.model, rows = bad, "an output is not finite");
                }
                return outputs.into_iter().map(|output| output.is_finite().then_some(output)).collect();
            }
            Ok(outputs) => format!("{} outputs for {rows} rows", outputs.len()),
            Err(panic) => message(&*panic),
        };
        if Fault::is_told_by(&reason) {
            tracing::error!(model = &*self.model, reason, "the device is broken");
            self.fault.report(&reason);
            return vec![None; rows];
        }
        if rows <= 1 {
            tracing::error!(model = &*self.model, reason, "the network failed on a row");
            return vec![None; rows];
        }
        let (left, right) = inputs.split_at(rows / 2 * self.width);
        let mut outputs = self.run(left);
        outputs.extend(self.run(right));
        outputs
    }
}

/// The next of few batch sizes, at most an eighth larger: libtorch keeps what it prepared for every shape that it met.
fn bucket(rows: usize, most: usize) -> usize {
    let step = (rows.next_power_of_two() / 16).max(1);
    rows.next_multiple_of(step).min(most.max(rows))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic without a message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

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

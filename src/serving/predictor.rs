//! The handle through which rows are scored: cheap to clone, safe to drop at any moment.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::queue::{Answers, Line, Queue};
use super::worker::{Forward, Worker};
use super::{Fault, Meters, PredictError};

/// How the workers of one model version are fed.
#[derive(Clone, Debug)]
pub struct PredictorConfig {
    /// Most rows of one batch.
    pub max_batch_size: usize,
    /// Most rows admitted and not yet answered.
    pub queue_capacity: usize,
    /// Replicas for small requests, each on its own thread.
    pub short_workers: usize,
    /// Replicas for large requests.
    pub long_workers: usize,
    /// Threads that libtorch may use within one operation of a worker.
    pub threads: usize,
    /// Told when the device breaks.
    pub fault: Fault,
}

impl Default for PredictorConfig {
    fn default() -> Self {
        Self {
            max_batch_size: 512,
            queue_capacity: 20_000,
            short_workers: 1,
            long_workers: 1,
            threads: 1,
            fault: Fault::default(),
        }
    }
}

/// One model version, ready to score.
#[derive(Clone)]
pub struct Predictor(Arc<Inner>);

struct Inner {
    meters: Arc<Meters>,
    queue: Arc<Queue>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One for each row, in order; all finite; `None` where the network failed.
    pub outputs: Vec<Option<f32>>,
    /// From admission until a worker took the first row.
    pub queued: Duration,
    /// Time that workers spent on batches with rows of this request.
    pub forward: Duration,
}

impl Predictor {
    /// Starts one worker for each forward function: those of `short` run requests of few rows, those of `long` all
    /// others. `model` is for the log, `width` the values in one row.
    pub fn start(
        model: &str,
        width: usize,
        config: PredictorConfig,
        short: Vec<Forward>,
        long: Vec<Forward>,
    ) -> io::Result<Self> {
        let meters = Arc::new(Meters::new(model));
        let queue = Arc::new(Queue::new(width, config.queue_capacity, meters.clone()));
        let model: Arc<str> = model.into();
        let PredictorConfig { max_batch_size, threads, fault, .. } = config;
        let of = |line| move |forward| (line, forward);
        let replicas = short.into_iter().map(of(Line::Short)).chain(long.into_iter().map(of(Line::Long)));
        let spawn = |(index, (line, forward))| {
            Worker {
                model: model.clone(),
                meters: meters.clone(),
                fault: fault.clone(),
                width,
                max_batch_size,
                threads,
                line,
                forward,
            }
            .spawn(index, queue.clone())
        };
        let workers = replicas.enumerate().map(spawn).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(Inner { meters: meters.clone(), queue, workers: Mutex::new(workers) })))
    }

    /// Outputs of rows that lie one after the other in `inputs`. Dropping the future takes the rows that still wait
    /// out of the queue; whoever drops it at a deadline names it here, so that the metrics tell why.
    ///
    /// # Errors
    /// When the queue has no room for all rows, or is closed.
    pub async fn predict(
        &self,
        inputs: Vec<f32>,
        deadline: Option<Instant>,
    ) -> Result<Prediction, PredictError> {
        let mut answers = self.0.queue.push(inputs)?;
        answers.deadline = deadline;
        collect(answers).await
    }

    /// The same, but waits for room.
    ///
    /// # Errors
    /// When the rows are more than the queue could ever hold, or it is closed.
    pub async fn predict_when_room(&self, inputs: Vec<f32>) -> Result<Prediction, PredictError> {
        collect(self.0.queue.push_when_room(inputs).await?).await
    }

    /// Rows that may still be admitted.
    pub fn free_rows(&self) -> usize {
        self.0.queue.free_rows()
    }

    /// Rows that were admitted and not answered.
    pub fn rows_in_flight(&self) -> usize {
        self.0.queue.rows_in_flight()
    }

    /// What is measured of it.
    pub fn meters(&self) -> &Meters {
        &self.0.meters
    }

    /// Takes no new rows, waits until the accepted ones are answered and the workers have ended.
    pub fn shut_down(&self) {
        self.0.queue.close();
        let workers =
            std::mem::take(&mut *self.0.workers.lock().expect("nobody panics while holding this lock"));
        for worker in workers {
            // A worker that panicked outside a forward pass has nothing left to wait for.
            let _ = worker.join();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Puts the slices of an answer together.
async fn collect(mut answers: Answers) -> Result<Prediction, PredictError> {
    let mut outputs = vec![None; answers.missing()];
    let (mut queued, mut forward) = (Duration::MAX, Duration::ZERO);
    while let Some(slice) = answers.next().await {
        let slice = slice?;
        outputs[slice.first..][..slice.outputs.len()].copy_from_slice(&slice.outputs);
        queued = queued.min(slice.waited);
        forward += slice.forward;
    }
    Ok(Prediction { outputs, queued, forward })
}

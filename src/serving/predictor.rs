//! The handle through which rows are scored: cheap to clone, safe to drop at any moment.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::PredictError;
use super::queue::Queue;
use super::worker::{Forward, Worker};

/// How the workers of one model version are fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PredictorConfig {
    /// Most rows of one batch.
    pub max_batch_size: usize,
    /// Most rows admitted and not yet answered.
    pub queue_capacity: usize,
    /// Replicas, each on its own thread.
    pub workers: usize,
    /// Threads that libtorch may use within one operation of a worker.
    pub threads: usize,
}

impl Default for PredictorConfig {
    fn default() -> Self {
        Self { max_batch_size: 512, queue_capacity: 20_000, workers: 1, threads: 1 }
    }
}

/// One model version, ready to score.
#[derive(Clone)]
pub struct Predictor(Arc<Inner>);

struct Inner {
    queue: Arc<Queue>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One for each row, in order; all finite.
    pub outputs: Vec<f32>,
    /// From admission until a worker took the first row.
    pub queued: Duration,
    /// Time that workers spent on batches with rows of this request.
    pub forward: Duration,
}

impl Predictor {
    /// Starts one worker for each forward function. `model` is for the log, `width` the values in one row.
    pub fn start(
        model: &str,
        width: usize,
        config: PredictorConfig,
        replicas: Vec<Forward>,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(width, config.queue_capacity));
        let model: Arc<str> = model.into();
        let PredictorConfig { max_batch_size, threads, .. } = config;
        let spawn = |(index, forward)| {
            Worker { model: model.clone(), width, max_batch_size, threads, forward }
                .spawn(index, queue.clone())
        };
        let workers = replicas.into_iter().enumerate().map(spawn).collect::<io::Result<_>>()?;
        Ok(Self(Arc::new(Inner { queue, workers: Mutex::new(workers) })))
    }

    /// Outputs of rows that lie one after the other in `inputs`. Dropping the future takes the rows that still wait
    /// out of the queue.
    ///
    /// # Errors
    /// At once when the queue has no room for all rows or is closed; later when the network fails on one of them.
    pub async fn predict(&self, inputs: Vec<f32>) -> Result<Prediction, PredictError> {
        let mut answers = self.0.queue.push(inputs)?;
        let mut outputs = vec![0.0; answers.missing()];
        let (mut queued, mut forward) = (Duration::MAX, Duration::ZERO);
        while let Some(slice) = answers.next().await {
            let slice = slice?;
            for (output, found) in outputs[slice.first..].iter_mut().zip(slice.outputs) {
                *output = found.ok_or(PredictError::Failed)?;
            }
            queued = queued.min(slice.waited);
            forward += slice.forward;
        }
        Ok(Prediction { outputs, queued, forward })
    }

    /// Rows that may still be admitted.
    pub fn free_rows(&self) -> usize {
        self.0.queue.free_rows()
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

//! The handle through which rows are scored: cheap to clone, safe to drop at any moment.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::health::Health;
use super::queue::{Answers, Line, Queue};
use super::room::{Bytes, Place, Room, Rooms, Share};
use super::worker::{AskDevice, Fits, Forward, Rebuild, Worker};
use super::{Fault, ModelMetrics, PredictError};

/// A batch takes no longer, by its model's cost: a model that is slow gets smaller ones, so that nobody waits long for
/// the end of one.
const BATCH_TIME: Duration = Duration::from_millis(250);
/// A batch's inputs take no more bytes.
const BATCH_BYTES: usize = 4 << 20;
/// The part of the drain time that large requests may keep the workers busy for: what was accepted is
/// answered before it is over.
const LARGE_SHARE: f64 = 0.7;

/// How the workers of one model version are fed.
#[derive(Clone)]
pub struct PredictorConfig {
    /// Most inputs of one batch.
    pub max_batch_size: usize,
    /// Most rows of large requests that are admitted and not yet answered.
    pub queue_capacity: usize,
    /// Most inputs that one row takes: a long site takes several.
    pub inputs_of_row: usize,
    /// Replicas for small requests, each on its own thread.
    pub short_workers: usize,
    /// Replicas for large requests.
    pub long_workers: usize,
    /// Threads that libtorch may use within one operation of a worker.
    pub threads: usize,
    /// What an input costs.
    pub cost: Duration,
    /// What was accepted has to be answered within this time.
    pub drain: Duration,
    /// Bytes of encoded rows, shared by all models.
    pub bytes: Bytes,
    /// Told when the device breaks.
    pub fault: Fault,
    /// Asks a worker's device how it does, where there is a way.
    pub condition: Option<AskDevice>,
    /// Makes a new replica where one breaks.
    pub rebuild: Option<Rebuild>,
    /// A model that cannot be mended for so long cannot be mended in this process.
    pub hopeless: Duration,
}

impl Default for PredictorConfig {
    fn default() -> Self {
        Self {
            max_batch_size: 512,
            queue_capacity: 20_000,
            inputs_of_row: 1,
            short_workers: 1,
            long_workers: 1,
            threads: 1,
            cost: Duration::from_micros(1),
            drain: Duration::from_secs(25),
            bytes: Bytes::new(256 << 20),
            fault: Fault::default(),
            condition: None,
            rebuild: None,
            hopeless: Duration::from_secs(60),
        }
    }
}

impl PredictorConfig {
    /// Inputs that fit into some time of one worker.
    fn inputs_in(&self, time: Duration) -> usize {
        (time.as_secs_f64() / self.cost.as_secs_f64().max(1e-9)) as usize
    }

    /// Most inputs of `width` values that a batch may hold.
    fn most(&self, width: usize) -> usize {
        let by_bytes = BATCH_BYTES / (width * size_of::<f32>());
        self.inputs_in(BATCH_TIME).min(by_bytes).min(self.max_batch_size).max(1)
    }
}

/// One model version, ready to score.
#[derive(Clone)]
pub struct Predictor(Arc<Inner>);

struct Inner {
    metrics: Arc<ModelMetrics>,
    health: Arc<Health>,
    fault: Fault,
    queue: Arc<Queue>,
    rooms: Rooms,
    most: usize,
    /// Time that a worker of large requests needs for one input.
    cost: Duration,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

/// The answer to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// One for each input, in order; all finite; `None` where the network failed.
    pub outputs: Vec<Option<f32>>,
    /// From admission until a worker took the first input.
    pub queued: Duration,
    /// Time that workers spent on batches with inputs of this request.
    pub forward: Duration,
}

impl Predictor {
    /// Starts one worker for each forward function: those of `short` run requests of few inputs, those of `long` all
    /// others. `model` is for the log, `width` the values in one input.
    pub fn start(
        model: &str,
        width: usize,
        config: PredictorConfig,
        short: Vec<Forward>,
        long: Vec<Forward>,
    ) -> io::Result<Self> {
        let metrics = Arc::new(ModelMetrics::new(model));
        let queue = Arc::new(Queue::new(width, metrics.clone()));
        let health = Arc::new(Health::new(short.len() + long.len()));
        let (model, most): (Arc<str>, usize) = (model.into(), config.most(width));
        let by_time = config.inputs_in(config.drain.mul_f64(LARGE_SHARE)).saturating_mul(long.len());
        let large = config.queue_capacity.saturating_mul(config.inputs_of_row).min(by_time);
        let rooms = Rooms::new(large, most.max(config.inputs_of_row), width, config.bytes.clone());
        let cost = config.cost / long.len().max(1) as u32;
        let replicas = short.into_iter().map(|forward| (Line::Short, forward));
        let replicas = replicas.chain(long.into_iter().map(|forward| (Line::Long, forward)));
        let spawn = |(index, (line, forward))| {
            Worker {
                index,
                model: model.clone(),
                metrics: metrics.clone(),
                fault: config.fault.clone(),
                health: health.clone(),
                width,
                fits: Fits::new(most),
                threads: config.threads,
                line,
                forward,
                condition: config.condition.clone(),
                rebuild: config.rebuild.clone(),
                hopeless: config.hopeless,
            }
            .spawn(queue.clone())
        };
        let workers = Mutex::new(replicas.enumerate().map(spawn).collect::<io::Result<_>>()?);
        Ok(Self(Arc::new(Inner {
            metrics,
            health,
            fault: config.fault.clone(),
            queue,
            rooms,
            most,
            cost,
            workers,
        })))
    }

    /// Places for all inputs of a request, or of some lines. Whoever drops them at a deadline names it here, so that the
    /// metrics tell why.
    ///
    /// # Errors
    /// When there is no room for all of them, or the model is broken.
    pub async fn reserve(
        &self,
        share: Share,
        inputs: usize,
        deadline: Option<Instant>,
    ) -> Result<Reservation, PredictError> {
        if !self.0.health.is_whole() || self.0.fault.is_known() {
            return Err(PredictError::Broken);
        }
        if self.0.rooms.taken() == 0 {
            self.0.health.wakes();
        }
        match self.0.rooms.reserve(share, inputs).await {
            Ok(room) => Ok(Reservation { room, deadline, metrics: self.0.metrics.clone() }),
            Err(error) => {
                self.0.metrics.full.increment(inputs as u64);
                Err(error)
            }
        }
    }

    /// Waits until there is room for the bytes of inputs that have places.
    pub async fn place(&self, room: Room) -> Result<Place, PredictError> {
        self.0.rooms.place(room).await
    }

    /// Outputs of inputs that lie one after the other in `inputs`. Dropping the future takes those that still wait
    /// out of the queue.
    ///
    /// # Errors
    /// When the queue is closed, or the model failed altogether.
    pub async fn predict(
        &self,
        inputs: Vec<f32>,
        place: Place,
        deadline: Option<Instant>,
    ) -> Result<Prediction, PredictError> {
        let mut answers = self.0.queue.push(inputs, place)?;
        answers.deadline = deadline;
        collect(answers).await
    }

    /// Most inputs of one batch: no use in sending more at once.
    pub fn most_inputs_at_once(&self) -> usize {
        self.0.most
    }

    /// Most inputs that rows which come line by line, or those of a job, may have together.
    pub fn most_inputs_of_lines(&self) -> usize {
        self.0.rooms.most_of_lines()
    }

    /// Most inputs that one request may have; a long site takes several.
    pub fn most_inputs_of_request(&self) -> usize {
        self.0.rooms.most()
    }

    /// Inputs that were admitted and not answered.
    pub fn inputs_in_flight(&self) -> usize {
        self.0.rooms.taken()
    }

    /// How long the workers will be busy with what was admitted.
    pub fn work_ahead(&self) -> Duration {
        self.0.cost.saturating_mul(u32::try_from(self.inputs_in_flight()).unwrap_or(u32::MAX))
    }

    /// Whether the model answers.
    pub fn is_good(&self) -> bool {
        self.0.health.is_good(self.inputs_in_flight())
    }

    /// What is measured of it.
    pub fn metrics(&self) -> &ModelMetrics {
        &self.0.metrics
    }

    /// Takes nothing new, waits until what was accepted is answered and the workers have ended.
    pub fn shut_down(&self) {
        self.0.queue.close();
        let workers = std::mem::take(&mut *self.0.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            let _ = worker.join();
        }
    }

    /// Runs nothing more but the batches that run: whoever waits is told that the server is shutting down.
    pub fn abort(&self) {
        self.0.queue.abort();
    }
}

/// Places for the inputs of a request. What is left of them when it is dropped counts as dropped.
pub struct Reservation {
    room: Room,
    deadline: Option<Instant>,
    metrics: Arc<ModelMetrics>,
}

impl Reservation {
    /// Takes the places of some of the inputs out of it.
    pub fn split(&mut self, inputs: usize) -> Room {
        self.room.split(inputs)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.metrics.dropped(self.room.inputs(), self.deadline);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rest_is_no_standstill() {
        let predictor = Predictor::start("resting", 1, PredictorConfig::default(), vec![], vec![]).unwrap();
        let mut inner = Arc::into_inner(predictor.0).unwrap();
        inner.health = Arc::new(Health::since(Instant::now() - Duration::from_secs(3600), 0));
        let predictor = Predictor(Arc::new(inner));
        assert!(predictor.is_good());
        let _room = predictor.reserve(Share::Small, 1, None).await.unwrap();
        assert!(predictor.is_good(), "what waits came just now");
    }
}

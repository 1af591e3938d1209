//! The bounded queue of one model version. Its capacity counts rows, the unit of work, not requests. Small requests and
//! large ones stand in two lines, each with workers of its own: a lone pair does not wait for the end of a large batch.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Meters, PredictError};

/// A request of at most so many rows stands in the short line.
const FEW: usize = 16;

/// Which of the two lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Of small requests.
    Short,
    /// Of large ones.
    Long,
}

/// Between the predictor (async, pushes) and the workers (threads, take).
pub struct Queue {
    /// Values in one row.
    width: usize,
    capacity: usize,
    meters: Arc<Meters>,
    /// Room for rows. A permit travels with its rows and is given back when they are answered or dropped.
    room: Arc<Semaphore>,
    /// Held for moving jobs only, never while rows are copied or run.
    waiting: Mutex<Waiting>,
    /// Tell the workers of each line that a job arrived or the queue closes.
    arrived: [Condvar; 2],
}

#[derive(Default)]
struct Waiting {
    lines: [VecDeque<Job>; 2],
    closed: bool,
}

/// The rows of one request that no worker has taken yet.
struct Job {
    inputs: Arc<Vec<f32>>,
    /// The first row not taken.
    next: usize,
    since: Instant,
    room: OwnedSemaphorePermit,
    answer: UnboundedSender<Slice>,
}

/// Consecutive rows of one request, in the hands of a worker.
pub struct Part {
    inputs: Arc<Vec<f32>>,
    /// Index of the first row within the request.
    pub first: usize,
    /// How many.
    pub rows: usize,
    /// Time from admission until now.
    pub waited: Duration,
    /// To the request's [`Answers`].
    pub answer: UnboundedSender<Slice>,
    _room: OwnedSemaphorePermit,
}

/// What a worker found for a [`Part`]; `None` is a row that the network failed on.
pub struct Slice {
    pub first: usize,
    pub outputs: Vec<Option<f32>>,
    pub waited: Duration,
    pub forward: Duration,
}

/// The caller's end of a job. Dropping it takes what still waits out of the queue.
pub struct Answers {
    queue: Arc<Queue>,
    slices: UnboundedReceiver<Slice>,
    missing: usize,
    /// Tells, when it is dropped, a caller who left from one whose time was over.
    pub deadline: Option<Instant>,
}

impl Queue {
    pub fn new(width: usize, capacity: usize, meters: Arc<Meters>) -> Self {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(capacity));
        Self { width, capacity, meters, room, waiting: Mutex::default(), arrived: Default::default() }
    }

    /// Admits all rows or none.
    pub fn push(self: &Arc<Self>, inputs: Vec<f32>) -> Result<Answers, PredictError> {
        let permits = self.permits(&inputs)?;
        let Ok(room) = self.room.clone().try_acquire_many_owned(permits) else {
            self.meters.full.increment(permits.into());
            return Err(PredictError::Full);
        };
        self.admit(inputs, room)
    }

    /// Admits all rows as soon as there is room for them.
    pub async fn push_when_room(self: &Arc<Self>, inputs: Vec<f32>) -> Result<Answers, PredictError> {
        let permits = self.permits(&inputs)?;
        let room = self.room.clone().acquire_many_owned(permits).await.map_err(|_| PredictError::Closed)?;
        self.admit(inputs, room)
    }

    /// More than the capacity could never be admitted.
    fn permits(&self, inputs: &[f32]) -> Result<u32, PredictError> {
        debug_assert_eq!(inputs.len() % self.width, 0, "not a whole number of rows");
        let rows = inputs.len() / self.width;
        u32::try_from(rows).ok().filter(|_| rows <= self.capacity).ok_or(PredictError::Full)
    }

    fn admit(
        self: &Arc<Self>,
        inputs: Vec<f32>,
        room: OwnedSemaphorePermit,
    ) -> Result<Answers, PredictError> {
        let rows = inputs.len() / self.width;
        let (answer, slices) = mpsc::unbounded_channel();
        let job = Job { inputs: Arc::new(inputs), next: 0, since: Instant::now(), room, answer };
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(PredictError::Closed);
        }
        let line = if rows <= FEW { Line::Short } else { Line::Long } as usize;
        if rows > 0 {
            waiting.lines[line].push_back(job);
        }
        drop(waiting);
        self.arrived[line].notify_one();
        Ok(Answers { queue: self.clone(), slices, missing: rows, deadline: None })
    }

    /// Blocks until rows wait in this line, then takes at most `max_batch_size` of them; `None` when the queue is closed
    /// and everything accepted was taken.
    pub fn take(&self, line: Line, max_batch_size: usize) -> Option<Vec<Part>> {
        let (line, arrived) = (line as usize, &self.arrived[line as usize]);
        let mut waiting = self.lock();
        loop {
            let parts = waiting.take(line, max_batch_size, self.width);
            if !waiting.lines[line].is_empty() {
                arrived.notify_one();
            }
            if !parts.is_empty() {
                return Some(parts);
            }
            if waiting.closed {
                return None;
            }
            waiting = arrived.wait(waiting).expect("nobody panics while holding the queue's lock");
        }
    }

    /// Takes no new jobs; the accepted ones are still run.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.iter().for_each(Condvar::notify_all);
    }

    /// Rows that may still be admitted.
    pub fn free_rows(&self) -> usize {
        self.room.available_permits()
    }

    /// Rows that were admitted and not answered.
    pub fn rows_in_flight(&self) -> usize {
        self.capacity - self.free_rows()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("nobody panics while holding the queue's lock")
    }
}

impl Waiting {
    fn take(&mut self, line: usize, max_batch_size: usize, width: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut budget = max_batch_size;
        while budget > 0
            && let Some(mut job) = self.lines[line].pop_front()
        {
            if job.answer.is_closed() {
                continue;
            }
            let left = job.inputs.len() / width - job.next;
            let rows = left.min(budget);
            parts.push(job.split_off(rows));
            budget -= rows;
            if rows < left {
                // To the back: large requests share the workers.
                self.lines[line].push_back(job);
            }
        }
        parts
    }
}

impl Job {
    fn split_off(&mut self, rows: usize) -> Part {
        let first = self.next;
        self.next += rows;
        Part {
            inputs: self.inputs.clone(),
            first,
            rows,
            waited: self.since.elapsed(),
            answer: self.answer.clone(),
            _room: self.room.split(rows).expect("a job holds one permit for each row not taken"),
        }
    }
}

impl Part {
    /// The rows' values, one row after the other.
    pub fn inputs(&self, width: usize) -> &[f32] {
        &self.inputs[self.first * width..(self.first + self.rows) * width]
    }
}

impl Answers {
    /// Rows not answered yet.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// The next slice, in any order; `None` when all rows have been answered.
    pub async fn next(&mut self) -> Option<Result<Slice, PredictError>> {
        if self.missing == 0 {
            return None;
        }
        // The job went away unanswered: only a worker that died drops it.
        let Some(slice) = self.slices.recv().await else { return Some(Err(PredictError::Failed)) };
        self.missing -= slice.outputs.len();
        Some(Ok(slice))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        if self.missing > 0 {
            let meters = &self.queue.meters;
            let late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
            (if late { &meters.late } else { &meters.left }).increment(self.missing as u64);
            self.slices.close();
            let mut waiting = self.queue.lock();
            waiting.lines.iter_mut().for_each(|line| line.retain(|job| !job.answer.is_closed()));
        }
    }
}

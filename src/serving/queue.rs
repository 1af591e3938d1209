//! The bounded queue of one model version. Its capacity counts rows, the unit of work, not requests. Requests of few
//! rows and of many stand in two lines and never share a batch: a lone pair does not wait for the end of a long one.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Meters, PredictError};

/// A request of so few rows stands in the short line.
const FEW: usize = 16;

/// Which requests a worker takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// All, of both lines by turns.
    All,
    /// Those of few rows, while every worker of the other lane runs many.
    Few,
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
    /// Tell the workers of each lane that there may be something for them, or that the queue closes.
    for_all: Condvar,
    for_few: Condvar,
}

struct Waiting {
    few: VecDeque<Job>,
    many: VecDeque<Job>,
    /// The long line's turn is next.
    many_is_next: bool,
    /// Workers of [`Lane::All`] that do not run a batch of the long line.
    at_hand: usize,
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

/// What a worker runs at once.
pub struct Batch {
    /// Not empty.
    pub parts: Vec<Part>,
    /// Held while rows of the long line run.
    pub long: Option<Long>,
}

/// Counts its worker out of those at hand.
pub struct Long(Arc<Queue>);

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
    /// `workers` is how many will take from [`Lane::All`].
    pub fn new(width: usize, capacity: usize, workers: usize, meters: Arc<Meters>) -> Self {
        let capacity = capacity.min(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(capacity));
        let waiting = Waiting {
            few: VecDeque::new(),
            many: VecDeque::new(),
            many_is_next: false,
            at_hand: workers,
            closed: false,
        };
        let (for_all, for_few) = (Condvar::new(), Condvar::new());
        Self { width, capacity, meters, room, waiting: Mutex::new(waiting), for_all, for_few }
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
        if rows > 0 {
            let line = if rows <= FEW { &mut waiting.few } else { &mut waiting.many };
            line.push_back(job);
        }
        let nobody_at_hand = waiting.at_hand == 0;
        drop(waiting);
        (if nobody_at_hand { &self.for_few } else { &self.for_all }).notify_one();
        Ok(Answers { queue: self.clone(), slices, missing: rows, deadline: None })
    }

    /// Blocks until rows wait for this lane, then takes at most `max_batch_size` of them; `None` when the queue is closed
    /// and everything accepted was taken, or will be by [`Lane::All`].
    pub fn take(self: &Arc<Self>, max_batch_size: usize, lane: Lane) -> Option<Batch> {
        let mut waiting = self.lock();
        loop {
            let (parts, long) = match lane {
                Lane::All => waiting.take_by_turns(max_batch_size, self.width),
                Lane::Few if waiting.at_hand > 0 => (Vec::new(), false),
                Lane::Few => (take(&mut waiting.few, max_batch_size, self.width), false),
            };
            waiting.at_hand -= usize::from(long);
            if !parts.is_empty() {
                if !waiting.few.is_empty() && waiting.at_hand == 0 {
                    self.for_few.notify_one();
                }
                if !waiting.few.is_empty() || !waiting.many.is_empty() {
                    self.for_all.notify_one();
                }
                return Some(Batch { parts, long: long.then(|| Long(self.clone())) });
            }
            if waiting.closed {
                return None;
            }
            let told = if lane == Lane::All { &self.for_all } else { &self.for_few };
            waiting = told.wait(waiting).expect("nobody panics while holding the queue's lock");
        }
    }

    /// Takes no new jobs; the accepted ones are still run.
    pub fn close(&self) {
        self.lock().closed = true;
        self.for_all.notify_all();
        self.for_few.notify_all();
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
    /// Rows of one line, and whether it is the long one.
    fn take_by_turns(&mut self, max_batch_size: usize, width: usize) -> (Vec<Part>, bool) {
        for _ in 0..2 {
            let long = self.many_is_next;
            self.many_is_next = !long;
            let parts = take(if long { &mut self.many } else { &mut self.few }, max_batch_size, width);
            if !parts.is_empty() {
                return (parts, long);
            }
        }
        (Vec::new(), false)
    }
}

/// At most `max_batch_size` rows from the front of a line.
fn take(line: &mut VecDeque<Job>, max_batch_size: usize, width: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut budget = max_batch_size;
    while budget > 0
        && let Some(mut job) = line.pop_front()
    {
        if job.answer.is_closed() {
            continue;
        }
        let left = job.inputs.len() / width - job.next;
        let rows = left.min(budget);
        parts.push(job.split_off(rows));
        budget -= rows;
        if rows < left {
            // To the back: large requests share the workers among themselves too.
            line.push_back(job);
        }
    }
    parts
}

impl Drop for Long {
    fn drop(&mut self) {
        self.0.lock().at_hand += 1;
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
            waiting.few.retain(|job| !job.answer.is_closed());
            waiting.many.retain(|job| !job.answer.is_closed());
        }
    }
}

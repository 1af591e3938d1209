//! The queue of one model version. Small requests and large ones stand in two lines, each with workers of its own: a lone
//! pair does not wait for the end of a large batch. Jobs stand in a third, which the workers of large requests look at
//! when nobody else waits. Whoever pushes has a [`Place`] for every input.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::room::{FEW, Place};
use super::{ModelMetrics, PredictError};

/// Which of the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Small requests.
    Short,
    /// Large requests.
    Long,
    /// Jobs, which have no workers of their own.
    Jobs,
}

/// Between the predictor (async, pushes) and the workers (threads, take).
pub(super) struct Queue {
    /// Values in one input.
    width: usize,
    metrics: Arc<ModelMetrics>,
    /// Held for moving jobs only, never while inputs are copied or run.
    waiting: Mutex<Waiting>,
    /// Tell the workers of each line that a job arrived or the queue closes.
    arrived: [Condvar; 2],
}

#[derive(Default)]
struct Waiting {
    lines: [VecDeque<Job>; 3],
    state: State,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// Takes no new jobs; the accepted ones are still run.
    Closed,
    /// Runs nothing any more.
    Aborted,
}

/// The inputs of one request that no worker has taken yet.
struct Job {
    held: Held,
    /// The first input not taken.
    next: usize,
    since: Instant,
    answer: UnboundedSender<Slice>,
}

/// What a job holds on to, until its inputs are taken or its caller leaves.
type Held = Arc<Mutex<Option<(Arc<Vec<f32>>, Place)>>>;

/// Consecutive inputs of one request, in the hands of a worker.
pub(super) struct Part {
    inputs: Arc<Vec<f32>>,
    /// Index of the first input within the request.
    pub first: usize,
    /// How many.
    pub rows: usize,
    /// Time from admission until now.
    pub waited: Duration,
    /// To the request's [`Answers`].
    pub answer: UnboundedSender<Slice>,
    _place: Place,
}

/// What a worker found for a [`Part`]; `None` is an input that the network failed on.
pub(super) struct Slice {
    pub first: usize,
    pub outputs: Vec<Option<f32>>,
    pub waited: Duration,
    pub forward: Duration,
}

/// The caller's end of a job. Dropping it gives back what still waits.
pub(super) struct Answers {
    queue: Arc<Queue>,
    slices: UnboundedReceiver<Slice>,
    held: Held,
    missing: usize,
    /// Tells, when it is dropped, a caller who left from one whose time was over.
    pub deadline: Option<Instant>,
}

impl Queue {
    pub(super) fn new(width: usize, metrics: Arc<ModelMetrics>) -> Self {
        Self { width, metrics, waiting: Mutex::default(), arrived: Default::default() }
    }

    /// Takes inputs that have places.
    pub(super) fn push(self: &Arc<Self>, inputs: Vec<f32>, place: Place) -> Result<Answers, PredictError> {
        let rows = inputs.len() / self.width;
        debug_assert_eq!((inputs.len() % self.width, place.inputs()), (0, rows), "a place for each input");
        let (answer, slices) = mpsc::unbounded_channel();
        let line = match rows {
            _ if place.is_of_job() => Line::Jobs,
            0..=FEW => Line::Short,
            _ => Line::Long,
        };
        let workers = if line == Line::Jobs { Line::Long } else { line };
        let held: Held = Arc::new(Mutex::new(Some((Arc::new(inputs), place))));
        let mut waiting = self.lock();
        if waiting.state != State::Open {
            return Err(PredictError::Closed);
        }
        if rows > 0 {
            let job = Job { held: held.clone(), next: 0, since: Instant::now(), answer };
            waiting.lines[line as usize].push_back(job);
        }
        drop(waiting);
        self.arrived[workers as usize].notify_one();
        Ok(Answers { queue: self.clone(), slices, held, missing: rows, deadline: None })
    }

    /// Blocks until inputs wait for the workers of this line, then takes at most `most` of them; `None` when the queue is
    /// closed and everything accepted was taken.
    pub(super) fn take(&self, line: Line, most: usize) -> Option<Vec<Part>> {
        let arrived = &self.arrived[line as usize];
        let mut waiting = self.lock();
        loop {
            let mut parts = Vec::new();
            for &line in lines_of(line) {
                if parts.is_empty() {
                    parts = waiting.take(line as usize, most, self.width);
                }
            }
            if lines_of(line).iter().any(|line| !waiting.lines[*line as usize].is_empty()) {
                arrived.notify_one();
            }
            if !parts.is_empty() {
                return Some(parts);
            }
            if waiting.state != State::Open {
                return None;
            }
            waiting = arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes no new jobs; the accepted ones are still run.
    pub(super) fn close(&self) {
        let mut waiting = self.lock();
        if waiting.state == State::Open {
            waiting.state = State::Closed;
        }
        self.arrived.iter().for_each(Condvar::notify_all);
    }

    /// Runs nothing more: who waits is told that the server is shutting down.
    pub(super) fn abort(&self) {
        let mut waiting = self.lock();
        waiting.state = State::Aborted;
        waiting.lines.iter_mut().for_each(VecDeque::clear);
        self.arrived.iter().for_each(Condvar::notify_all);
    }

    /// Who waits for the workers of this line is told that the model failed.
    pub(super) fn fail(&self, line: Line) {
        let mut waiting = self.lock();
        lines_of(line).iter().for_each(|line| waiting.lines[*line as usize].clear());
    }

    /// Whether jobs are still taken.
    pub(super) fn is_open(&self) -> bool {
        self.lock().state == State::Open
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose inputs the workers of a line run, the first of them first.
fn lines_of(line: Line) -> &'static [Line] {
    match line {
        Line::Long => &[Line::Long, Line::Jobs],
        Line::Short => &[Line::Short],
        Line::Jobs => &[],
    }
}

impl Waiting {
    fn take(&mut self, line: usize, most: usize, width: usize) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut budget = most;
        while budget > 0
            && let Some(mut job) = self.lines[line].pop_front()
        {
            // Nothing is left of a job whose caller has gone.
            let Some((part, left)) = job.split_off(budget, width) else { continue };
            budget -= part.rows;
            parts.push(part);
            if left > 0 {
                // To the back: large requests share the workers.
                self.lines[line].push_back(job);
            }
        }
        parts
    }
}

impl Job {
    /// At most `most` of its inputs, and how many are left.
    fn split_off(&mut self, most: usize, width: usize) -> Option<(Part, usize)> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (inputs, place) = held.as_mut()?;
        let left = inputs.len() / width - self.next;
        let rows = left.min(most);
        let part = Part {
            inputs: inputs.clone(),
            first: self.next,
            rows,
            waited: self.since.elapsed(),
            answer: self.answer.clone(),
            _place: place.split(rows),
        };
        self.next += rows;
        if rows == left {
            *held = None;
        }
        Some((part, left - rows))
    }
}

impl Part {
    /// The rows' values, one row after the other.
    pub(super) fn inputs(&self, width: usize) -> &[f32] {
        &self.inputs[self.first * width..(self.first + self.rows) * width]
    }
}

impl Answers {
    /// Inputs not answered yet.
    pub(super) fn missing(&self) -> usize {
        self.missing
    }

    /// The next slice, in any order; `None` when all rows have been answered.
    pub(super) async fn next(&mut self) -> Option<Result<Slice, PredictError>> {
        if self.missing == 0 {
            return None;
        }
        // The job went away unanswered: the server shuts down, or the model failed.
        let Some(slice) = self.slices.recv().await else {
            let aborted = self.queue.lock().state == State::Aborted;
            return Some(Err(if aborted { PredictError::Closed } else { PredictError::Failed }));
        };
        self.missing -= slice.outputs.len();
        Some(Ok(slice))
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        if self.missing > 0 {
            self.queue.metrics.dropped(self.missing, self.deadline);
            *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

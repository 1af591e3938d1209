//! What is measured of one model version, for Prometheus.

use std::time::Instant;

use metrics::{Counter, Histogram, SharedString, counter, histogram};

/// Handles, made once: a measurement then costs an atomic operation.
pub struct Meters {
    /// Seconds from letters to a network's input, a request or a chunk of lines at a time.
    pub encode: Histogram,
    /// Share of an input's positions that hold no letter.
    pub padding: Histogram,
    /// Seconds from admission until a worker takes a row's request.
    pub queue_wait: Histogram,
    /// Inputs that a network sees at once.
    pub batch: Histogram,
    /// Seconds of a forward pass.
    pub forward: Histogram,
    /// Inputs run twice, to fill batches up to a size that libtorch knows.
    pub padding_inputs: Counter,
    /// Inputs that were answered.
    pub answered: Counter,
    /// Inputs refused for want of room.
    pub full: Counter,
    /// Inputs whose caller left before they were answered.
    pub left: Counter,
    /// Inputs whose deadline passed before they were answered.
    pub late: Counter,
    /// Inputs that the network failed on.
    pub failed: Counter,
}

impl Meters {
    /// Inputs that nobody waits for any more: the caller left, or the deadline passed.
    pub fn dropped(&self, inputs: usize, deadline: Option<Instant>) {
        let late = deadline.is_some_and(|deadline| deadline <= Instant::now());
        (if late { &self.late } else { &self.left }).increment(inputs as u64);
    }

    /// Of `name@version`.
    pub fn new(model: &str) -> Self {
        let model = SharedString::from(model.to_owned());
        let seconds = |what: &'static str| histogram!(what, "model" => model.clone());
        let dropped = |cause: &'static str| counter!("mirador_inputs_dropped_total", "model" => model.clone(), "cause" => cause);
        Self {
            encode: seconds("mirador_encode_seconds"),
            padding: seconds("mirador_padding_share"),
            queue_wait: seconds("mirador_queue_wait_seconds"),
            batch: seconds("mirador_batch_inputs"),
            forward: seconds("mirador_forward_seconds"),
            padding_inputs: counter!("mirador_inputs_padding_total", "model" => model.clone()),
            answered: counter!("mirador_inputs_answered_total", "model" => model.clone()),
            full: dropped("full"),
            left: dropped("left"),
            late: dropped("late"),
            failed: dropped("failed"),
        }
    }
}

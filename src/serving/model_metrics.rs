//! What is measured of one model version, for Prometheus.

use std::collections::{HashMap, HashSet};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use metrics::{
    Counter, Histogram, SharedString, Unit, counter, describe_counter, describe_histogram, histogram,
};

/// How often each model is being measured, 0 once it no longer is: what was counted of it stays with the recorder.
static MEASURED: LazyLock<Mutex<HashMap<String, usize>>> = LazyLock::new(Mutex::default);

/// Handles, made once: a measurement then costs an atomic operation.
pub struct ModelMetrics {
    model: String,
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

impl ModelMetrics {
    /// Inputs that nobody waits for any more: the caller left, or the deadline passed.
    pub fn dropped(&self, inputs: usize, deadline: Option<Instant>) {
        let late = deadline.is_some_and(|deadline| deadline <= Instant::now());
        (if late { &self.late } else { &self.left }).increment(inputs as u64);
    }

    /// Metrics of `name@version`.
    pub fn new(model: &str) -> Self {
        *MEASURED.lock().unwrap_or_else(PoisonError::into_inner).entry(model.to_owned()).or_default() += 1;
        let name = model.to_owned();
        let model = SharedString::from(model.to_owned());
        let seconds = |what: &'static str| histogram!(what, "model" => model.clone());
        let dropped = |cause: &'static str| counter!("mirador_inputs_dropped_total", "model" => model.clone(), "cause" => cause);
        Self {
            model: name,
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
    /// Models that were measured and no longer are.
    pub fn gone() -> HashSet<String> {
        let measured = MEASURED.lock().unwrap_or_else(PoisonError::into_inner);
        measured.iter().filter(|(_, times)| **times == 0).map(|(model, _)| model.clone()).collect()
    }

    /// Says what each figure means, for whoever reads the metrics.
    pub fn describe() {
        let seconds = |name: &'static str, what: &'static str| describe_histogram!(name, Unit::Seconds, what);
        seconds(
            "mirador_encode_seconds",
            "From letters to a network's input, a request or a chunk of lines at a time, by model",
        );
        seconds(
            "mirador_queue_wait_seconds",
            "From admission until a worker takes a row's request, by model",
        );
        seconds("mirador_forward_seconds", "A forward pass, by model");
        describe_histogram!(
            "mirador_padding_share",
            "Share of an input's positions that hold no letter, by model"
        );
        describe_histogram!("mirador_batch_inputs", "Inputs that a network sees at once, by model");
        describe_counter!(
            "mirador_inputs_padding_total",
            "Inputs run twice, to fill batches up to a size that libtorch knows, by model"
        );
        describe_counter!("mirador_inputs_answered_total", "Inputs that were answered, by model");
        describe_counter!(
            "mirador_inputs_dropped_total",
            "Inputs that were not answered, by model and cause: full (no room), left (the caller went), late (the \
             deadline passed), failed (the network failed)"
        );
    }
}

impl Drop for ModelMetrics {
    fn drop(&mut self) {
        let mut measured = MEASURED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = measured.get_mut(&self.model) {
            *times -= 1;
        }
    }
}

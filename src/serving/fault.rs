//! A device that is broken for good: whatever it is asked from then on fails, until the process is started again.

use std::sync::Arc;

use mirador_models::cuda::Condition;
use tokio::sync::watch;

/// Shared by those who notice, those who tell callers, and those who end the process.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<watch::Sender<Option<String>>>);

impl Fault {
    /// Why the device is broken for good, after a forward pass failed for `reason`. What CUDA says of the device decides;
    /// only where nobody can be asked, the text does.
    pub fn of(condition: Condition, reason: &str) -> Option<String> {
        match condition {
            Condition::Sound | Condition::NoMemory => None,
            Condition::Broken(code) => Some(format!("CUDA error {code}: {reason}")),
            Condition::Unknown => Self::is_told_by(reason).then(|| reason.to_owned()),
        }
    }

    /// Whether a forward pass failed for want of memory.
    pub fn is_of_memory(reason: &str) -> bool {
        ["out of memory", "ALLOC_FAILED", "not enough memory"].iter().any(|words| reason.contains(words))
    }

    /// Whether a text tells of one. Errors of CUDA and its libraries stay, but for those that speak of memory, which may be
    /// free again, or of what was asked.
    fn is_told_by(reason: &str) -> bool {
        const OF_THE_DEVICE: [&str; 4] = ["CUDA error", "cuDNN error", "CUDNN_STATUS_", "CUBLAS_STATUS_"];
        // A library that finds no memory for its handle says that it is not initialised.
        const OF_THE_REQUEST: [&str; 6] = [
            "out of memory",
            "ALLOC_FAILED",
            "NOT_INITIALIZED",
            "NOT_SUPPORTED",
            "BAD_PARAM",
            "INVALID_VALUE",
        ];
        let says = |words: &[&str]| words.iter().any(|word| reason.contains(word));
        says(&OF_THE_DEVICE) && !says(&OF_THE_REQUEST)
    }

    /// The device is broken, for this reason.
    pub fn report(&self, reason: &str) {
        self.0.send_if_modified(|known| {
            let first = known.is_none();
            known.get_or_insert_with(|| reason.to_owned());
            first
        });
    }

    /// Whether it is broken.
    pub fn is_known(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits until it is broken; the reason.
    pub async fn happened(&self) -> String {
        let mut reports = self.0.subscribe();
        match reports.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => unreachable!("the sender lives as long as `self`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_may_be_free_again_is_no_fault_of_the_device() {
        for passes in [
            "CUDA out of memory. Tried to allocate 2.00 GiB",
            "CUDA error: out of memory",
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
            "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
            "could not create a primitive",
        ] {
            assert!(!Fault::is_told_by(passes), "{passes}");
        }
        for stays in [
            "CUDA error: an illegal memory access was encountered",
            "CUDA error: device-side assert triggered",
            "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
            "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
        ] {
            assert!(Fault::is_told_by(stays), "{stays}");
        }
    }
}

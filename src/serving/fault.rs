//! A device that is broken for good: whatever it is asked from then on fails, until the process is started again.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by those who notice, those who tell callers, and those who end the process.
#[derive(Clone, Debug, Default)]
pub struct Fault(Arc<watch::Sender<Option<String>>>);

impl Fault {
    /// Whether a failed forward pass tells of one. CUDA's errors stay, except that memory may be free again.
    pub fn is_told_by(reason: &str) -> bool {
        reason.contains("CUDA error") && !reason.contains("out of memory")
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

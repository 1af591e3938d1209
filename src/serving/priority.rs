//! Where both want the same core, small requests go before large ones.

use std::cell::Cell;

/// Nice level of the threads for large work: a third of a core's time stays beside threads of level 0.
#[cfg(target_os = "linux")]
const LEVEL: i32 = 5;

/// From here on this thread, which works for large requests, lets others of the process go first.
pub fn stand_back() {
    thread_local!(static STANDS_BACK: Cell<bool> = const { Cell::new(false) });
    if !STANDS_BACK.replace(true) {
        // On Linux it holds for the calling thread alone. Where it is not granted, nothing is lost but a moment.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::setpriority_process(None, LEVEL);
    }
}

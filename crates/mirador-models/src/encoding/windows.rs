//! The window rule: how a site that is longer than a network's input is read.

use std::ops::Range;

/// Nucleotides from one window's start to the next.
const STEP: usize = 15;

/// Windows of `limit` letters over a longer site, each 15 nt on, the last flush with the 3' end; none when the site
/// fits.
pub fn windows(length: usize, limit: usize) -> Vec<Range<usize>> {
    if length <= limit {
        return Vec::new();
    }
    let last = length - limit;
    let starts = (0..last).step_by(STEP).chain([last]);
    starts.map(|start| start..start + limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_window_is_flush_with_the_end() {
        assert!(windows(53, 53).is_empty());
        assert_eq!(windows(54, 53), [0..53, 1..54]);
        assert_eq!(windows(83, 53), [0..53, 15..68, 30..83]);
        assert_eq!(windows(84, 53), [0..53, 15..68, 30..83, 31..84]);
    }
}

//! Metrics and their intervals.

pub mod correlation;
pub mod interval;
pub mod logistic;
pub mod metrics;
pub mod ranking;
pub mod significance;

//! The loop: epochs by a recipe, the optimiser, checkpoints, calibration.

pub mod calibration;
pub mod checkpoint;
pub mod fit;
pub mod mean;
pub mod optimizer;

//! What is said of a training: predictions, the report, the card, the weights folder.

pub mod card;
pub mod comparison;
pub mod default;
pub mod folder;
pub mod kept;
pub mod matrix;
pub mod predictions;
pub mod published_tools;
pub mod report;
pub mod rival;
pub mod side_by_side;

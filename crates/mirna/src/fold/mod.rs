//! Secondary structure by nearest-neighbour energies (Turner 2004, 37 °C): hybrids of two strands, structures of one.

mod accessibility;
mod duplex;
#[cfg(test)]
mod enumeration;
mod exterior;
mod hairpin;
mod inside;
mod letters;
mod model;
mod outside;
mod parameters;
mod partition;
mod score;
mod structure;

pub use self::accessibility::Accessibility;
pub use self::duplex::{Duplex, Duplexes, duplex};
pub use self::hairpin::{Fold, fold};
pub use self::partition::Partition;
pub use self::structure::{Structure, StructureError};

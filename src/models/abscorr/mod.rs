//! AbsCorr, of the miREx paper: as miREx, its ten miRNAs chosen by the size of the error alone.

use crate::models::{Model, mirex};

/// The model.
pub const MODEL: Model = Model {
    name: "abscorr",
    description: "AbsCorr: Xpresso's network with the levels of the miRNAs that target the gene, for ten miRNAs chosen \
                  by the size of Xpresso's error on their targets, whatever its sign.",
    ..mirex::MODEL
};

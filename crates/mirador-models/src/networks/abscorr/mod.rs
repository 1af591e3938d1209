//! AbsCorr, of the miREx paper: as miREx, its ten miRNAs chosen by the size of the error alone.

use super::mirex;
use crate::Model;

/// The model.
pub const MODEL: Model = Model {
    name: "abscorr",
    description: "AbsCorr: Xpresso's network with the levels of the miRNAs that target the gene, for the ten \
                  miRNAs whose target scores have the highest Spearman correlation with the size of Xpresso's error.",
    ..mirex::MODEL
};

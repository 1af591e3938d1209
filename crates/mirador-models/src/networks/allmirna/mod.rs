//! AllMirna, of the miREx paper: Xpresso with the levels of all miRNAs.

use super::mirex;
use crate::Model;

/// The model.
pub const MODEL: Model = Model {
    name: "allmirna",
    description: "AllMirna: Xpresso's network with the levels of all miRNAs that target the gene, unselected.",
    ..mirex::MODEL
};

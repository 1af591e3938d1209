//! miREx: Xpresso with the levels of ten miRNAs whose strong targets lie below its prediction.

use super::xpresso;
use crate::Model;

/// The model.
pub const MODEL: Model = Model {
    name: "mirex",
    description: "miREx: Xpresso's network with the levels of the miRNAs that target the gene, for ten miRNAs chosen \
                  because their strong targets lie below Xpresso's prediction.",
    from_published: None,
    adapt: Some(xpresso::scale_features),
    ..xpresso::MODEL
};

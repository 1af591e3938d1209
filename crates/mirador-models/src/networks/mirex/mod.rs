//! miREx: Xpresso with the levels of ten miRNAs that its errors point to.

use super::xpresso;
use crate::Model;

/// The model.
pub const MODEL: Model = Model {
    name: "mirex",
    description: "miREx: Xpresso's network with the levels of the miRNAs that target the gene, for the ten \
                  miRNAs whose target scores have the highest Spearman correlation with Xpresso's error (truth less \
                  prediction).",
    from_published: None,
    adapt: Some(xpresso::scale_features),
    ..xpresso::MODEL
};

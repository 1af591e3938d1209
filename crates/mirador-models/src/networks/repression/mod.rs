//! repression, our own: how much a miRNA turns a gene down, as a sum over the seed matches on its 3'UTR. A table of thirty
//! weights that people can read: networks of binding, accessibility, 3' pairing, seed-pairing stability and target
//! abundance added nothing to it on left-out miRNAs (`reports/repression.md`).

use mirna::sites::{Context, SeedSite, SiteClass, Utr};
use tch::nn;

use crate::encoding::Encoded;
use crate::model::{Layers, Network};
use crate::tasks::Task;
use crate::tasks::repression::Targeted;
use crate::{Encoder, LoadError, Model, Options};

/// Classes of sites.
pub const CLASSES: usize = SiteClass::ALL.len();
/// What is known of a site beside its class.
pub const FEATURES: usize = 4;
/// Their names, as cards and reports print them.
pub const FEATURE_NAMES: [&str; FEATURES] =
    ["local AU", "log10 3'UTR length", "log10 distance to the nearer end", "poly(A) signals before it"];
/// For each class: how many sites, and the sum of each feature over them.
const VALUES: usize = 1 + FEATURES;
/// 3'UTRs of training had these lengths: a longer or shorter one counts as the nearest.
const TRAINED_LENGTHS: [f64; 2] = [150.0, 8_000.0];

/// The model.
pub const MODEL: Model = Model {
    name: "repression",
    task: Task::Repression,
    description: "repression: how much a miRNA turns a gene down, summed over the seed matches on its 3'UTR: class, local \
                  AU, length, distance to the nearer end and poly(A) signals before it, in a table of weights. mirador's \
                  own, fitted on 27 over-expression experiments.",
    caution: None,
    encoder: |_| Ok(Encoder::repression([CLASSES, VALUES], encode)),
    network: build,
    adapt: None,
    adapt_is_all: false,
    l1_variables: &[],
    pairing: None,
    panels: None,
    site_effects: Some(site_effects),
    from_published: None,
};

/// What is known of a site, in the order of [`FEATURE_NAMES`].
pub fn features(context: &Context, utr_length: usize) -> [f64; FEATURES] {
    let length = (utr_length as f64).clamp(TRAINED_LENGTHS[0], TRAINED_LENGTHS[1]);
    [context.local_au, length.log10(), (context.to_end as f64 + 1.0).log10(), context.signals as f64]
}

/// Sums over the sites of each class.
fn encode(row: &Targeted) -> Encoded {
    let utr = Utr::new(&row.utr);
    let mut sums = [[0.0_f64; VALUES]; CLASSES];
    for (site, context) in utr.sites(&row.mirna) {
        let of_class = &mut sums[site.class as usize];
        of_class[0] += 1.0;
        let features = features(&context, utr.length());
        of_class[1..].iter_mut().zip(features).for_each(|(sum, value)| *sum += value);
    }
    Encoded::whole(sums.as_flattened().iter().map(|&sum| sum as f32).collect(), Vec::new())
}

/// Weights by class and feature; features are taken from their mean and in units of their deviation.
#[derive(Debug)]
struct Table {
    /// What a site with mean features is worth.
    sites: tch::Tensor,
    /// What a deviation adds.
    features: tch::Tensor,
    means: tch::Tensor,
    deviations: tch::Tensor,
}

fn build(path: &nn::Path, _: &Options) -> Result<Network, LoadError> {
    let (classes, features) = (CLASSES as i64, FEATURES as i64);
    Ok(Box::new(Table {
        sites: path.zeros("sites", &[classes]),
        features: path.zeros("features", &[classes, features]),
        means: path.zeros_no_train("means", &[features]),
        deviations: path.ones_no_train("deviations", &[features]),
    }))
}

impl nn::ModuleT for Table {
    fn forward_t(&self, input: &tch::Tensor, _: bool) -> tch::Tensor {
        let sums = input.view([-1, CLASSES as i64, VALUES as i64]);
        let (counts, values) = (sums.narrow(2, 0, 1), sums.narrow(2, 1, FEATURES as i64));
        let standard = (values - &counts * &self.means) / &self.deviations;
        let by_class = counts.squeeze_dim(2) * &self.sites
            + (standard * &self.features).sum_dim_intlist([2_i64].as_slice(), false, None);
        by_class.sum_dim_intlist([1_i64].as_slice(), true, None)
    }
}

impl Layers for Table {}

/// What a site adds by the trained table: the network, site by site.
fn site_effects(store: &nn::VarStore) -> Result<crate::SiteEffects, LoadError> {
    let variables = store.variables();
    let read = |name: &str| {
        let variable = variables.get(name).ok_or_else(|| LoadError::Missing(name.to_owned()))?;
        Ok(crate::tensors::values(variable).into_iter().map(f64::from).collect::<Vec<f64>>())
    };
    let [sites, weights, means, deviations] =
        [read("sites")?, read("features")?, read("means")?, read("deviations")?];
    Ok(Box::new(move |site: SeedSite, context: &Context, utr_length: usize| {
        let class = site.class as usize;
        let standard = features(context, utr_length)
            .into_iter()
            .zip(means.iter().zip(&deviations))
            .map(|(value, (mean, deviation))| (value - mean) / deviation);
        let of_class = &weights[class * FEATURES..][..FEATURES];
        sites[class] + standard.zip(of_class).map(|(value, weight)| value * weight).sum::<f64>()
    }))
}

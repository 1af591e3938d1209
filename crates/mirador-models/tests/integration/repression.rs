//! Against `tests/goldens/repression.py`, which counts sites and sums them by hand.

use mirador_models::tasks::repression::Targeted;
use mirador_models::{Options, Replica, Tensors, find};
use mirna::Rna;
use mirna::sites::Utr;
use serde::Deserialize;
use std::collections::BTreeMap;
use tch::{Device, Tensor};

#[derive(Deserialize)]
struct Goldens {
    weights: Weights,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Weights {
    sites: Vec<f32>,
    features: Vec<Vec<f32>>,
    means: Vec<f32>,
    deviations: Vec<f32>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    mirna: String,
    utr: String,
    sites: Vec<Site>,
    output: f64,
}

#[derive(Deserialize)]
struct Site {
    class: String,
    core: usize,
    local_au: f64,
    to_end: usize,
    signals: usize,
}

#[test]
fn sites_and_their_sum_agree() {
    let goldens: Goldens = serde_json::from_str(include_str!("../goldens/repression.json")).unwrap();
    let model = find("repression").unwrap();
    let replica = Replica::new(model, &Options::default(), Device::Cpu).unwrap();
    let Weights { sites, features, means, deviations } = goldens.weights;
    let features = Tensor::from_slice(&features.concat()).view([6, 4]);
    let flat = |values: &[f32]| Tensor::from_slice(values);
    let tensors = BTreeMap::from([
        ("sites".to_owned(), flat(&sites)),
        ("features".to_owned(), features),
        ("means".to_owned(), flat(&means)),
        ("deviations".to_owned(), flat(&deviations)),
    ]);
    Tensors::copy(tensors).load_into(&replica.store).unwrap();
    let effect = (model.site_effects.unwrap())(&replica.store).unwrap();
    for Case { name, mirna, utr, sites, output } in goldens.cases {
        let (mirna, utr): (Rna, Rna) = (mirna.parse().unwrap(), utr.parse().unwrap());
        let surroundings = Utr::new(&utr);
        let found: Vec<_> = surroundings.sites(&mirna).collect();
        assert_eq!(found.len(), sites.len(), "{name}");
        for ((site, context), expected) in found.iter().zip(&sites) {
            let told = (site.class.name(), site.core().start, context.to_end, context.signals);
            assert_eq!(
                told,
                (expected.class.as_str(), expected.core, expected.to_end, expected.signals),
                "{name}"
            );
            assert!((context.local_au - expected.local_au).abs() < 1e-9, "{name}: {context:?}");
        }
        let by_site: f64 = found.iter().map(|(site, context)| effect(*site, context, utr.len())).sum();
        let by_network = replica.score(&[Targeted { mirna, utr }.into()])[0];
        assert!((by_site - output).abs() < 1e-5, "{name}: {by_site}, not {output}");
        assert!((f64::from(by_network) - output).abs() < 1e-4, "{name}: {by_network}, not {output}");
    }
}

//! Xpresso and its relatives with miRNAs: their size, the published weights' outputs, rows alone and in batches.

use mirador_models::networks::{abscorr, allmirna, mirex, xpresso};
use mirador_models::tasks::Input;
use mirador_models::tasks::expression::{Gene, HalfLife};
use mirador_models::{Model, Options, Replica, Tensors};
use serde_json::{Value, json};
use tch::Device;

use crate::published::{cases, reference};

fn replica(model: &Model, options: Value) -> Replica {
    let options: Options = serde_json::from_value(options).unwrap();
    Replica::new(model, &options, Device::Cpu).unwrap()
}

fn mirnas(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("mir-{number}")).collect()
}

/// Names for the six inputs of the published networks: which features they are is not known.
const SIX: [&str; 6] = ["utr5_length", "cds_length", "intron_length", "utr3_length", "utr5_gc", "cds_gc"];

#[test]
fn the_networks_have_the_specified_numbers_of_parameters() {
    assert_eq!(replica(&xpresso::MODEL, json!({})).trainable_parameters(), 112_485);
    assert_eq!(replica(&xpresso::MODEL, json!({ "features": SIX })).trainable_parameters(), 112_357);
    assert_eq!(replica(&xpresso::MODEL, json!({ "features": [] })).trainable_parameters(), 111_973);
    for model in [&mirex::MODEL, &abscorr::MODEL] {
        assert_eq!(replica(model, json!({ "mirnas": mirnas(10) })).trainable_parameters(), 113_125);
    }
    assert_eq!(replica(&allmirna::MODEL, json!({ "mirnas": mirnas(243) })).trainable_parameters(), 128_037);
}

#[test]
#[ignore = "needs the published weights"]
fn the_published_weights_give_the_independent_outputs() {
    for species in ["human", "mouse"] {
        let files = [format!("xpresso_{species}.safetensors"), format!("xpresso_{species}.golden.json")];
        let [weights, golden] = files.map(|name| reference(&name));
        let replica = replica(&xpresso::MODEL, json!({ "features": SIX }));
        let tensors = xpresso::MODEL.from_published.unwrap()(Tensors::read(&weights).unwrap()).unwrap();
        tensors.load_into(&replica.store).unwrap();

        let cases = cases(golden);
        let rows: Vec<Input> = cases.iter().map(|case| gene(case).into()).collect();
        for ((case, row), output) in cases.iter().zip(&rows).zip(replica.score(&rows)) {
            let expected = case["z"].as_f64().unwrap() as f32;
            assert!((output - expected).abs() < 1e-5, "{species} {}: {output}, not {expected}", case["id"]);
            let alone = replica.score(std::slice::from_ref(row))[0];
            assert!(
                (output - alone).abs() < 1e-5,
                "{species} {}: {alone} alone, {output} in a batch",
                case["id"]
            );
        }
        assert_eq!(cases.len(), 26);
    }
}

/// The half-life values of the cases are scaled already.
fn gene(case: &Value) -> Gene {
    let values = case["half_life"].as_array().unwrap();
    let half_life = SIX.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.clone()));
    let half_life: HalfLife = serde_json::from_value(Value::Object(half_life.collect())).unwrap();
    let promoter = case["promoter"].as_str().unwrap().parse().unwrap();
    Gene { promoter, tss: case["tss"].as_u64().unwrap() as usize, half_life, mirnas: Default::default() }
}

#[test]
fn a_mirna_counts_only_where_the_version_reads_it() {
    let replica = replica(&mirex::MODEL, json!({ "mirnas": mirnas(2) }));
    // Without negative weights no unit is dead, so that the level of a miRNA that is read must count.
    tch::no_grad(|| replica.store.trainable_variables().iter_mut().for_each(|weights| drop(weights.abs_())));
    let gene = |mirnas: &[(&str, f32)]| Gene {
        promoter: "ACGUGC".parse().unwrap(),
        tss: 3,
        half_life: HalfLife::default(),
        mirnas: mirnas.iter().map(|&(name, level)| (name.to_owned(), level)).collect(),
    };
    let rows = [&[][..], &[("mir-7", 3.0)], &[("mir-1", 3.0)]].map(|mirnas| gene(mirnas).into());
    let outputs = replica.score(&rows);
    assert!(outputs.iter().all(|output| output.is_finite()));
    assert!((outputs[0] - outputs[1]).abs() < 1e-5 * (1.0 + outputs[0].abs()));
    assert!((outputs[0] - outputs[2]).abs() > 1e-3);
}

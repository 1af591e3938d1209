//! The pre-miRNA networks: sizes, published numbers, data.

use mirador_models::networks::{hairpin, premirna_cnn_lstm, premirna_cnn_zheng};
use mirador_models::tasks::pre_mirna::PreMirna;
use mirador_models::tasks::{Input, probability};
use mirador_models::{Model, Options, Replica, Tensors};
use mirna::Rna;
use serde_json::json;
use tch::Device;

use crate::published::{cases, reference};

fn replica(model: &Model, options: serde_json::Value) -> Replica {
    let options: Options = serde_json::from_value(options).unwrap();
    Replica::new(model, &options, Device::Cpu).unwrap()
}

fn row(letters: &str) -> Input {
    PreMirna { sequence: letters.parse::<Rna>().unwrap() }.into()
}

#[test]
fn the_networks_have_the_specified_numbers_of_parameters() {
    let count = |model, options| replica(model, options).trainable_parameters();
    assert_eq!(count(&premirna_cnn_lstm::MODEL, json!({})), 1_932_258);
    assert_eq!(count(&premirna_cnn_lstm::MODEL, json!({"downsample": "maxpool"})), 1_932_258);
    assert_eq!(count(&premirna_cnn_lstm::MODEL, json!({"lstm_over": "positions"})), 908_258);
    assert_eq!(count(&premirna_cnn_lstm::MODEL, json!({"kernel": 3})), 1_537_506);
    assert_eq!(count(&premirna_cnn_lstm::MODEL, json!({"filters": 64})), 803_106);
    assert_eq!(count(&premirna_cnn_lstm::MODEL, json!({"units": 50})), 1_351_458);
    assert_eq!(count(&hairpin::MODEL, json!({})), 2 * 39);
    assert_eq!(count(&premirna_cnn_zheng::MODEL, json!({})), 69_122);
    assert_eq!(count(&premirna_cnn_zheng::MODEL, json!({"filters": "concat"})), 68_354);
}

#[test]
fn every_switch_builds_a_network_that_answers() {
    let rows: Vec<Input> = [40, 41, 90, 164, 200].map(|length| row(&"GAUC".repeat(50)[..length])).to_vec();
    let lstm = [
        json!({"downsample": "maxpool"}),
        json!({"downsample": "maxpool", "lstm_over": "positions"}),
        json!({"lstm_over": "positions", "end_masked": true}),
    ];
    let zheng = [json!({"filters": "concat", "logit_relu": false}), json!({"logit_relu": true})];
    let lstm = lstm.map(|options| replica(&premirna_cnn_lstm::MODEL, options));
    let zheng = zheng.map(|options| replica(&premirna_cnn_zheng::MODEL, options));
    let ours = [replica(&hairpin::MODEL, json!({}))];
    for replica in lstm.iter().chain(&zheng).chain(&ours) {
        let together = replica.score(&rows);
        for (row, logit) in rows.iter().zip(together) {
            let alone = replica.score(std::slice::from_ref(row))[0];
            assert!((alone - logit).abs() < 1e-5 && logit.is_finite(), "{alone} {logit}");
        }
    }
}

#[test]
fn a_size_of_nothing_is_refused() {
    for size in ["kernel", "filters", "units"] {
        let options: Options = serde_json::from_value(json!({ size: 0 })).unwrap();
        assert!(Replica::new(&premirna_cnn_lstm::MODEL, &options, Device::Cpu).is_err(), "{size}");
    }
}

#[test]
#[ignore = "needs the published weights"]
fn zheng_with_the_published_weights_gives_the_published_scores() {
    let names = ["premirna_cnn_zheng.safetensors", "premirna_cnn_zheng.golden.json"];
    let [weights, golden] = names.map(reference);
    let replica = replica(&premirna_cnn_zheng::MODEL, json!({}));
    let convert = premirna_cnn_zheng::MODEL.from_published.unwrap();
    convert(Tensors::read(&weights).unwrap()).unwrap().load_into(&replica.store).unwrap();
    let cases = cases(golden);
    let rows: Vec<Input> = cases.iter().map(|case| row(case["sequence"].as_str().unwrap())).collect();
    for (case, logit) in cases.iter().zip(replica.score(&rows)) {
        let [mirtron, canonical] = [0, 1].map(|class| case["logits"][class].as_f64().unwrap());
        let expected = (mirtron - canonical) as f32;
        assert!((logit - expected).abs() < 1e-4 + 1e-5 * expected.abs(), "{case}: {logit}");
        let expected = case["mirtron_probability"].as_f64().unwrap() as f32;
        assert!((probability(logit) - expected).abs() < 1e-5, "{case}: {}", probability(logit));
    }
    assert_eq!(cases.len(), 30);
}

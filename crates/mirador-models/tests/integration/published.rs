//! Against numbers that we did not make: the published weights' outputs and an independent aligner.
//!
//! The files are third-party and not part of the project: `make test-published` where they are.

use std::fs;
use std::path::PathBuf;

use mirador_models::networks::{dmiso, mirbind2, mitar};
use mirador_models::tasks::target_site::Pair;
use mirador_models::tasks::{Input, probability};
use mirador_models::{Options, Replica, Tensors};
use mirna::Rna;
use mirna::duplex::align;
use mirna::seed::SiteType;
use serde_json::Value;
use tch::Device;

/// A file of others, which is not part of the project.
pub(crate) fn reference(name: &str) -> PathBuf {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference")).join(name);
    assert!(path.exists(), "{} is not here", path.display());
    path
}

pub(crate) fn cases(path: PathBuf) -> Vec<Value> {
    let golden: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    golden["cases"].as_array().unwrap().clone()
}

fn pair(case: &Value) -> Pair {
    let read = |field: &str| case[field].as_str().unwrap().parse::<Rna>().unwrap();
    Pair { mirna: read("mirna"), site: read("site") }
}

#[test]
fn dmiso_has_the_specified_number_of_parameters() {
    let replica = Replica::new(&dmiso::MODEL, &Options::new(), Device::Cpu).unwrap();
    assert_eq!(replica.trainable_parameters(), 142_883);
}

#[test]
#[ignore = "needs the published weights"]
fn dmiso_with_the_published_weights_gives_the_published_scores() {
    let (weights, golden) = (reference("dmiso.safetensors"), reference("dmiso.golden.json"));
    let replica = Replica::new(&dmiso::MODEL, &Options::new(), Device::Cpu).unwrap();
    let tensors = dmiso::MODEL.from_published.unwrap()(Tensors::read(&weights).unwrap()).unwrap();
    tensors.load_into(&replica.store).unwrap();

    let cases = cases(golden);
    let logits = replica.score(&cases.iter().map(|case| pair(case).into()).collect::<Vec<Input>>());
    let mut published = 0;
    for (case, logit) in cases.iter().zip(logits) {
        let expected = case["logit"].as_f64().unwrap() as f32;
        assert!((logit - expected).abs() < 1e-4 + 1e-5 * expected.abs(), "{case}: {logit}");
        let expected = case["probability"].as_f64().unwrap() as f32;
        assert!((probability(logit) - expected).abs() < 1e-5, "{case}: {}", probability(logit));
        if let Some(score) = case["published_score"].as_f64() {
            assert!((f64::from(probability(logit)) - score).abs() < 1e-5, "{case}");
            published += 1;
        }
    }
    assert_eq!(cases.len(), 49);
    assert!(published >= 4, "the four scores shipped with DMISO are among the cases");
}

fn mitar_options(site_rows: usize) -> Options {
    serde_json::from_value(serde_json::json!({ "site_rows": site_rows })).unwrap()
}

#[test]
fn mitar_has_the_specified_number_of_parameters() {
    for site_rows in [53, 40] {
        let replica = Replica::new(&mitar::MODEL, &mitar_options(site_rows), Device::Cpu).unwrap();
        assert_eq!(replica.trainable_parameters(), 110_970);
    }
}

#[test]
#[ignore = "needs the published weights"]
fn mitar_with_the_published_weights_gives_the_published_scores() {
    let mut parclip = Vec::new();
    for (name, site_rows) in [("mitar1", 53), ("mitar2", 40), ("mitar", 53)] {
        let (weights, golden) =
            (reference(&format!("{name}.safetensors")), reference(&format!("{name}.golden.json")));
        let replica = Replica::new(&mitar::MODEL, &mitar_options(site_rows), Device::Cpu).unwrap();
        let convert = mitar::MODEL.from_published.unwrap();
        convert(Tensors::read(&weights).unwrap()).unwrap().load_into(&replica.store).unwrap();
        let cases = cases(golden);
        let rows: Vec<Input> = cases.iter().map(|case| pair(case).into()).collect();
        for (case, logit) in cases.iter().zip(replica.score(&rows)) {
            let windows = case["windows"].as_array().map_or(std::slice::from_ref(case), Vec::as_slice);
            let logits = windows.iter().map(|window| window["logit"].as_f64().unwrap() as f32);
            let expected = logits.fold(f32::NEG_INFINITY, f32::max);
            assert!((logit - expected).abs() < 1e-4 + 1e-5 * expected.abs(), "{name} {case}: {logit}");
            let expected = case["probability"].as_f64().unwrap() as f32;
            assert!((probability(logit) - expected).abs() < 1e-5, "{name} {case}");
        }
        parclip.push(replica.score(&parclip_pairs()).iter().filter(|&&logit| logit >= 0.0).count());
    }
    assert_eq!(parclip, [36, 35, 45], "of the 48 PAR-CLIP pairs");
}

#[test]
fn mirbind2_has_the_specified_number_of_parameters() {
    let replica = Replica::new(&mirbind2::MODEL, &Options::new(), Device::Cpu).unwrap();
    assert_eq!(replica.trainable_parameters(), 147_249);
}

/// The published program reads the first 50 nt of a longer site: our first window.
#[test]
#[ignore = "needs the published weights"]
fn mirbind2_with_the_published_weights_gives_the_published_scores() {
    let (weights, golden) = (reference("mirbind2.safetensors"), reference("mirbind2.golden.json"));
    let replica = Replica::new(&mirbind2::MODEL, &Options::new(), Device::Cpu).unwrap();
    let tensors = mirbind2::MODEL.from_published.unwrap()(Tensors::read(&weights).unwrap()).unwrap();
    tensors.load_into(&replica.store).unwrap();

    let cases = cases(golden);
    let rows = cases.iter().flat_map(|case| {
        let encoded = replica.encoder.encode(&pair(case).into());
        encoded.values[..replica.encoder.width].to_vec()
    });
    let logits = replica.forward(&rows.collect::<Vec<f32>>());
    for (case, logit) in cases.iter().zip(logits) {
        let expected = case["logit"].as_f64().unwrap() as f32;
        assert!((logit - expected).abs() < 1e-4 + 1e-5 * expected.abs(), "{case}: {logit}");
        let expected = case["probability"].as_f64().unwrap() as f32;
        assert!((probability(logit) - expected).abs() < 1e-5, "{case}: {}", probability(logit));
    }
    assert_eq!(cases.len(), 44);
}

/// The 48 PAR-CLIP pairs, whose miRNAs are written 3'→5'.
fn parclip_pairs() -> Vec<Input> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let path = path.join("target_sites/tjgu+miTAR/data_DeepMirTar_test.txt");
    let text = fs::read_to_string(path).unwrap();
    let pair = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let mirna: String = fields[1].trim().chars().rev().collect();
        Pair { mirna: mirna.parse().unwrap(), site: fields[3].trim().parse().unwrap() }.into()
    };
    text.lines().skip(1).map(pair).collect()
}

#[test]
#[ignore = "needs the published weights"]
fn aligner_and_seed_classes_equal_an_independent_program() {
    let cases = cases(reference("floors.golden.json"));
    for case in &cases {
        let Pair { mirna, site } = pair(case);
        assert_eq!(f64::from(align(&mirna, &site)), case["aligner"].as_f64().unwrap(), "{case}");
        assert_eq!(SiteType::best(&mirna, &site) as i64, case["seed_class"].as_i64().unwrap(), "{case}");
    }
    assert_eq!(cases.len(), 49);
}

#[test]
fn weights_of_another_shape_or_name_are_refused() {
    let replica = Replica::new(&dmiso::MODEL, &Options::new(), Device::Cpu).unwrap();
    let mut tensors = Tensors::of(&replica.store);
    let bias = tensors.take("dense.bias").unwrap();
    let missing = tensors.clone().load_into(&replica.store).unwrap_err();
    assert_eq!(missing.to_string(), "tensor \"dense.bias\" is missing");
    tensors.insert("dense.bias".into(), tensors.clone().take("output.bias").unwrap());
    let shape = tensors.clone().load_into(&replica.store).unwrap_err();
    assert_eq!(shape.to_string(), "tensor \"dense.bias\" has shape [1]; the network has [100]");
    tensors.insert("dense.bias".into(), bias.clone());
    tensors.insert("attention.bias".into(), bias);
    let surplus = tensors.load_into(&replica.store).unwrap_err();
    assert_eq!(surplus.to_string(), "tensor \"attention.bias\" belongs to no layer");
}

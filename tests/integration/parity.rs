//! Against numbers that we did not make: the published weights' outputs and an independent aligner.
//!
//! The files are third-party and not part of the project; without them the tests say so and pass.

use std::fs;
use std::path::PathBuf;

use mirador::models::{Options, Replica, Tensors, WeightsDir, dmiso};
use mirador::rna::{Rna, duplex::align, seed::SiteType};
use mirador::tasks::{Input, probability, target_site::Pair};
use serde_json::Value;
use tch::Device;

fn reference(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/reference")).join(name);
    if !path.exists() {
        eprintln!("skipped: {name} is not here (published weights and outputs are not part of the project)");
    }
    path.exists().then_some(path)
}

fn cases(path: PathBuf) -> Vec<Value> {
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
fn dmiso_with_the_published_weights_gives_the_published_scores() {
    let (Some(weights), Some(golden)) = (reference("dmiso.safetensors"), reference("dmiso.golden.json"))
    else {
        return;
    };
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

#[test]
fn aligner_and_seed_classes_equal_an_independent_program() {
    let Some(golden) = reference("floors.golden.json") else { return };
    let cases = cases(golden);
    for case in &cases {
        let Pair { mirna, site } = pair(case);
        assert_eq!(f64::from(align(&mirna, &site)), case["aligner"].as_f64().unwrap(), "{case}");
        assert_eq!(SiteType::best(&mirna, &site) as i64, case["seed_class"].as_i64().unwrap(), "{case}");
    }
    assert_eq!(cases.len(), 49);
}

#[test]
fn the_published_file_becomes_a_folder_that_can_be_served() {
    let Some(published) = reference("dmiso.safetensors") else { return };
    let root = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_mirador-train"))
        .args(["import", "--model", "dmiso"])
        .arg(published)
        .arg("--weights-dir")
        .arg(root.path())
        .status()
        .unwrap();
    assert!(status.success());
    let folder = WeightsDir::open(&root.path().join("dmiso/published")).unwrap();
    folder.golden().unwrap().verify(&folder.load(Device::Cpu).unwrap()).unwrap();
    assert!(!folder.config.default && folder.card().unwrap().contains("Not trained here"));
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

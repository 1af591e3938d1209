//! Against numbers that we did not make: the published weights' outputs and an independent aligner.
//!
//! The files are third-party and not part of the project; without them the tests say so and pass.

use std::fs;
use std::path::PathBuf;

use mirador::models::{Options, Replica, Tensors, WeightsDir, dmiso, mitar};
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
fn mitar_with_the_published_weights_gives_the_published_scores() {
    let mut parclip = Vec::new();
    for (name, site_rows) in [("mitar1", 53), ("mitar2", 40), ("mitar", 53)] {
        let (Some(weights), Some(golden)) =
            (reference(&format!("{name}.safetensors")), reference(&format!("{name}.golden.json")))
        else {
            return;
        };
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
        if let Some(pairs) = parclip_pairs() {
            parclip.push(replica.score(&pairs).iter().filter(|&&logit| logit >= 0.0).count());
        }
    }
    if parclip_pairs().is_some() {
        assert_eq!(parclip, [36, 35, 45], "of the 48 PAR-CLIP pairs");
    }
}

/// The 48 PAR-CLIP pairs, whose miRNAs are written 3'→5'.
fn parclip_pairs() -> Option<Vec<Input>> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    let path = path.join("target_sites/tjgu+miTAR/data_DeepMirTar_test.txt");
    let text = fs::read_to_string(path).ok()?;
    let pair = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let mirna: String = fields[1].trim().chars().rev().collect();
        Pair { mirna: mirna.parse().unwrap(), site: fields[3].trim().parse().unwrap() }.into()
    };
    Some(text.lines().skip(1).map(pair).collect())
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

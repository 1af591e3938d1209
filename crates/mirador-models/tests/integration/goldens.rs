//! Against the networks of `tests/goldens/`: `networks.py`, `pairmap.py`, `hairpin.py` and `promoter.py` were written from the papers, or from the
//! description, in another language: the same made-up weights, the same rows, the same outputs.

use std::fs;
use std::path::Path;

use mirador_models::networks::hairpin::features;
use mirador_models::tasks::Input;
use mirador_models::tasks::expression::Gene;
use mirador_models::tasks::pre_mirna::PreMirna;
use mirador_models::tasks::target_site::Pair;
use mirador_models::{Model, Options, Replica, find};
use mirna::Rna;
use serde_json::Value;
use tch::{Device, Tensor};

/// As `networks.fill`: 32-bit integers, hashed, spread over a range that suits the layer.
fn fill(name: &str, shape: &[i64]) -> Vec<f32> {
    let size = shape.iter().product::<i64>();
    let start = name
        .bytes()
        .zip((0..5).cycle())
        .map(|(byte, place)| u32::from(byte) * 31_u32.pow(place))
        .sum::<u32>();
    // A:U, C:G, G:C, G:U, U:A, U:G.
    let attracts = |index: u32| [3, 7, 11, 13, 15, 17].contains(&(index % 25));
    let value = |index: u32| {
        let mut x = start.wrapping_add(index.wrapping_mul(0x9E37_79B9));
        x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        let spread = f64::from(x ^ (x >> 16)) / f64::from(1_u32 << 31) - 1.0;
        let value = if ["running_var", "_sd", "calibration"].iter().any(|end| name.ends_with(end)) {
            1.0 + spread / 2.0
        } else if name == "alignment.pairs" {
            2.0 * spread + if attracts(index) { 1.0 } else { -1.0 }
        } else if name == "alignment.moves" {
            spread - 2.0
        } else if name.ends_with(".scale") {
            0.05 + spread / 50.0
        } else if shape.len() > 1 {
            spread * (6.0 * shape[0] as f64 / size as f64).sqrt()
        } else if name.ends_with(".weight") {
            1.0 + spread / 5.0
        } else {
            spread / 5.0
        };
        value as f32
    };
    (0..size as u32).map(value).collect()
}

/// A network with made-up weights, and with a panel and landmarks, if it has them, of these rows.
fn replica(model: &Model, options: &Options, rows: &[Input]) -> Replica {
    const PANEL: &str = "head.panel.";
    let replica = Replica::new(model, options, Device::Cpu).unwrap();
    let variables = replica.store.variables();
    if variables.keys().any(|name| name.starts_with(PANEL)) {
        let values: Vec<f32> = rows.iter().flat_map(|row| replica.encoder.encode(row).values).collect();
        let inputs = Tensor::from_slice(&values).view([rows.len() as i64, -1]);
        (model.adapt.unwrap())(&replica.store, &inputs, &inputs);
    }
    for (name, mut variable) in variables.into_iter().filter(|(name, _)| !name.starts_with(PANEL)) {
        let shape = variable.size();
        let values = if name.ends_with(".landmarks") {
            let codes = |row: &Input| replica.encoder.encode(row).values[..shape[1] as usize].to_vec();
            rows.iter().map(codes).cycle().take(shape[0] as usize).flatten().collect()
        } else {
            fill(&name, &shape)
        };
        let values = Tensor::from_slice(&values).view(&*shape);
        tch::no_grad(|| variable.copy_(&values));
    }
    replica
}

fn input(row: &Value) -> Input {
    let rna = |field: &str| row[field].as_str().map(|text| text.parse::<Rna>().unwrap());
    if let Some(sequence) = rna("sequence") {
        return PreMirna { sequence }.into();
    }
    match (rna("mirna"), rna("site"), rna("promoter")) {
        (Some(mirna), Some(site), _) => Pair { mirna, site }.into(),
        (_, _, Some(promoter)) => Gene {
            promoter,
            tss: row["tss"].as_u64().unwrap() as usize,
            half_life: serde_json::from_value(row["half_life_features"].clone()).unwrap(),
            mirnas: serde_json::from_value(row["mirnas"].clone()).unwrap(),
        }
        .into(),
        _ => panic!("{row} is no row"),
    }
}

fn read(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(file);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What each network of the file answers, alone and in a batch.
fn agrees(file: &str) {
    let golden = read(file);
    let model = find(golden["model"].as_str().unwrap()).unwrap();
    let rows: Vec<Input> = golden["rows"].as_array().unwrap().iter().map(input).collect();
    for version in golden["versions"].as_array().unwrap() {
        let options: Options = serde_json::from_value(version["options"].clone()).unwrap();
        let replica = replica(model, &options, &rows);
        let alone: Vec<f32> = rows.chunks(1).flat_map(|row| replica.score(row)).collect();
        let together = replica.score(&rows);
        for (place, expected) in version["outputs"].as_array().unwrap().iter().enumerate() {
            let expected = expected.as_f64().unwrap();
            for found in [alone[place], together[place]] {
                let difference = (f64::from(found) - expected).abs();
                let allowed = 1e-4 * (1.0 + expected.abs());
                assert!(difference < allowed, "{file} {options:?}, row {place}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn dmiso_agrees() {
    agrees("dmiso.json");
}

#[test]
fn mitar_agrees() {
    agrees("mitar.json");
}

#[test]
fn mirbind2_agrees() {
    agrees("mirbind2.json");
}

#[test]
fn deepmirnatar_agrees() {
    agrees("deepmirnatar.json");
}

#[test]
fn hairpin_agrees() {
    agrees("hairpin.json");
    for row in read("hairpin.json")["rows"].as_array().unwrap() {
        let sequence: Rna = row["sequence"].as_str().unwrap().parse().unwrap();
        let expected = row["numbers"].as_array().unwrap();
        assert_eq!(expected.len(), features::NAMES.len());
        for ((name, found), expected) in
            features::NAMES.iter().zip(features::numbers(&sequence)).zip(expected)
        {
            let expected = expected.as_f64().unwrap();
            assert!((f64::from(found) - expected).abs() < 1e-5, "{sequence}: {name} {found}, not {expected}");
        }
    }
}

#[test]
fn pairmap_agrees() {
    agrees("pairmap.json");
}

#[test]
fn promoter_agrees() {
    agrees("promoter.json");
}

#[test]
fn premirna_cnn_lstm_agrees() {
    agrees("premirna_cnn_lstm.json");
}

#[test]
fn premirna_cnn_zheng_agrees() {
    agrees("premirna_cnn_zheng.json");
}

#[test]
fn xpresso_agrees() {
    agrees("xpresso.json");
}

#[test]
fn mirex_agrees() {
    agrees("mirex.json");
}

//! A caller's own panel: the model's own, sent back, changes nothing; another one counts for its request alone.

use std::os::unix::fs::symlink;
use std::path::Path;

use mirador_models::WeightsDir;
use mirador_models::device::Device;
use mirna::mirbase::Mirbase;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SCORE, SITE};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weights/pairmap");
const MIR_21: &str = "UAGCUUAUCAGACUGAUGUUGA";
/// Letters that both have some use for.
const BETWEEN: &str = "GGAUCAACAUCAGUCAGCUACUACCGAAUUGCC";

/// `pairmap@balanced`, the default, and `pairmap@panel`, as they are shipped.
fn app() -> (App, TempDir) {
    let root = TempDir::new().unwrap();
    symlink(SHIPPED, root.path().join("pairmap")).unwrap();
    (App::serving(root.path(), &[]), root)
}

fn rows() -> Value {
    json!([{"mirna": MIRNA, "site": SITE}, {"mirna": MIR_21, "site": BETWEEN}, {"mirna": MIRNA, "site": BETWEEN}])
}

/// The panel of the shipped weights, as a caller would write it.
fn shipped_panel() -> Vec<Value> {
    let replica = WeightsDir::open(&Path::new(SHIPPED).join("panel")).unwrap().load(Device::Cpu).unwrap();
    let variables = replica.store.variables();
    let values = |name: &str| -> Vec<f64> {
        Vec::try_from(&variables[&format!("head.panel.{name}")].flatten(0, -1).to_kind(tch::Kind::Double))
            .unwrap()
    };
    let letter = |&number: &f64| "ACGUN".chars().nth(number as usize);
    let (mirnas, shares) = (values("mirnas"), values("shares"));
    mirnas
        .chunks(mirnas.len() / shares.len())
        .zip(shares)
        .map(|(mirna, share)| json!({"mirna": mirna.iter().map_while(letter).collect::<String>(), "level": share.exp() * 1e6}))
        .collect()
}

async fn asked(app: &App, panel: Value) -> Vec<f64> {
    let reply =
        app.post(json!({"model": "pairmap@panel", "panel": panel, "pairs": rows()}).to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.probabilities()
}

#[track_caller]
fn assert_same(found: &[f64], expected: &[f64]) {
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-5), "{found:?}, not {expected:?}");
}

#[tokio::test]
async fn the_models_own_panel_changes_nothing_in_any_order() {
    let (app, _root) = app();
    let fixed =
        app.post(json!({"model": "pairmap@panel", "pairs": rows()}).to_string()).await.probabilities();
    let mut panel = shipped_panel();
    assert_eq!(panel.len(), 32);
    assert_same(&asked(&app, json!(panel)).await, &fixed);
    panel.reverse();
    assert_same(&asked(&app, json!(panel)).await, &fixed);
}

#[tokio::test]
async fn a_panel_counts_for_its_request_alone_whatever_the_unit() {
    let (app, _root) = app();
    let plain = json!({"model": "pairmap@panel", "pairs": rows()}).to_string();
    let panel =
        |scale: f64| json!([{"mirna": MIRNA, "level": 2.0 * scale}, {"mirna": MIR_21, "level": scale}]);
    let expected = asked(&app, panel(1.0)).await;
    assert_same(&asked(&app, panel(1e4)).await, &expected);
    let fixed = app.post(plain.clone()).await.probabilities();
    assert!(expected.iter().zip(&fixed).any(|(own, fixed)| (own - fixed).abs() > 1e-3), "{expected:?}");
    let askers = (0..20).map(|asker| {
        let (app, plain, panel) = (app.clone(), plain.clone(), panel(1.0));
        tokio::spawn(async move {
            if asker % 2 == 0 { asked(&app, panel).await } else { app.post(plain).await.probabilities() }
        })
    });
    for (asker, found) in askers.collect::<Vec<_>>().into_iter().enumerate() {
        assert_same(&found.await.unwrap(), if asker % 2 == 0 { &expected } else { &fixed });
    }
}

#[tokio::test]
async fn a_table_and_lines_bring_theirs_in_the_url() {
    let (app, _root) = app();
    let expected = asked(&app, json!([{"mirna": MIR_21, "level": 3}])).await;
    let path = format!("{SCORE}?model=pairmap@panel&panel={MIR_21}:3");
    let pairs = rows();
    let of = |row: &Value, field: &str| row[field].as_str().unwrap().to_owned();
    let table: String = pairs
        .as_array()
        .unwrap()
        .iter()
        .map(|row| format!("{},{}\n", of(row, "mirna"), of(row, "site")))
        .collect();
    let lines: String = pairs.as_array().unwrap().iter().map(|row| format!("{row}\n")).collect();
    let reply = app.post_text(&path, "text/csv", format!("mirna,site\n{table}")).await;
    let mut reader = csv::Reader::from_reader(reply.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "probability").unwrap();
    let of_table: Vec<f64> =
        reader.records().map(|record| record.unwrap()[column].parse().unwrap()).collect();
    assert_same(&of_table, &expected);
    let reply = app.post_text(&path, "application/x-ndjson", lines).await;
    let probability =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["probability"].as_f64().unwrap();
    assert_same(&reply.lines().map(probability).collect::<Vec<f64>>(), &expected);
}

#[tokio::test]
async fn names_are_looked_up() {
    let (app, _root) = app();
    let names = format!(">hsa-miR-21-5p MIMAT0000076\n{MIR_21}\n");
    app.state.know(Mirbase::parse(&names).unwrap());
    let expected = asked(&app, json!([{"mirna": MIR_21, "level": 3}])).await;
    assert_same(&asked(&app, json!([{"mirna": "hsa-miR-21-5p", "level": 1}])).await, &expected);
}

#[tokio::test]
async fn what_cannot_be_a_panel_is_refused_with_its_place() {
    let (app, _root) = app();
    let good = json!({"mirna": MIR_21, "level": 1});
    let errors = async |model: &str, panel: Value| {
        let reply = app.post(json!({"model": model, "panel": panel, "pairs": rows()}).to_string()).await;
        let error = &reply.body["errors"][0];
        (
            reply.status,
            error["pointer"].as_str().unwrap().to_owned(),
            error["detail"].as_str().unwrap().to_owned(),
        )
    };
    let (status, pointer, detail) = errors("pairmap@balanced", json!([good])).await;
    assert_eq!((status, pointer.as_str()), (422, "/panel"));
    assert!(detail.starts_with("pairmap@balanced ") && detail.contains("pairmap@panel"), "{detail}");
    for (panel, status, pointer, said) in [
        (json!([]), 422, "/panel", "1 to 200"),
        (json!(vec![good.clone(); 201]), 422, "/panel", "this one has 201"),
        (json!({"mirna": MIR_21}), 400, "/panel", "a list"),
        (json!([good, {"mirna": MIR_21}]), 400, "/panel/1", "level, a number"),
        (json!([good, {"mirna": MIR_21, "level": 0}]), 422, "/panel/1/level", "from 1e-12 to 1e12"),
        (json!([{"mirna": MIR_21, "level": 1e308}, good]), 422, "/panel/0/level", "from 1e-12 to 1e12"),
        (json!([{"mirna": "UAGCUX", "level": 2}]), 422, "/panel/0/mirna", ""),
        (json!("miR-21"), 422, "/panel", "mirna:level"),
    ] {
        let (got, place, detail) = errors("pairmap@panel", panel.clone()).await;
        assert_eq!((got, place.as_str()), (status, pointer), "{panel}: {detail}");
        assert!(detail.contains(said), "{panel}: {detail}");
    }
}

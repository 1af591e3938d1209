//! What Prometheus reads: every figure that the rules of the service can be watched by.

use std::time::Duration;

use mirador::serving::{PredictorConfig, Registry};
use mirador_models::device::Device;
use mirador_models::networks::dmiso;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, pair, score_request};
use crate::fake::until;
use crate::weights;

/// The value of a line that starts with the metric's name and holds all of the labels; 0 where there is none yet.
fn value(text: &str, metric: &str, labels: &[&str]) -> f64 {
    let matches = |line: &&str| {
        line.strip_prefix(metric).is_some_and(|rest| rest.starts_with(['{', ' ']))
            && labels.iter().all(|label| line.contains(label))
    };
    text.lines().filter(matches).map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

async fn text(app: &App) -> String {
    match app.get("/metrics").await.body {
        Value::String(text) => text,
        other => panic!("{other}"),
    }
}

/// Tests of this program share the counters: each looks at what grew, under a model's name of its own.
#[tokio::test]
async fn rows_and_seconds_are_counted_by_model() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "counted", true);
    let app = App::serving(root.path(), &[]);
    let model = r#"model="dmiso@counted""#;
    let before = text(&app).await;
    let body = json!({"model": "dmiso@counted", "pairs": vec![pair(); 7]});
    assert_eq!(app.post(body.to_string()).await.status, 200);
    let after = text(&app).await;
    let grew = |metric: &str, labels: &[&str]| value(&after, metric, labels) - value(&before, metric, labels);
    assert_eq!(grew("mirador_inputs_answered_total", &[model]), 7.0);
    for histogram in
        ["queue_wait_seconds", "encode_seconds", "forward_seconds", "batch_inputs", "padding_share"]
    {
        // Of seven rows, each is encoded by itself.
        let count = if histogram == "padding_share" { 7.0 } else { 1.0 };
        assert_eq!(grew(&format!("mirador_{histogram}_count"), &[model]), count, "{histogram}");
    }
    let route = r#"route="/v1/target-sites/score""#;
    assert!(grew("mirador_request_seconds_bucket", &[route, r#"status="200""#, r#"le="+Inf""#]) >= 1.0);
    assert!(after.contains(r#"mirador_inputs_in_flight{model="dmiso@counted"}"#));
}

#[tokio::test]
async fn what_is_dropped_is_counted_by_cause() {
    let config = PredictorConfig { queue_capacity: 10_000, ..PredictorConfig::default() };
    let slow = |inputs: &[f32]| {
        std::thread::sleep(Duration::from_millis(700));
        vec![0.0; inputs.len() / 360]
    };
    let (app, predictor) = App::counted_as("dropping", &dmiso::MODEL, config, Box::new(slow));
    let before = text(&app).await;
    let pairs = |rows: usize| json!({"pairs": vec![pair(); rows]}).to_string();
    let holding = tokio::spawn({
        let (app, body) = (app.clone(), pairs(1));
        async move { app.post(body).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    let late = app.send(score_request(&[("x-deadline-ms", "5")], pairs(2))).await;
    assert_eq!(late.status, 504);
    let left = tokio::time::timeout(Duration::from_millis(5), app.post(pairs(3)));
    assert!(left.await.is_err());
    let large = tokio::spawn({
        let (app, body) = (app.clone(), pairs(6_000));
        async move { app.post(body).await }
    });
    until(|| predictor.inputs_in_flight() > 6_000).await;
    assert_eq!(app.post(pairs(6_000)).await.status, 503);
    large.abort();
    assert_eq!(holding.await.unwrap().status, 200);
    let after = text(&app).await;
    let grew = |cause: &str| {
        let of = |text| value(text, "mirador_inputs_dropped_total", &[r#"model="dropping""#, cause]);
        of(&after) - of(&before)
    };
    let causes = ["late", "left", "full"].map(|cause| grew(&format!("cause=\"{cause}\"")));
    assert_eq!(causes, [2.0, 6_003.0, 6_000.0], "the large one that was given up has left, too");
}

#[tokio::test]
async fn every_figure_is_explained() {
    let app = App::ready(&[]);
    assert_eq!(app.post(json!({"pairs": [pair()]}).to_string()).await.status, 200);
    let text = text(&app).await;
    let names = |start: &str| -> Vec<&str> {
        text.lines().filter_map(|line| line.strip_prefix(start)?.split(' ').next()).collect()
    };
    let (typed, helped) = (names("# TYPE "), names("# HELP "));
    assert!(typed.contains(&"mirador_request_seconds") && typed.len() > 15, "{typed:?}");
    for name in typed {
        assert!(helped.contains(&name), "{name} has no help text");
    }
    assert!(text.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))));
    assert!((value(&text, "mirador_build_info", &[]) - 1.0).abs() < 1e-9);
    for figure in ["resident_memory_bytes", "open_fds", "start_time_seconds"] {
        assert!(value(&text, &format!("process_{figure}"), &[]) > 0.0, "{figure}");
    }
    assert!(text.contains("\nprocess_cpu_seconds_total "));
}

#[tokio::test]
async fn the_figures_of_a_removed_version_vanish() {
    let load = |versions: &[(&str, bool)]| {
        let root = TempDir::new().unwrap();
        versions.iter().for_each(|(version, default)| weights::write(root.path(), version, *default));
        Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), None).unwrap()
    };
    let app = App::starting(&[]);
    let (goes, stays) = (r#"model="dmiso@goes""#, r#"model="dmiso@stays""#);
    app.state.start(load(&[("stays", true), ("goes", false)]));
    let before = text(&app).await;
    assert!(before.contains(goes) && before.contains(stays));
    app.state.start(load(&[("stays", true)]));
    for _ in 0..100 {
        // Its workers end a moment later.
        tokio::time::sleep(Duration::from_millis(50)).await;
        if !text(&app).await.contains(goes) {
            break;
        }
    }
    let after = text(&app).await;
    assert!(!after.contains(goes) && after.contains(stays));
    app.state.start(load(&[("stays", true), ("goes", false)]));
    assert!(text(&app).await.contains(goes), "and come back with it");
}

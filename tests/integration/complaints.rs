//! What users of other servers complain of, one test for each: it fails when the protection is taken out. What needs a
//! whole process (rolling updates, memory) stands in `process`.

use std::time::Duration;

use mirador::serving::{Forward, PredictorConfig};
use mirador_models::networks::dmiso;
use serde_json::{Value, json};

use crate::app::{App, pair, score_request};
use crate::fake::{ask, fragile, gated, start, until};

#[tokio::test]
async fn a_full_queue_refuses_and_goes_on() {
    let (forward, go, sizes) = gated(360);
    let feeding = PredictorConfig { queue_capacity: 3, max_batch_size: 2, ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, forward);
    let two = || {
        let app = app.clone();
        tokio::spawn(async move { app.score(&[pair(), pair()]).await })
    };
    let asked = [two(), two()];
    until(|| predictor.inputs_in_flight() == 4).await;
    let reply = app.score(&[pair(), pair()]).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, "1"));
    assert_eq!(reply.body["type"], "urn:mirador:problem:queue-full");
    assert_eq!(predictor.inputs_in_flight(), 4, "all rows or none");
    for request in asked {
        assert_eq!(sizes.recv().unwrap(), 2);
        go.send(()).unwrap();
        assert_eq!(request.await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn nothing_is_done_for_clients_that_left() {
    let (forward, go, sizes) = gated(1);
    let predictor = start(PredictorConfig { queue_capacity: 10, ..PredictorConfig::default() }, forward);
    let running = tokio::spawn({
        let predictor = predictor.clone();
        async move { ask(&predictor, vec![1.0]).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let waiting = tokio::time::timeout(Duration::from_millis(10), ask(&predictor, vec![2.0; 9]));
    assert!(waiting.await.is_err());
    assert_eq!(predictor.inputs_in_flight(), 1);
    go.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap().outputs, [Some(1.0)]);
    until(|| predictor.inputs_in_flight() == 0).await;
    assert!(sizes.try_recv().is_err(), "nothing was run for the caller who left");
}

#[tokio::test]
async fn a_deadline_fires_while_the_worker_is_busy() {
    let (forward, go, sizes) = gated(360);
    let (app, predictor) = App::with(&dmiso::MODEL, PredictorConfig::default(), forward);
    let running = tokio::spawn({
        let app = app.clone();
        async move { app.score(&[pair()]).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let body = json!({"pairs": [pair()]}).to_string();
    let reply = app.send(score_request(&[("x-deadline-ms", "20")], body.clone())).await;
    assert_eq!(
        (reply.status, reply.body["type"].as_str()),
        (504, Some("urn:mirador:problem:deadline-exceeded"))
    );
    assert_eq!(predictor.inputs_in_flight(), 1, "the late row left the queue at once");
    for bad in ["0", "-1", "1.5", "soon", "99999999999"] {
        let reply = app.send(score_request(&[("x-deadline-ms", bad)], body.clone())).await;
        assert_eq!(
            (reply.status, reply.body["type"].as_str()),
            (400, Some("urn:mirador:problem:malformed-request"))
        );
    }
    go.send(()).unwrap();
    assert_eq!(running.await.unwrap().status, 200);
    assert!(sizes.try_recv().is_err(), "nothing was run for the late caller");
}

#[tokio::test]
async fn a_lonely_request_waits_for_no_window() {
    let (forward, go, sizes) = gated(1);
    let predictor = start(PredictorConfig::default(), forward);
    let answer = tokio::spawn({
        let predictor = predictor.clone();
        async move { ask(&predictor, vec![1.0]).await.unwrap() }
    });
    tokio::task::yield_now().await;
    // Nothing else arrives that could fill the batch or end a window, and the gate is still shut.
    assert_eq!(sizes.recv_timeout(Duration::from_secs(10)).unwrap(), 1);
    go.send(()).unwrap();
    let queued = answer.await.unwrap().queued;
    assert!(queued < Duration::from_millis(50), "it waited for no one but the worker's thread: {queued:?}");
}

#[tokio::test]
async fn a_broken_device_is_not_ready() {
    let broken: Forward = Box::new(|_| panic!("CUDA error: an illegal memory access was encountered"));
    let config = PredictorConfig::default();
    let app = App::starting(&[]);
    let config = PredictorConfig { fault: app.state.fault().clone(), ..config };
    let app = app.serving_with(&dmiso::MODEL, config, broken).0;
    assert_eq!(app.get("/health/ready").await.status, 200);
    assert_eq!(app.score(&vec![pair(); 64]).await.status, 500);
    assert_eq!(app.score(&[pair()]).await.status, 503, "another server can answer it");
    // Also while it drains, as it does before it ends.
    for drains in [false, true] {
        if drains {
            app.state.drain();
        }
        let ready = app.get("/health/ready").await;
        assert_eq!(
            (ready.status, ready.body["type"].as_str()),
            (503, Some("urn:mirador:problem:device-fault"))
        );
    }
    assert_eq!(app.get("/health/live").await.status, 200);
    // What ends the process.
    assert!(app.state.fault().happened().await.contains("illegal memory access"));
}

#[tokio::test]
async fn the_cap_counts_work_and_not_requests() {
    let (forward, go, sizes) = gated(1);
    let predictor = start(PredictorConfig { max_batch_size: 4, ..PredictorConfig::default() }, forward);
    let spawn = |rows: usize| {
        let predictor = predictor.clone();
        tokio::spawn(async move { ask(&predictor, vec![1.0; rows]).await.unwrap() })
    };
    let long = spawn(12);
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 4);
    let short = spawn(1);
    until(|| predictor.inputs_in_flight() == 13).await;
    go.send(()).unwrap();
    assert_eq!(sizes.recv().unwrap(), 4, "the long one stands in front");
    go.send(()).unwrap();
    assert_eq!(sizes.recv().unwrap(), 4, "the short one and three of the long one");
    go.send(()).unwrap();
    short.await.unwrap();
    assert!(!long.is_finished());
    assert_eq!(sizes.recv().unwrap(), 1);
    go.send(()).unwrap();
    assert_eq!(long.await.unwrap().outputs.len(), 12);
}

#[tokio::test]
async fn one_bad_row_fails_alone() {
    let (forward, go, sizes) = gated(1);
    let mut fragile = fragile();
    let mut forward = forward;
    let mut first = true;
    // The first batch is held back, so that all others meet in the second.
    let predictor = start(
        PredictorConfig::default(),
        Box::new(move |inputs| if std::mem::take(&mut first) { forward(inputs) } else { fragile(inputs) }),
    );
    let spawn = |rows: Vec<f32>| {
        let predictor = predictor.clone();
        tokio::spawn(async move { ask(&predictor, rows).await.map(|prediction| prediction.outputs) })
    };
    let holding = spawn(vec![0.0]);
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let asked = [vec![1.0, 2.0], vec![3.0, -1.0, 4.0], vec![5.0], vec![-2.0], vec![6.0]].map(spawn);
    until(|| predictor.inputs_in_flight() == 9).await;
    go.send(()).unwrap();
    assert_eq!(holding.await.unwrap(), Ok(vec![Some(1.0)]));
    let mut found = Vec::new();
    for answer in asked {
        found.push(answer.await.unwrap());
    }
    let expected = [
        vec![Some(2.0), Some(4.0)],
        vec![Some(6.0), None, Some(8.0)],
        vec![Some(10.0)],
        vec![None],
        vec![Some(12.0)],
    ];
    assert_eq!(found, expected.map(Ok));
    assert_eq!(ask(&predictor, vec![7.0]).await.unwrap().outputs, [Some(14.0)], "the worker lives");
    until(|| predictor.inputs_in_flight() == 0).await;
}

#[tokio::test]
async fn the_answer_does_not_depend_on_its_companions() {
    let app = App::ready(&[]);
    let alone = app.score(&[pair()]).await.probabilities()[0];
    let other = json!({"mirna": "ACGUACGUACGUACGUACGUACGUACGUAC", "site": "GAUUACA".repeat(14)});
    for size in [2, 3, 31, 512, 700, 1500] {
        for place in [0, size / 2, size - 1] {
            let mut rows = vec![other.clone(); size];
            rows[place] = pair();
            let found = app.score(&rows).await.probabilities()[place];
            assert!((found - alone).abs() < 1e-5, "{found} at {place} of {size}, {alone} alone");
        }
    }
}

#[tokio::test]
async fn p99_can_be_computed() {
    let app = App::ready(&[]);
    assert_eq!(app.score(&[pair()]).await.status, 200);
    let Value::String(text) = app.get("/metrics").await.body else { panic!("not text") };
    for metric in
        ["request_seconds", "queue_wait_seconds", "batch_inputs", "encode_seconds", "forward_seconds"]
    {
        let buckets = text.lines().filter(|line| line.starts_with(&format!("mirador_{metric}_bucket{{")));
        assert!(buckets.filter(|line| line.contains("le=")).count() > 8, "{metric}");
    }
}

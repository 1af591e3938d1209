//! More than there is room for, models that fail, callers who leave: others are served and nobody is left without an
//! answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mirador::serving::{Forward, PredictorConfig, Registry};
use mirador_models::device::Device;
use mirador_models::encoding::Encoded;
use mirador_models::networks::{dmiso, xpresso};
use mirador_models::{Encoder, Model};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, pair};
use crate::contract::problem;
use crate::fake::{gated, until};
use crate::weights;

/// A batch holds no more than fits into memory and time, whatever the request.
#[tokio::test]
async fn batches_are_bounded_in_bytes_and_in_time() {
    let most = Arc::new(AtomicUsize::new(0));
    let watch = |width: usize| -> Forward {
        let most = most.clone();
        Box::new(move |inputs| {
            most.fetch_max(inputs.len() / width, Ordering::Relaxed);
            vec![0.0; inputs.len() / width]
        })
    };
    let genes = vec![json!({"promoter": "ACGUACGU", "tss": 0}); 1000];
    let (app, _) = App::with(&xpresso::MODEL, PredictorConfig::default(), watch(10_501));
    let reply = app.post_to("/v1/expression/predict", &json!({ "genes": genes })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!((50..=100).contains(&most.swap(0, Ordering::Relaxed)), "4 MiB are 99 genes");

    let feeding = PredictorConfig { cost: Duration::from_millis(10), ..PredictorConfig::default() };
    let (app, _) = App::with(&dmiso::MODEL, feeding, watch(360));
    assert_eq!(app.score(&vec![pair(); 300]).await.status, 200);
    assert_eq!(most.load(Ordering::Relaxed), 25, "250 ms are 25 pairs");
}

/// However long a request, its rows are encoded a few parts at a time.
#[tokio::test]
async fn a_request_is_encoded_as_it_is_scored() {
    static ENCODED: AtomicUsize = AtomicUsize::new(0);
    static COUNTING: Model = Model {
        encoder: |_| {
            Ok(Encoder::target_site([90, 4], |_| {
                ENCODED.fetch_add(1, Ordering::Relaxed);
                Encoded::whole(vec![0.0; 360], Vec::new())
            }))
        },
        ..dmiso::MODEL
    };
    let (forward, go, _sizes) = gated(360);
    let feeding = PredictorConfig { max_batch_size: 50, ..PredictorConfig::default() };
    let (app, _) = App::with(&COUNTING, feeding, forward);
    let asking = tokio::spawn(async move { app.score(&vec![pair(); 2000]).await.status });
    until(|| ENCODED.load(Ordering::Relaxed) >= 200).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ENCODED.load(Ordering::Relaxed), 200, "four parts of fifty");
    drop(go);
    assert_eq!(asking.await.unwrap(), 200);
}

#[tokio::test]
async fn what_cannot_be_scored_while_draining_is_refused_with_the_limit() {
    let feeding = PredictorConfig {
        cost: Duration::from_millis(20),
        drain: Duration::from_secs(10),
        ..PredictorConfig::default()
    };
    let (app, _) = App::with(&dmiso::MODEL, feeding, Box::new(|inputs| vec![0.0; inputs.len() / 360]));
    let found = problem(&app.score(&vec![pair(); 351]).await, 413, "too-much-work");
    assert!(found["detail"].as_str().unwrap().starts_with("dmiso@fake takes up to 350 rows"), "{found}");
    assert_eq!(app.score(&vec![pair(); 350]).await.status, 200);
    let list = app.get("/v1/models").await.body;
    assert_eq!(list["models"][0]["limits"]["rows"], json!({"min": 1, "max": 350}));
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let (forward, go, _sizes) = gated(360);
    let feeding = PredictorConfig {
        cost: Duration::from_millis(10),
        queue_capacity: 500,
        ..PredictorConfig::default()
    };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, forward);
    let waiting = tokio::spawn({
        let app = app.clone();
        async move { app.score(&vec![pair(); 400]).await }
    });
    until(|| predictor.inputs_in_flight() == 400).await;
    let refused = app.score(&vec![pair(); 400]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, "4"));
    drop(go);
    assert_eq!(waiting.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_request_waits_a_moment_for_room() {
    let (forward, go, sizes) = gated(360);
    let feeding = PredictorConfig { queue_capacity: 100, max_batch_size: 100, ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, forward);
    let ask = || {
        let app = app.clone();
        tokio::spawn(async move { app.score(&vec![pair(); 100]).await.status })
    };
    let first = ask();
    until(|| predictor.inputs_in_flight() == 100).await;
    sizes.recv().unwrap();
    let second = ask();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(go);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (200, 200));
}

/// Ready tells the truth: a model that fails every row is not, until a new replica reproduces the golden outputs.
#[tokio::test]
async fn a_model_that_fails_is_not_ready_until_it_was_built_anew() {
    let mended = Arc::new(AtomicBool::new(false));
    let good = || -> Forward { Box::new(|inputs| vec![0.0; inputs.len() / 360]) };
    let rebuild: mirador::serving::Rebuild = {
        let mended = mended.clone();
        Arc::new(
            move |_| if mended.load(Ordering::Relaxed) { Ok(good()) } else { Err("golden case 0".into()) },
        )
    };
    let feeding = PredictorConfig { rebuild: Some(rebuild), ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, Box::new(|_| panic!("not enough memory")));
    assert_eq!(app.get("/health/ready").await.status, 200);
    assert_eq!(app.score(&[pair()]).await.status, 500);
    until(|| !predictor.is_good()).await;
    let ready = app.get("/health/ready").await;
    problem(&ready, 503, "model-fault");
    assert_eq!(app.get("/v2/models/dmiso/ready").await.status, 503);
    problem(&app.score(&[pair()]).await, 503, "model-fault");
    assert_eq!(app.get("/health/live").await.status, 200);
    mended.store(true, Ordering::Relaxed);
    until(|| predictor.is_good()).await;
    assert_eq!(app.get("/health/ready").await.status, 200);
    assert_eq!(app.score(&[pair()]).await.status, 200);
}

/// Inputs at fault are not the model's: it is looked at once and stays ready.
#[tokio::test]
async fn bad_inputs_do_not_turn_ready_off() {
    let looked = Arc::new(AtomicUsize::new(0));
    let failing = || -> Forward { Box::new(|_| panic!("this row")) };
    let rebuild: mirador::serving::Rebuild = {
        let looked = looked.clone();
        Arc::new(move |_| {
            looked.fetch_add(1, Ordering::Relaxed);
            Ok(failing())
        })
    };
    let feeding = PredictorConfig { rebuild: Some(rebuild), ..PredictorConfig::default() };
    let (app, _) = App::with(&dmiso::MODEL, feeding, failing());
    for _ in 0..20 {
        assert_eq!(app.score(&[pair()]).await.status, 500);
        assert_eq!(app.get("/health/ready").await.status, 200);
    }
    assert_eq!(looked.load(Ordering::Relaxed), 1, "weights are not built anew at a caller's bidding");
}

/// libtorch may keep a failure of one shape: the same row goes through as one of two.
#[tokio::test]
async fn a_shape_that_fails_is_tried_as_another() {
    let forward: Forward = Box::new(|inputs| {
        assert!(inputs.len() > 360, "could not create a primitive");
        vec![0.5; inputs.len() / 360]
    });
    let (app, _) = App::with(&dmiso::MODEL, PredictorConfig::default(), forward);
    assert_eq!(app.score(&[pair()]).await.status, 200);
}

#[tokio::test]
async fn golden_outputs_without_a_case_are_refused() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    std::fs::write(root.path().join("dmiso/balanced/golden.json"), r#"{"cases": []}"#).unwrap();
    let loaded = Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), None);
    assert_eq!(loaded.err().unwrap().to_string(), "golden.json has no case");
}

/// One folder that cannot be used is told and left out; it keeps no other from being served or replaced.
#[tokio::test]
async fn a_broken_folder_costs_only_itself() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    weights::write(root.path(), "paper", false);
    let load = |already: Option<&Registry>| {
        Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), already)
    };
    let names = |registry: &Registry| -> Vec<String> {
        registry.entries().iter().map(|entry| entry.served.full_name()).collect()
    };
    let first = load(None).unwrap();
    assert_eq!(names(&first), ["dmiso@balanced", "dmiso@paper"]);
    std::fs::write(root.path().join("dmiso/paper/config.json"), "{").unwrap();
    std::os::unix::fs::symlink(root.path().join("dmiso/balanced"), root.path().join("dmiso/alias")).unwrap();
    weights::write(root.path(), "third", false);
    let second = load(Some(&first)).unwrap();
    assert_eq!(names(&second), ["dmiso@balanced", "dmiso@paper", "dmiso@third"], "the old one goes on");
    assert_eq!(names(&load(None).unwrap()), ["dmiso@balanced", "dmiso@third"]);
    std::fs::remove_file(root.path().join("dmiso/balanced/CARD.md")).unwrap();
    let error = load(None).err().unwrap().to_string();
    assert!(error.contains("CARD.md"), "the default is missing: {error}");
}

/// Replicas read the same weights: more workers take no more memory for them.
#[tokio::test]
async fn replicas_share_their_weights() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let feeding = PredictorConfig { short_workers: 8, long_workers: 16, ..PredictorConfig::default() };
    let registry = Registry::load(root.path(), &[Device::Cpu], &feeding, None).unwrap();
    let app = App::starting(&[]);
    app.state.start(registry);
    let one = app.score(&[pair()]).await.probabilities();
    for _ in 0..50 {
        let found = app.score(&vec![pair(); 40]).await.probabilities();
        assert!(found.iter().all(|other| (other - one[0]).abs() < 1e-5));
    }
}

#[tokio::test]
async fn what_waits_when_the_cap_passes_is_told_so() {
    let (forward, go, sizes) = gated(360);
    let feeding = PredictorConfig { max_batch_size: 20, ..PredictorConfig::default() };
    let (app, _) = App::with(&dmiso::MODEL, feeding, forward);
    let ask = || {
        let app = app.clone();
        tokio::spawn(async move { app.score(&vec![pair(); 20]).await })
    };
    let running = ask();
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 20);
    let waiting = ask();
    tokio::time::sleep(Duration::from_millis(20)).await;
    app.state.registry().unwrap().abort();
    problem(&waiting.await.unwrap(), 503, "draining");
    go.send(()).unwrap();
    assert_eq!(running.await.unwrap().status, 200, "the batch that runs is answered");
    problem(&app.score(&[pair()]).await, 503, "draining");
}

/// Many callers who leave at once cost each other nothing.
#[tokio::test]
async fn callers_who_leave_give_their_places_back_at_once() {
    let (forward, go, sizes) = gated(360);
    let (app, predictor) = App::with(&dmiso::MODEL, PredictorConfig::default(), forward);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..3000 {
        let app = app.clone();
        callers.spawn(async move { app.score(&[pair()]).await.status });
    }
    until(|| predictor.inputs_in_flight() == 3000).await;
    let running = sizes.recv().unwrap();
    callers.abort_all();
    until(|| predictor.inputs_in_flight() <= running).await;
    drop(go);
    until(|| predictor.inputs_in_flight() == 0).await;
    let Value::String(text) = app.get("/metrics").await.body else { panic!("not text") };
    assert!(text.contains("mirador_inputs_dropped_total"));
}

/// What cannot be mended here, somebody else has to start anew: the process ends.
#[tokio::test]
async fn a_model_that_cannot_be_mended_is_a_fault_of_the_device() {
    let rebuild: mirador::serving::Rebuild = Arc::new(|_| Err("golden case 0".into()));
    let app = App::starting(&[]);
    let feeding = PredictorConfig {
        rebuild: Some(rebuild),
        hopeless: Duration::ZERO,
        fault: app.state.fault().clone(),
        ..PredictorConfig::default()
    };
    let (app, _) = app.serving_with(&dmiso::MODEL, feeding, Box::new(|_| panic!("not enough memory")));
    assert_eq!(app.score(&[pair()]).await.status, 500);
    let reason = tokio::time::timeout(Duration::from_secs(10), app.state.fault().happened()).await.unwrap();
    assert_eq!(reason, "fake cannot be mended: golden case 0");
    problem(&app.get("/health/ready").await, 503, "device-fault");
}

#[tokio::test]
async fn a_panic_while_mending_is_one_more_failure() {
    let tried = Arc::new(AtomicUsize::new(0));
    let good = || -> Forward { Box::new(|inputs| vec![0.0; inputs.len() / 360]) };
    let rebuild: mirador::serving::Rebuild = {
        let tried = tried.clone();
        Arc::new(move |_| {
            assert!(tried.fetch_add(1, Ordering::Relaxed) > 0, "not enough memory");
            Ok(good())
        })
    };
    let feeding = PredictorConfig { rebuild: Some(rebuild), ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, Box::new(|_| panic!("not enough memory")));
    assert_eq!(app.score(&[pair()]).await.status, 500);
    until(|| tried.load(Ordering::Relaxed) == 2 && predictor.is_good()).await;
    assert_eq!(app.score(&[pair()]).await.status, 200);
}

#[tokio::test]
async fn a_network_that_gives_another_number_of_outputs_is_not_believed() {
    let one_more: Forward = Box::new(|inputs| vec![0.0; inputs.len() / 360 + 1]);
    let (app, _) = App::with(&dmiso::MODEL, PredictorConfig::default(), one_more);
    problem(&app.score(&vec![pair(); 20]).await, 500, "internal");
}

//! The queue and the workers, with networks that are plain functions.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mirador::serving::{AskDevice, Fault, Forward, PredictError, Predictor, PredictorConfig};
use mirador_models::cuda::Condition;

use crate::fake::{ask, fragile, gated, start};

#[tokio::test]
async fn answers_stand_in_the_order_of_the_rows() {
    let config = PredictorConfig { max_batch_size: 7, ..PredictorConfig::default() };
    let predictor = Predictor::start("fake", 1, config, vec![fragile()], vec![fragile(), fragile()]).unwrap();
    let rows: Vec<f32> = (0..1000).map(|row| row as f32).collect();
    let doubled: Vec<_> = rows.iter().map(|row| Some(2.0 * row)).collect();
    assert_eq!(ask(&predictor, rows).await.unwrap().outputs, doubled);
    assert!(ask(&predictor, vec![]).await.unwrap().outputs.is_empty());
}

#[tokio::test]
async fn shutting_down_answers_what_was_accepted() {
    let (forward, go, sizes) = gated(1);
    let predictor = start(PredictorConfig { max_batch_size: 1, ..PredictorConfig::default() }, forward);
    let asked = tokio::spawn({
        let predictor = predictor.clone();
        async move { ask(&predictor, vec![1.0, 2.0]).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let closing = std::thread::spawn({
        let predictor = predictor.clone();
        move || predictor.shut_down()
    });
    while ask(&predictor, vec![]).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&predictor, vec![3.0]).await.unwrap_err(), PredictError::Closed);
    go.send(()).unwrap();
    go.send(()).unwrap();
    closing.join().unwrap();
    assert_eq!(asked.await.unwrap().unwrap().outputs, [Some(1.0), Some(1.0)]);
}

#[tokio::test]
async fn a_lone_row_does_not_wait_for_the_batch_of_a_long_request() {
    let (forward, go, sizes) = gated(1);
    let config = PredictorConfig { max_batch_size: 100, ..PredictorConfig::default() };
    let predictor = Predictor::start("fake", 1, config, vec![fragile()], vec![forward]).unwrap();
    let long = tokio::spawn({
        let predictor = predictor.clone();
        async move { ask(&predictor, vec![1.0; 200]).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 100);
    assert_eq!(ask(&predictor, vec![4.0]).await.unwrap().outputs, [Some(8.0)]);
    go.send(()).unwrap();
    assert_eq!(sizes.recv().unwrap(), 100);
    go.send(()).unwrap();
    assert_eq!(long.await.unwrap().unwrap().outputs, vec![Some(1.0); 200]);
}

/// A network of a device that has memory for a few rows, and how often it had none.
fn short_of_memory(fitting: usize) -> (Forward, Arc<AtomicUsize>) {
    let failed = Arc::new(AtomicUsize::new(0));
    let counted = failed.clone();
    let forward: Forward = Box::new(move |inputs| {
        if inputs.len() > fitting {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("CUDA out of memory. Tried to allocate 2.00 GiB");
        }
        inputs.iter().map(|input| 2.0 * input).collect()
    });
    (forward, failed)
}

/// What the device has no memory for is run in halves, and the next batches are small from the start.
#[tokio::test]
async fn a_batch_that_finds_no_memory_is_halved_and_the_next_are_small() {
    let (forward, failed) = short_of_memory(100);
    let no_memory: AskDevice = Arc::new(|_| Condition::NoMemory);
    let config =
        PredictorConfig { max_batch_size: 512, condition: Some(no_memory), ..PredictorConfig::default() };
    let fault = config.fault.clone();
    let predictor = start(config, forward);
    let rows: Vec<f32> = (0..5120).map(|row| row as f32).collect();
    let doubled: Vec<_> = rows.iter().map(|row| Some(2.0 * row)).collect();
    assert_eq!(ask(&predictor, rows).await.unwrap().outputs, doubled);
    assert!(!fault.is_known(), "it goes on");
    let failed = failed.load(Ordering::Relaxed);
    assert!((1..=12).contains(&failed), "{failed} batches did not fit");
}

/// The device's own word decides, and only without it the text.
#[tokio::test]
async fn a_device_is_broken_where_it_says_so() {
    let cases = [
        (Condition::Broken(700), "an unspecified failure", true),
        (Condition::Sound, "CUDA error: an illegal memory access was encountered", false),
        (Condition::NoMemory, "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", false),
        (Condition::Unknown, "CUDA error: device-side assert triggered", true),
        (Condition::Unknown, "an unspecified failure", false),
    ];
    for (condition, reason, broken) in cases {
        let asked: AskDevice = Arc::new(move |_| condition);
        let config = PredictorConfig { condition: Some(asked), ..PredictorConfig::default() };
        let fault: Fault = config.fault.clone();
        let predictor = start(config, Box::new(move |_| panic!("{reason}")));
        // What a broken device leaves is no answer; a row that fails has one.
        let outputs = ask(&predictor, vec![1.0]).await.map(|answer| answer.outputs);
        assert_eq!(outputs.ok(), (!broken).then(|| vec![None]));
        assert_eq!(fault.is_known(), broken, "{condition:?}, {reason}");
        if let (true, Condition::Broken(code)) = (broken, condition) {
            let told = tokio::time::timeout(Duration::from_secs(5), fault.happened()).await.unwrap();
            assert_eq!(told, format!("CUDA error {code}: {reason}"));
        }
    }
}

/// With several devices a worker's number tells which one is its own.
#[tokio::test]
async fn each_worker_asks_its_own_device() {
    let (sender, asked) = std::sync::mpsc::channel();
    let condition: AskDevice = Arc::new(move |worker| {
        let _ = sender.send(worker);
        Condition::Sound
    });
    let config = PredictorConfig { condition: Some(condition), ..PredictorConfig::default() };
    let failing = || -> Forward { Box::new(|_| panic!("this row")) };
    let predictor = Predictor::start("fake", 1, config, vec![failing()], vec![failing()]).unwrap();
    assert_eq!(ask(&predictor, vec![1.0]).await.unwrap().outputs, [None]);
    assert_eq!(asked.recv().unwrap(), 0);
    let many = vec![1.0; 100];
    assert_eq!(ask(&predictor, many).await.unwrap().outputs, vec![None; 100]);
    assert!(asked.iter().take(100).all(|worker| worker == 1), "those of large requests come after");
}

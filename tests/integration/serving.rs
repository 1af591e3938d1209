//! The queue and the workers, with networks that are plain functions.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use mirador::serving::{Forward, PredictError, Predictor, PredictorConfig};

/// Doubles each row of one value; panics on −1, says NaN to −2.
fn fragile() -> Forward {
    Box::new(|inputs| {
        assert!(!inputs.contains(&-1.0), "cannot take −1");
        inputs.iter().map(|&x| if x == -2.0 { f32::NAN } else { 2.0 * x }).collect()
    })
}

fn start(config: PredictorConfig, forward: Forward) -> Predictor {
    Predictor::start("fake", 1, config, vec![forward]).unwrap()
}

async fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(10), "waited in vain");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A forward function that tells its batch sizes and waits for a go before each.
fn gated() -> (Forward, mpsc::Sender<()>, mpsc::Receiver<usize>) {
    let (go, gate) = mpsc::channel();
    let (tell, sizes) = mpsc::channel();
    let forward = move |inputs: &[f32]| {
        let _ = tell.send(inputs.len());
        let _ = gate.recv();
        inputs.to_vec()
    };
    (Box::new(forward), go, sizes)
}

#[tokio::test]
async fn answers_stand_in_the_order_of_the_rows() {
    let config = PredictorConfig { max_batch_size: 7, ..PredictorConfig::default() };
    let predictor = Predictor::start("fake", 1, config, vec![fragile(), fragile(), fragile()]).unwrap();
    let rows: Vec<f32> = (0..1000).map(|row| row as f32).collect();
    let doubled: Vec<_> = rows.iter().map(|row| Some(2.0 * row)).collect();
    assert_eq!(predictor.predict(rows, None).await.unwrap().outputs, doubled);
    assert!(predictor.predict(vec![], None).await.unwrap().outputs.is_empty());
}

#[tokio::test]
async fn a_row_that_fails_costs_only_itself() {
    let (forward, go, sizes) = gated();
    let mut fragile = fragile();
    let mut forward = forward;
    let mut first = true;
    // The first batch is held back, so that all others meet in the second.
    let predictor = start(
        PredictorConfig::default(),
        Box::new(move |inputs| if std::mem::take(&mut first) { forward(inputs) } else { fragile(inputs) }),
    );
    let ask = |rows: Vec<f32>| {
        let predictor = predictor.clone();
        tokio::spawn(async move { predictor.predict(rows, None).await.map(|prediction| prediction.outputs) })
    };
    let holding = ask(vec![0.0]);
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let asked = [vec![1.0, 2.0], vec![3.0, -1.0, 4.0], vec![5.0], vec![-2.0], vec![6.0]].map(ask);
    until(|| predictor.free_rows() == 20_000 - 9).await;
    go.send(()).unwrap();
    assert_eq!(holding.await.unwrap(), Ok(vec![Some(0.0)]));
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
    assert_eq!(predictor.predict(vec![7.0], None).await.unwrap().outputs, [Some(14.0)], "the worker lives");
    until(|| predictor.free_rows() == 20_000).await;
}

#[tokio::test]
async fn a_dropped_request_frees_its_rows_while_the_worker_is_busy() {
    let (forward, go, sizes) = gated();
    let predictor = start(PredictorConfig { queue_capacity: 10, ..PredictorConfig::default() }, forward);
    let running = tokio::spawn({
        let predictor = predictor.clone();
        async move { predictor.predict(vec![1.0], None).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let waiting = tokio::time::timeout(Duration::from_millis(10), predictor.predict(vec![2.0; 9], None));
    assert!(waiting.await.is_err());
    assert_eq!(predictor.free_rows(), 9);
    assert_eq!(predictor.predict(vec![3.0; 10], None).await.unwrap_err(), PredictError::Full);
    go.send(()).unwrap();
    assert_eq!(running.await.unwrap().unwrap().outputs, [Some(1.0)]);
    until(|| predictor.free_rows() == 10).await;
    assert!(sizes.try_recv().is_err(), "nothing was run for the caller who left");
}

#[tokio::test]
async fn a_long_request_shares_the_worker_with_short_ones() {
    let (forward, go, sizes) = gated();
    let predictor = start(PredictorConfig { max_batch_size: 4, ..PredictorConfig::default() }, forward);
    let ask = |rows: usize| {
        let predictor = predictor.clone();
        tokio::spawn(async move { predictor.predict(vec![1.0; rows], None).await.unwrap() })
    };
    let long = ask(12);
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 4);
    let short = ask(1);
    until(|| predictor.free_rows() == 20_000 - 13).await;
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
async fn shutting_down_answers_what_was_accepted() {
    let (forward, go, sizes) = gated();
    let predictor = start(PredictorConfig { max_batch_size: 1, ..PredictorConfig::default() }, forward);
    let asked = tokio::spawn({
        let predictor = predictor.clone();
        async move { predictor.predict(vec![1.0, 2.0], None).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(sizes.recv().unwrap(), 1);
    let closing = std::thread::spawn({
        let predictor = predictor.clone();
        move || predictor.shut_down()
    });
    while predictor.predict(vec![], None).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(predictor.predict(vec![3.0], None).await.unwrap_err(), PredictError::Closed);
    go.send(()).unwrap();
    go.send(()).unwrap();
    closing.join().unwrap();
    assert_eq!(asked.await.unwrap().unwrap().outputs, [Some(1.0), Some(2.0)]);
}

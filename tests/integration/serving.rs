//! The queue and the workers, with networks that are plain functions.

use mirador::serving::{PredictError, Predictor, PredictorConfig};

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

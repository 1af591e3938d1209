//! Networks that are plain functions.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use mirador::serving::{FEW, Forward, PredictError, Prediction, Predictor, PredictorConfig, Share};

/// Doubles each row of one value; panics on −1, says NaN to −2.
pub(crate) fn fragile() -> Forward {
    Box::new(|inputs| {
        assert!(!inputs.contains(&-1.0), "cannot take −1");
        inputs.iter().map(|&x| if x == -2.0 { f32::NAN } else { 2.0 * x }).collect()
    })
}

pub(crate) fn start(config: PredictorConfig, forward: Forward) -> Predictor {
    let [short, long] = shared(forward);
    Predictor::start("fake", 1, config, vec![short], vec![long]).unwrap()
}

/// Places for inputs of one value, and their outputs.
pub(crate) async fn ask(predictor: &Predictor, inputs: Vec<f32>) -> Result<Prediction, PredictError> {
    let share = if inputs.len() <= FEW { Share::Small } else { Share::Large };
    let mut room = predictor.reserve(share, inputs.len(), None).await?;
    let place = predictor.place(room.split(inputs.len())).await?;
    predictor.predict(inputs, place, None).await
}

/// One function for both lines, one call at a time.
pub(crate) fn shared(forward: Forward) -> [Forward; 2] {
    let forward = Arc::new(Mutex::new(forward));
    [forward.clone(), forward].map(|forward| -> Forward {
        // A panic is the network's own business, not the lock's.
        Box::new(move |inputs| forward.lock().unwrap_or_else(PoisonError::into_inner)(inputs))
    })
}

pub(crate) async fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(10), "waited in vain");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A forward function for rows of `width` values that tells its batch sizes and waits for a go before each.
pub(crate) fn gated(width: usize) -> (Forward, mpsc::Sender<()>, mpsc::Receiver<usize>) {
    let (go, gate) = mpsc::channel();
    let (tell, sizes) = mpsc::channel();
    let forward = move |inputs: &[f32]| {
        let _ = tell.send(inputs.len() / width);
        let _ = gate.recv();
        vec![1.0; inputs.len() / width]
    };
    (Box::new(forward), go, sizes)
}

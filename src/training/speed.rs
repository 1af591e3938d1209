//! `mirador-train speed`: rows per second of a network on a device, forward by batch size and one training epoch, on
//! made-up pairs. Weights do not change speed, so they are random.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Device;

use super::optimizer::Adam;
use super::teacher;
use crate::models::{Options, Replica, find};
use crate::tasks::target_site::Pair;

const BATCHES: [usize; 6] = [1, 8, 32, 128, 512, 2048];
const MEASURED: Duration = Duration::from_millis(1500);
const EPOCH_ROWS: usize = 20_000;
const EPOCH_BATCH: usize = 128;

/// Prints the table.
pub fn speed(model: &str, device: Device) -> Result<()> {
    let kind = find(model).with_context(|| format!("no model {model:?}"))?;
    let replica = Replica::new(kind, &Options::new(), device)?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let pairs: Vec<Pair> = (0..BATCHES[5]).map(|_| teacher::draw(&[], &[], &mut rng).0).collect();
    println!("{model} on {device:?}, {} thread(s) an operation\n", tch::get_num_threads());
    println!("{:>6}  {:>12}  {:>12}", "batch", "rows/s", "ms/batch");
    for batch in BATCHES {
        let inputs: Vec<f32> = pairs[..batch].iter().flat_map(|pair| (kind.encode)(pair).values).collect();
        let seconds = seconds_per_call(|| {
            replica.forward(&inputs);
        });
        println!("{batch:>6}  {:>12.0}  {:>12.3}", batch as f64 / seconds, seconds * 1e3);
    }
    let seconds = epoch(&replica, kind.input_width, &pairs, kind.encode);
    println!(
        "\none training epoch of {EPOCH_ROWS} rows, batch {EPOCH_BATCH}: {seconds:.2} s, {:.0} rows/s",
        EPOCH_ROWS as f64 / seconds
    );
    Ok(())
}

fn seconds_per_call(mut call: impl FnMut()) -> f64 {
    for _ in 0..5 {
        call();
    }
    let start = Instant::now();
    let mut calls = 0;
    while start.elapsed() < MEASURED {
        call();
        calls += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(calls)
}

fn epoch(
    replica: &Replica,
    width: usize,
    pairs: &[Pair],
    encode: fn(&Pair) -> crate::encoding::Encoded,
) -> f64 {
    let device = replica.store.device();
    let mut adam = Adam::new(&replica.store, 0.999);
    let start = Instant::now();
    for step in 0..EPOCH_ROWS / EPOCH_BATCH {
        let rows = (0..EPOCH_BATCH).map(|row| &pairs[(step * EPOCH_BATCH + row) % pairs.len()]);
        let inputs: Vec<f32> = rows.flat_map(|pair| encode(pair).values).collect();
        let inputs =
            tch::Tensor::from_slice(&inputs).view([EPOCH_BATCH as i64, width as i64]).to_device(device);
        let logits = replica.network.forward_t(&inputs, true);
        let loss = logits.square().mean(tch::Kind::Float);
        adam.minimise(&loss, 1e-3);
        if step + 1 == EPOCH_ROWS / EPOCH_BATCH {
            // Waits for the device.
            loss.double_value(&[]);
        }
    }
    start.elapsed().as_secs_f64()
}

//! `mirador-train speed`: rows per second of a network on a device, forward by batch size and one training epoch, on
//! made-up rows. Weights do not change speed, so they are random.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use mirador_models::{Options, Replica, find, golden_rows};
use tch::Device;

use crate::learn::optimizer::Optimizer;
use crate::recipe::Stage;

const BATCHES: [usize; 6] = [1, 8, 32, 128, 512, 2048];
const MEASURED: Duration = Duration::from_millis(1500);
const EPOCH_ROWS: usize = 20_000;
const EPOCH_BATCH: usize = 128;

/// Prints the table.
pub(super) fn speed(model: &str, options: &Options, device: Device) -> Result<()> {
    let kind = find(model).with_context(|| format!("no model {model:?}"))?;
    let replica = Replica::new(kind, options, device)?;
    let width = replica.encoder.width;
    let rows = golden_rows(kind.task);
    let of_row: Vec<Vec<f32>> =
        rows.iter().map(|row| replica.encoder.encode(row).values[..width].to_vec()).collect();
    let batch = |rows: usize| of_row.iter().cycle().take(rows).flatten().copied().collect::<Vec<f32>>();
    println!("{model} on {device:?}, {} thread(s) an operation\n", tch::get_num_threads());
    println!("{:>6}  {:>12}  {:>12}", "batch", "rows/s", "ms/batch");
    for rows in BATCHES {
        let inputs = batch(rows);
        let seconds = seconds_per_call(|| {
            replica.forward(&inputs);
        });
        println!("{rows:>6}  {:>12.0}  {:>12.3}", rows as f64 / seconds, seconds * 1e3);
    }
    let seconds = epoch(&replica, &batch(EPOCH_BATCH))?;
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

fn epoch(replica: &Replica, inputs: &[f32]) -> Result<f64> {
    let device = replica.store.device();
    let stage: Stage = serde_json::from_value(
        serde_json::json!({ "epochs": 1, "patience": 0, "batch": EPOCH_BATCH, "learning_rate": 1e-3 }),
    )?;
    let mut optimizer = Optimizer::new(&replica.store, &stage);
    let shape = [EPOCH_BATCH as i64, replica.encoder.width as i64];
    let start = Instant::now();
    for step in 0..EPOCH_ROWS / EPOCH_BATCH {
        let inputs = tch::Tensor::from_slice(inputs).view(shape).to_device(device);
        let loss = replica.network.forward_t(&inputs, true).square().mean(tch::Kind::Float);
        optimizer.minimise(&loss, 1e-3);
        if step + 1 == EPOCH_ROWS / EPOCH_BATCH {
            // Waits for the device.
            loss.double_value(&[]);
        }
    }
    Ok(start.elapsed().as_secs_f64())
}

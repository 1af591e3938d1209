//! `make bench`: what the server adds to the network, what batching gains, how it holds up beside long requests.
//! `make bench-peers`: the same network behind FastAPI and mosec, in the same run. `make soak`: half an hour of a bad day.
//! `make lines`: millions of rows through one connection. `make rolling`: processes behind nginx, restarted under load.
//! `make siege`: all attacks at once.
//!
//! Every server runs as a process of its own on loopback, and the client shares the machine with it: figures are ratios of
//! one run, not promises. Raw results go to `benches/runs/`.

// What a benchmark prints is its result.
#![allow(clippy::print_stdout)]

mod client;
mod defaults;
mod explain;
mod lines;
mod load;
mod made_up;
mod process;
mod resume;
mod rolling;
mod scan;
mod siege;
mod soak;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use axum::{Json, Router, routing::post};
use mirador_models::WeightsDir;
use mirador_models::device::{self, Device};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use load::{Outcome, beside, closed, open};
use process::Server;

const WEIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/weights");
const MEASURED: Duration = Duration::from_secs(6);
const CLIENTS: usize = 32;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["constant", address] => runtime.block_on(constant(address.parse()?)),
        ["peers", python] => runtime.block_on(peers(python.into())),
        ["lines", rows] => runtime.block_on(lines::many(rows.parse()?)),
        ["rolling", requests] => runtime.block_on(rolling::rolling(requests.parse()?, None)),
        ["rolling", requests, engine, image] => {
            runtime.block_on(rolling::rolling(requests.parse()?, Some((engine, image))))
        }
        ["siege", seconds] => runtime.block_on(siege::siege(seconds.parse()?)),
        ["soak", minutes] => runtime.block_on(soak::soak(minutes.parse()?)),
        _ => runtime.block_on(alone()),
    }
}

/// Prints and keeps what was measured.
#[derive(Serialize)]
struct Run {
    what: &'static str,
    cores: usize,
    rows: Vec<(String, Value)>,
}

impl Run {
    fn new(what: &'static str) -> Self {
        println!("{:<58} {:>10} {:>10} {:>9} {:>9}", what, "requests/s", "pairs/s", "p50 ms", "p99 ms");
        Self { what, cores: std::thread::available_parallelism().map_or(1, usize::from), rows: Vec::new() }
    }

    fn add(&mut self, name: &str, outcome: Outcome) -> Outcome {
        let Outcome { requests_per_second, pairs_per_second, p50_ms, p99_ms, .. } = outcome;
        println!(
            "{name:<58} {requests_per_second:>10.0} {pairs_per_second:>10.0} {p50_ms:>9.3} {p99_ms:>9.3}"
        );
        self.rows.push((name.to_owned(), json!(outcome)));
        outcome
    }

    fn note(&mut self, name: &str, value: f64) {
        println!("{name:<58} {value:>10.2}");
        self.rows.push((name.to_owned(), json!(value)));
    }

    /// Keeps what was sampled, without printing it.
    fn series(&mut self, name: &str, values: &[f64]) {
        self.rows.push((name.to_owned(), json!(values)));
    }

    /// `benches/runs/<date and time>-<what>.json`.
    fn keep(&self) -> Result<(), Failure> {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/runs"));
        std::fs::create_dir_all(&folder)?;
        let now = Command::new("date").args(["-u", "+%Y-%m-%dT%H%MZ"]).output()?.stdout;
        let path = folder.join(format!("{}-{}.json", String::from_utf8(now)?.trim(), self.what));
        std::fs::write(&path, serde_json::to_string_pretty(self)? + "\n")?;
        println!("\nraw results: {}", path.display());
        Ok(())
    }
}

async fn alone() -> Result<(), Failure> {
    // Of the networks that are measured here without a server; libtorch takes it once.
    device::set_threads(1);
    let mut run = Run::new("mirador");
    let server = Server::mirador(&[]).await?;
    let address = server.address;
    let idle = run.add("1 client, 1 pair", closed(address, 1, 1, MEASURED).await?);
    let crowd = run.add("32 clients, 1 pair", closed(address, CLIENTS, 1, MEASURED).await?);
    run.add("256 clients, 1 pair", closed(address, 256, 1, MEASURED).await?);
    for share in [0.5, 0.8] {
        let rate = share * crowd.requests_per_second;
        run.add(&format!("open loop at {share} of that, 1 pair"), open(address, rate, MEASURED).await?);
    }
    let long = run.add("1 client, 1000 pairs", closed(address, 1, 1000, MEASURED).await?);
    let beside = run.add("1 client, 1 pair, beside 10000 pairs", beside(address, 10_000, MEASURED).await?);
    defaults::defaults(&mut run, address).await?;
    explain::explain(&mut run, address).await?;
    drop(server);
    let single = {
        let server = Server::mirador(&["--max-batch-size", "1"]).await?;
        run.add("32 clients, 1 pair, --max-batch-size 1", closed(server.address, CLIENTS, 1, MEASURED).await?)
    };
    scan::scan(&mut run)?;
    println!();
    run.note("gained by batching, times", crowd.requests_per_second / single.requests_per_second);
    run.note("p99 beside a long request, times the idle p99", beside.p99_ms / idle.p99_ms);
    let bare = network_alone(&mut run)?;
    run.note("1000 pairs, share of the network alone at its best batch", long.pairs_per_second / bare);
    run.keep()
}

async fn peers(python: PathBuf) -> Result<(), Failure> {
    let mut run = Run::new("peers");
    let long = {
        let server = Server::mirador(&[]).await?;
        run.add("mirador, 1 client, 1000 pairs", closed(server.address, 1, 1000, MEASURED).await?)
    };
    let bare = process::bare_pytorch(&python)?;
    run.note("PyTorch alone at its best batch size, one thread: pairs/s", bare);
    let mut measure = async |name: &str, server: Server| -> Result<[Outcome; 2], Failure> {
        let one = run.add(&format!("{name}, 1 client"), closed(server.address, 1, 1, MEASURED).await?);
        let many = closed(server.address, CLIENTS, 1, MEASURED).await?;
        Ok([one, run.add(&format!("{name}, {CLIENTS} clients"), many)])
    };
    let ours = measure("mirador", Server::mirador(&[]).await?).await?;
    measure("axum and a constant", Server::constant().await?).await?;
    let fastapi = measure("FastAPI", Server::fastapi(&python).await?).await?;
    let mut mosec: Vec<[Outcome; 2]> = Vec::new();
    for (batch, wait) in [(32, 1), (32, 10), (16, 0)] {
        let server = Server::mosec(&python, batch, wait).await?;
        mosec.push(measure(&format!("mosec, batches of {batch}, wait {wait} ms"), server).await?);
    }
    // Each figure against the setting of mosec that is best at it.
    let most = mosec.iter().map(|[_, many]| many.requests_per_second).fold(0.0, f64::max);
    let soonest = mosec.iter().map(|[one, _]| one.p50_ms).fold(f64::INFINITY, f64::min);
    println!();
    run.note(
        "throughput at 32 clients, times FastAPI",
        ours[1].requests_per_second / fastapi[1].requests_per_second,
    );
    run.note("p50 at 1 client, share of FastAPI's", ours[0].p50_ms / fastapi[0].p50_ms);
    run.note("throughput at 32 clients, times mosec", ours[1].requests_per_second / most);
    run.note("p50 at 1 client, share of mosec's", ours[0].p50_ms / soonest);
    run.note("1000 pairs, share of PyTorch alone", long.pairs_per_second / bare);
    run.keep()
}

/// Pairs per second of our DMISO without a server at its best batch size, on this thread.
fn network_alone(run: &mut Run) -> Result<f64, Failure> {
    let folders = WeightsDir::scan(WEIGHTS.as_ref())?;
    let dir = folders.iter().find(|dir| dir.config.model == "dmiso" && dir.config.default_version);
    let replica = dir.ok_or("no dmiso below weights/")?.load(Device::Cpu)?;
    let mut best = 0.0;
    for rows in [1, 32, 128, 512, 2048] {
        let inputs = vec![0.25; rows * replica.encoder.width];
        replica.forward(&inputs);
        let (begun, mut done) = (Instant::now(), 0);
        while begun.elapsed() < Duration::from_secs(2) {
            replica.forward(&inputs);
            done += rows;
        }
        let rate = done as f64 / begun.elapsed().as_secs_f64();
        run.note(&format!("the network alone, one thread, batches of {rows}: pairs/s"), rate);
        best = f64::max(best, rate);
    }
    Ok(best)
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read from JSON, which is what is measured")]
struct Pair {
    mirna: String,
    site: String,
}

#[derive(Deserialize)]
struct Pairs {
    pairs: Vec<Pair>,
}

/// A route that parses the same body and answers a constant.
async fn constant(address: SocketAddr) -> Result<(), Failure> {
    let answer = async |Json(request): Json<Pairs>| {
        let result = json!({"probability": 0.5, "interacts": true, "site_type": "8mer", "warnings": []});
        let results = vec![result; request.pairs.len()];
        Json(json!({"model": {"name": "dmiso", "version": "balanced"}, "results": results}))
    };
    let app = Router::new().route("/v1/target-sites/score", post(answer));
    let listener = tokio::net::TcpListener::bind(address).await?;
    Ok(axum::serve(listener, app).await?)
}

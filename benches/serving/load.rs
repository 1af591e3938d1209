//! Load: closed-loop (each client asks again when it is answered) and open-loop (requests come when they come, and a slow
//! answer does not slow down the next question).

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::client::{Client, request};

const WARM_UP: Duration = Duration::from_secs(1);
/// Connections that an open loop spreads its requests over.
const CONNECTIONS: usize = 64;

/// What was measured.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Outcome {
    pub requests: usize,
    pub requests_per_second: f64,
    pub pairs_per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Outcome {
    fn of(mut times: Vec<Duration>, pairs: usize, measured: Duration) -> Self {
        times.sort_unstable();
        let quantile = |q: f64| {
            let index = (times.len().saturating_sub(1) as f64 * q).round() as usize;
            times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
        };
        let requests_per_second = times.len() as f64 / measured.as_secs_f64();
        Self {
            requests: times.len(),
            requests_per_second,
            pairs_per_second: requests_per_second * pairs as f64,
            p50_ms: quantile(0.50),
            p99_ms: quantile(0.99),
        }
    }
}

/// So many clients, each with one request of so many pairs at a time.
pub(crate) async fn closed(
    address: SocketAddr,
    clients: usize,
    pairs: usize,
    measured: Duration,
) -> io::Result<Outcome> {
    asked(address, clients, (&request(pairs), pairs), measured).await
}

/// The same of any request, of so many rows.
pub(crate) async fn asked(
    address: SocketAddr,
    clients: usize,
    (request, rows): (&[u8], usize),
    measured: Duration,
) -> io::Result<Outcome> {
    let begun = Instant::now();
    let mut running = Vec::new();
    for _ in 0..clients {
        let (mut client, request) = (Client::connect(address).await?, request.to_vec());
        running.push(tokio::spawn(async move {
            let mut times = Vec::new();
            loop {
                let started = Instant::now();
                if started - begun > WARM_UP + measured {
                    return Ok::<_, io::Error>(times);
                }
                client.send(&request).await?;
                if started - begun > WARM_UP {
                    times.push(started.elapsed());
                }
            }
        }));
    }
    let mut times = Vec::new();
    for client in running {
        times.extend(client.await??);
    }
    Ok(Outcome::of(times, rows, measured))
}

/// So many requests of one pair a second, evenly; times count from when a request was due.
pub(crate) async fn open(address: SocketAddr, rate: f64, measured: Duration) -> io::Result<Outcome> {
    let begun = Instant::now();
    let mut running = Vec::new();
    for first in 0..CONNECTIONS {
        let (mut client, request) = (Client::connect(address).await?, request(1));
        running.push(tokio::spawn(async move {
            let mut times = Vec::new();
            for index in (first..).step_by(CONNECTIONS) {
                let due = begun + Duration::from_secs_f64(index as f64 / rate);
                if due - begun > WARM_UP + measured {
                    break;
                }
                tokio::time::sleep_until(due.into()).await;
                client.send(&request).await?;
                if due - begun > WARM_UP {
                    times.push(due.elapsed());
                }
            }
            Ok::<_, io::Error>(times)
        }));
    }
    let mut times = Vec::new();
    for connection in running {
        times.extend(connection.await??);
    }
    Ok(Outcome::of(times, 1, measured))
}

/// One client's pairs while another's requests of `pairs` pairs are always in flight.
pub(crate) async fn beside(address: SocketAddr, pairs: usize, measured: Duration) -> io::Result<Outcome> {
    let long = tokio::spawn(async move {
        let (mut client, request) = (Client::connect(address).await?, request(pairs));
        loop {
            client.send(&request).await?;
        }
        #[expect(unreachable_code, reason = "the loop ends by an error or with its task")]
        Ok::<(), io::Error>(())
    });
    let outcome = closed(address, 1, 1, measured).await;
    long.abort();
    outcome
}

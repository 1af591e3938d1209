//! `make soak`: hours of a bad day. Single pairs come at 80 % of what the server can do; beside them long requests, lines
//! that never end, clients that leave in the middle, send garbage, or stall. Nothing may fail but what was sent to fail,
//! and resident memory has to stay where it was after warm-up.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{Client, SCORE, request};
use super::lines::lines;
use super::load::{closed, open};
use super::process::Server;
use super::{Failure, Run};

const CALIBRATION: Duration = Duration::from_secs(10);
/// Of the capacity; the rest of the 80 % is taken by the long and the strange ones.
const SINGLE_PAIRS: f64 = 0.5;
const SAMPLE: Duration = Duration::from_secs(20);

/// What happened to those beside the single pairs.
#[derive(Default)]
struct Counts {
    long: AtomicUsize,
    lines: AtomicUsize,
    left: AtomicUsize,
    refused: AtomicUsize,
    stalled: AtomicUsize,
}

pub(crate) async fn soak(minutes: u64) -> Result<(), Failure> {
    let mut run = Run::new("soak");
    let server = Server::mirador(&[]).await?;
    let address = server.address;
    let capacity = closed(address, 32, 1, CALIBRATION).await?.requests_per_second;
    run.note("capacity at 32 clients, requests/s", capacity);
    let (lasting, counts) = (Duration::from_secs(60 * minutes), Arc::new(Counts::default()));
    let until = Instant::now() + lasting;
    let mut others = tokio::task::JoinSet::new();
    others.spawn(long(address, until, counts.clone()));
    others.spawn(some_lines(address, until, counts.clone()));
    others.spawn(leaving(address, until, counts.clone()));
    others.spawn(garbage(address, until, counts.clone()));
    others.spawn(stalling(address, until, counts.clone()));
    let single = tokio::spawn(open(address, SINGLE_PAIRS * capacity, lasting));

    let mut resident = Vec::new();
    while Instant::now() < until {
        tokio::time::sleep(SAMPLE).await;
        resident.push(server.resident_kib()? as f64 / 1024.0);
    }
    run.add("single pairs, open loop", single.await??);
    while let Some(other) = others.join_next().await {
        other??;
    }
    let Counts { long, lines, left, refused, stalled } = &*counts;
    let counted = [("long requests", long), ("lines", lines), ("clients who left", left)];
    for (what, count) in
        counted.into_iter().chain([("refused as they should be", refused), ("stalled", stalled)])
    {
        run.note(what, count.load(Ordering::Relaxed) as f64);
    }
    // The first tenth is warm-up.
    let after = &resident[(resident.len() / 10).min(resident.len() - 1)..];
    let (least, most) = after.iter().fold((f64::MAX, 0.0_f64), |(a, b), &mib| (a.min(mib), b.max(mib)));
    run.note("resident memory after warm-up, least MiB", least);
    run.note("resident memory after warm-up, most MiB", most);
    // It follows the bursts; whether it grows is told by what is usual at the beginning and at the end.
    let third = after.len().div_ceil(3);
    let (first, last) = (median(&after[..third]), median(&after[after.len() - third..]));
    run.note("the same, median of the first third, MiB", first);
    run.note("median of the last third over that of the first", last / first);
    run.series("resident memory every 20 s, MiB", &resident);
    run.keep()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// Requests of 2,000 pairs, one after the other, with a rest.
async fn long(address: SocketAddr, until: Instant, counts: Arc<Counts>) -> io::Result<()> {
    let (mut client, request) = (Client::connect(address).await?, request(2000));
    while Instant::now() < until {
        client.send(&request).await?;
        counts.long.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(900)).await;
    }
    Ok(())
}

/// One connection of lines, a hundred at a time.
async fn some_lines(address: SocketAddr, until: Instant, counts: Arc<Counts>) -> io::Result<()> {
    let pace = Duration::from_millis(100);
    let answers = lines(address, usize::MAX, until, pace, &counts.lines).await?;
    if answers == counts.lines.load(Ordering::Relaxed) {
        Ok(())
    } else {
        Err(io::Error::other("lines were lost"))
    }
}

/// Ask for 5,000 pairs and go away.
async fn leaving(address: SocketAddr, until: Instant, counts: Arc<Counts>) -> io::Result<()> {
    let request = request(5000);
    while Instant::now() < until {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&request).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
        drop(stream);
        counts.left.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    Ok(())
}

/// Bodies that are no JSON, sequences that are none, routes that are not there, bytes that are no HTTP.
async fn garbage(address: SocketAddr, until: Instant, counts: Arc<Counts>) -> io::Result<()> {
    let post = |body: &str| {
        format!(
            "POST {SCORE} HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let cases = [
        (post("{"), "400"),
        (post(r#"{"pairs":[{"mirna":"XX","site":"ACGUACGU"}]}"#), "422"),
        ("GET /nowhere HTTP/1.1\r\nhost: b\r\nconnection: close\r\n\r\n".to_owned(), "404"),
        ("\0\0\0\0\r\n\r\n".to_owned(), "400"),
    ];
    while Instant::now() < until {
        for (bytes, status) in &cases {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(bytes.as_bytes()).await?;
            let mut reply = Vec::new();
            stream.read_to_end(&mut reply).await?;
            if reply.get(9..12) != Some(status.as_bytes()) {
                return Err(io::Error::other(format!(
                    "{status} expected: {}",
                    String::from_utf8_lossy(&reply)
                )));
            }
            counts.refused.fetch_add(1, Ordering::Relaxed);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

/// Send half a request and say nothing more for a while.
async fn stalling(address: SocketAddr, until: Instant, counts: Arc<Counts>) -> io::Result<()> {
    let request = request(10);
    while Instant::now() < until {
        let mut stalled = Vec::new();
        for _ in 0..20 {
            let mut stream = TcpStream::connect(address).await?;
            stream.write_all(&request[..request.len() / 2]).await?;
            stalled.push(stream);
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        counts.stalled.fetch_add(stalled.len(), Ordering::Relaxed);
    }
    Ok(())
}

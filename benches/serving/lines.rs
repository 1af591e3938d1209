//! `make lines`: ten million lines through one connection, or as many as ten minutes allow. Resident memory has to stay.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::SCORE;
use super::process::Server;
use super::{Failure, Run};

const LINE: &[u8] = b"{\"mirna\":\"UGAGGUAGUAGGUUGUAUAGUU\",\"site\":\"AACUAUACAACCUACUACCUCA\"}\n";
const CHUNK: usize = 100;
const MOST_TIME: Duration = Duration::from_secs(600);
const SAMPLE: Duration = Duration::from_secs(5);

pub(crate) async fn many(rows: usize) -> Result<(), Failure> {
    let mut run = Run::new("lines");
    let server = Server::mirador(&[]).await?;
    let (begun, sent) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
    let (address, counted) = (server.address, sent.clone());
    let mut upload =
        tokio::spawn(async move { lines(address, rows, begun + MOST_TIME, Duration::ZERO, &counted).await });
    let mut resident = Vec::new();
    let answers = loop {
        match tokio::time::timeout(SAMPLE, &mut upload).await {
            Ok(answers) => break answers??,
            Err(_) => resident.push(server.resident_kib()? as f64 / 1024.0),
        }
    };
    // The first tenth is warm-up.
    let after = &resident[resident.len() / 10..];
    run.note("lines sent", sent.load(Ordering::Relaxed) as f64);
    run.note("lines answered", answers as f64);
    run.note("lines/s", answers as f64 / begun.elapsed().as_secs_f64());
    run.note("resident memory after warm-up, least MiB", after.iter().copied().fold(f64::NAN, f64::min));
    run.note("resident memory after warm-up, most MiB", after.iter().copied().fold(f64::NAN, f64::max));
    run.keep()
}

/// Sends at most so many lines until a time, with a pause after each hundred, and counts them in `sent`; returns how many
/// were answered with a score.
pub(crate) async fn lines(
    address: SocketAddr,
    most: usize,
    until: Instant,
    pause: Duration,
    sent: &AtomicUsize,
) -> io::Result<usize> {
    let (mut reply, mut upload) = TcpStream::connect(address).await?.into_split();
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-ndjson\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
    );
    upload.write_all(head.as_bytes()).await?;
    let reader = tokio::spawn(async move {
        let word = b"\"probability\"";
        let (mut bytes, mut kept, mut answers) = (vec![0; 64 * 1024], 0, 0);
        loop {
            // A word may be cut in two where a read ends: its beginning is kept.
            let filled = match reply.read(&mut bytes[kept..]).await? {
                0 => return Ok::<_, io::Error>(answers),
                read => kept + read,
            };
            answers += bytes[..filled].windows(word.len()).filter(|part| part == word).count();
            kept = filled.min(word.len() - 1);
            bytes.copy_within(filled - kept..filled, 0);
        }
    });
    let hundred = LINE.repeat(CHUNK);
    let chunk = [format!("{:x}\r\n", hundred.len()).as_bytes(), &hundred, b"\r\n"].concat();
    while sent.load(Ordering::Relaxed) < most && Instant::now() < until {
        upload.write_all(&chunk).await?;
        sent.fetch_add(CHUNK, Ordering::Relaxed);
        tokio::time::sleep(pause).await;
    }
    upload.write_all(b"0\r\n\r\n").await?;
    reader.await?
}

//! `make bench`: what the server adds to the network, what batching gains, and what libtorch alone could do.
//!
//! The release server runs as a process of its own on loopback. The client shares the machine with it, so it is kept
//! light: requests are built once, connections stay open, and of a reply only two headers are read.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mirador::models::device::{self, Device};
use mirador::models::{LoadError, WeightsDir};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const BODY: &str = r#"{"pairs":[{"mirna":"UGAGGUAGUAGGUUGUAUAGUU","site":"AACUAUACAACCUACUACCUCA"}]}"#;
const CLIENTS: usize = 32;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(8);

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let weights = std::env::var("MIRADOR_WEIGHTS_DIR").map_or("weights".into(), PathBuf::from);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = Server::start(&weights, &[]).await?;
        lonely_client(&server).await?;
        let batched = crowd(&server).await?;
        drop(server);
        let single = crowd(&Server::start(&weights, &["--max-batch-size", "1"]).await?).await?;
        println!("\n{CLIENTS} clients, one pair per request");
        println!("  batches of up to 512   {batched:8.0} requests/s");
        println!("  --max-batch-size 1     {single:8.0} requests/s");
        println!("  gained by batching     {:8.1} times", batched / single);
        Ok::<(), Failure>(())
    })?;
    bare_libtorch(&weights)?;
    Ok(())
}

struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(weights: &Path, flags: &[&str]) -> Result<Self, Failure> {
        let folder = TempDir::new()?;
        let port_file = folder.path().join("address");
        let mut process = Command::new(env!("CARGO_BIN_EXE_mirador"))
            .args(["serve", "--device", "cpu", "--bind", "127.0.0.1:0", "--weights-dir"])
            .arg(weights)
            .arg("--port-file")
            .arg(&port_file)
            .args(flags)
            .env("RUST_LOG", "error")
            .stdout(Stdio::null())
            .spawn()?;
        let address = loop {
            if let Some(status) = process.try_wait()? {
                return Err(format!("the server did not start: {status}").into());
            }
            if let Ok(address) = std::fs::read_to_string(&port_file).unwrap_or_default().parse() {
                break address;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let mut server = Self { process, address };
        while Client::connect(server.address).await?.score().await.is_err() {
            if let Some(status) = server.process.try_wait()? {
                return Err(format!("the server did not get ready: {status}").into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One open connection.
struct Client {
    stream: TcpStream,
    request: Vec<u8>,
    reply: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "POST /v1/target-sites/score HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{BODY}",
            BODY.len()
        );
        Ok(Self { stream, request: request.into_bytes(), reply: vec![0; 8192] })
    }

    /// Scores one pair; the time that the server's network took.
    async fn score(&mut self) -> io::Result<Duration> {
        self.stream.write_all(&self.request).await?;
        let mut filled = 0;
        loop {
            let read = self.stream.read(&mut self.reply[filled..]).await?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += read;
            let text = std::str::from_utf8(&self.reply[..filled]).unwrap_or_default();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let length = after(head, "content-length: ").and_then(|length| length.parse().ok());
            if length.is_some_and(|length: usize| body.len() < length) {
                continue;
            }
            let forward = after(head, "forward;dur=").and_then(|ms| ms.parse::<f64>().ok());
            return match forward {
                Some(ms) if head.starts_with("HTTP/1.1 200") => Ok(Duration::from_secs_f64(ms / 1e3)),
                _ => Err(io::Error::other(text.to_owned())),
            };
        }
    }
}

/// The rest of the line behind a word.
fn after<'a>(head: &'a str, word: &str) -> Option<&'a str> {
    head.split_once(word)?.1.split("\r\n").next()
}

/// One client, one pair at a time: what the server adds to the forward pass.
async fn lonely_client(server: &Server) -> io::Result<()> {
    let mut client = Client::connect(server.address).await?;
    let (mut whole, mut forward, mut added) = (Vec::new(), Vec::new(), Vec::new());
    let begun = Instant::now();
    while begun.elapsed() < WARM_UP + MEASURED {
        let started = Instant::now();
        let network = client.score().await?;
        let request = started.elapsed();
        if begun.elapsed() > WARM_UP {
            whole.push(request);
            forward.push(network);
            added.push(request.saturating_sub(network));
        }
    }
    println!("one client, one pair per request ({} requests)       p50 ms   p99 ms", whole.len());
    for (name, times) in [("request", whole), ("forward pass", forward), ("added by the server", added)] {
        println!("  {name:<50} {:8.3} {:8.3}", quantile(&times, 0.50), quantile(&times, 0.99));
    }
    Ok(())
}

fn quantile(times: &[Duration], q: f64) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let index = (times.len().saturating_sub(1) as f64 * q).round() as usize;
    times.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// Requests per second of many clients that ask one pair each, again and again.
async fn crowd(server: &Server) -> Result<f64, Failure> {
    let begun = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let mut client = Client::connect(server.address).await?;
        clients.push(tokio::spawn(async move {
            let mut requests = 0_u64;
            while begun.elapsed() < WARM_UP + MEASURED {
                client.score().await?;
                requests += u64::from(begun.elapsed() > WARM_UP);
            }
            Ok::<_, io::Error>(requests)
        }));
    }
    let mut requests = 0;
    for client in clients {
        requests += client.await??;
    }
    Ok(requests as f64 / MEASURED.as_secs_f64())
}

/// Rows per second of the network alone, on this thread.
fn bare_libtorch(weights: &Path) -> Result<(), LoadError> {
    device::set_threads(1);
    println!("\nlibtorch alone, one thread");
    for dir in WeightsDir::scan(weights)?.iter().filter(|dir| dir.config.default) {
        let replica = dir.load(Device::Cpu)?;
        let width = replica.encoder.width;
        for rows in [1, 32, 512] {
            let inputs = vec![0.25; rows * width];
            let mut batches = 0;
            replica.forward(&inputs);
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(2) {
                replica.forward(&inputs);
                batches += rows;
            }
            let rate = batches as f64 / begun.elapsed().as_secs_f64();
            println!("  {}, batch of {rows:<4}         {rate:8.0} rows/s", dir.config.model);
        }
    }
    Ok(())
}

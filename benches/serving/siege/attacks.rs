//! Who attacks, and how. Each goes on until the siege ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::bodies::{self, Packed};
use super::{Failure, Siege};
use crate::client::{Client, SCORE, request};

const LINE: &[u8] = b"{\"mirna\":\"UGAGGUAGUAGGUUGUAUAGUU\",\"site\":\"AACUAUACAACCUACUACCUCA\"}\n";
/// Longer than the server waits for anybody.
const PATIENCE: Duration = Duration::from_secs(40);

/// Large requests of every kind, one after the other.
pub(super) async fn warm_up(address: SocketAddr) -> Result<(), Failure> {
    let mut client = Client::connect(address).await?;
    for rows in [1, 16, 100, 512, 1000, 10_000, 10_000, 10_000] {
        client.send(&request(rows)).await?;
    }
    for packed in bodies::all() {
        post(address, &packed).await;
    }
    Ok(())
}

/// All attackers, at work.
pub(super) fn all(siege: &Arc<Siege>) -> JoinSet<()> {
    let mut attackers = JoinSet::new();
    let bodies = Arc::new(bodies::all());
    // Eight of each at once, as those that once ended the process.
    for index in 0..8 {
        let (siege, bodies) = (siege.clone(), bodies.clone());
        attackers.spawn(async move {
            let mut packed = bodies.iter().cycle().skip(index);
            while siege.goes_on() {
                if let Some(packed) = packed.next() {
                    siege.count(post(siege.address, packed).await);
                }
                sleep(Duration::from_millis(200)).await;
            }
        });
    }
    for _ in 0..24 {
        attackers.spawn(forever(siege.clone(), parked_lines));
        attackers.spawn(forever(siege.clone(), lines_unread));
    }
    for _ in 0..8 {
        attackers.spawn(forever(siege.clone(), lines_read));
        attackers.spawn(forever(siege.clone(), half_body));
        attackers.spawn(forever(siege.clone(), documents_unread));
    }
    for _ in 0..100 {
        attackers.spawn(forever(siege.clone(), half_head));
    }
    for _ in 0..4 {
        attackers.spawn(forever(siege.clone(), leave));
        attackers.spawn(forever(siege.clone(), refused_late));
        attackers.spawn(forever(siege.clone(), slow_model));
        attackers.spawn(forever(siege.clone(), large_unread));
    }
    attackers
}

/// The same again and again; what breaks on the way was ended by the server.
async fn forever<F: Future<Output = io::Result<Option<u16>>>>(
    siege: Arc<Siege>,
    attack: impl Fn(SocketAddr) -> F,
) {
    while siege.goes_on() {
        let status = timeout(PATIENCE, attack(siege.address)).await;
        siege.count(status.ok().and_then(Result::ok).flatten());
        sleep(Duration::from_millis(100)).await;
    }
}

async fn post(address: SocketAddr, Packed { route, content_type, body }: &Packed) -> Option<u16> {
    let head = format!(
        "POST {route} HTTP/1.1\r\nhost: siege\r\nconnection: close\r\ncontent-type: {content_type}\r\n\
         content-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body).await?;
        status(&mut stream).await
    };
    timeout(PATIENCE, asked).await.ok().and_then(Result::ok).flatten()
}

/// The status of a reply that is read to its end.
async fn status(stream: &mut TcpStream) -> io::Result<Option<u16>> {
    let (mut part, mut head) = (vec![0; 64 * 1024], Vec::new());
    while let read @ 1.. = stream.read(&mut part).await? {
        if head.len() < 12 {
            head.extend_from_slice(&part[..read.min(12)]);
        }
    }
    Ok(head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()))
}

fn head(route: &str, content_type: &str, rest: &str) -> String {
    format!("POST {route} HTTP/1.1\r\nhost: siege\r\ncontent-type: {content_type}\r\n{rest}\r\n\r\n")
}

/// HTTP/2 streams of lines whose window never opens.
async fn parked_lines(address: SocketAddr) -> io::Result<Option<u16>> {
    let stream = TcpStream::connect(address).await?;
    let handshake = h2::client::Builder::new().initial_window_size(1).handshake::<_, Bytes>(stream).await;
    let (mut client, connection) = handshake.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let mut held = Vec::new();
    for _ in 0..8 {
        let request = axum::http::Request::post(format!("http://{address}{SCORE}"))
            .header("content-type", "application/x-ndjson");
        let request = request.body(()).map_err(io::Error::other)?;
        let (answer, mut upload) = client.send_request(request, false).map_err(io::Error::other)?;
        upload.send_data(Bytes::from(LINE.repeat(1537)), false).map_err(io::Error::other)?;
        held.push((answer, upload));
    }
    let _ = connection.await;
    Ok(None)
}

/// Lines without end from one who never reads.
async fn lines_unread(address: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    let head = head(SCORE, "application/x-ndjson", "content-length: 1000000000");
    stream.write_all(head.as_bytes()).await?;
    let block = LINE.repeat(1000);
    loop {
        stream.write_all(&block).await?;
    }
}

/// Lines as fast as they are answered.
async fn lines_read(address: SocketAddr) -> io::Result<Option<u16>> {
    let (mut reply, mut upload) = TcpStream::connect(address).await?.into_split();
    let body = LINE.repeat(20_000);
    let head =
        head(SCORE, "application/x-ndjson", &format!("connection: close\r\ncontent-length: {}", body.len()));
    let sending = tokio::spawn(async move {
        upload.write_all(head.as_bytes()).await?;
        upload.write_all(&body).await?;
        Ok::<_, io::Error>(upload)
    });
    let (mut part, mut first) = (vec![0; 64 * 1024], None);
    while let read @ 1.. = reply.read(&mut part).await? {
        first.get_or_insert_with(|| part[..read.min(12)].to_vec());
    }
    let _ = sending.await?;
    Ok(first.and_then(|head| std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()))
}

/// A body of 15 MiB, one byte short.
async fn half_body(address: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    let head = head(SCORE, "application/json", &format!("connection: close\r\ncontent-length: {}", 15 << 20));
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b' '; (15 << 20) - 1]).await?;
    status(&mut stream).await
}

async fn half_head(address: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: siege\r\nx-a").await?;
    status(&mut stream).await
}

/// Sixty times the contract, of which no byte is read.
async fn documents_unread(address: SocketAddr) -> io::Result<Option<u16>> {
    let stream = TcpStream::connect(address).await?;
    let handshake = h2::client::Builder::new().initial_window_size(0).handshake::<_, Bytes>(stream).await;
    let (mut client, connection) = handshake.map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let mut held = Vec::new();
    for _ in 0..60 {
        let request = axum::http::Request::get(format!("http://{address}/openapi.json")).body(());
        held.push(client.send_request(request.map_err(io::Error::other)?, true).map_err(io::Error::other)?);
    }
    let _ = connection.await;
    Ok(None)
}

/// Asks for much and goes.
async fn leave(address: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&request(5000)).await?;
    sleep(Duration::from_millis(20)).await;
    Ok(None)
}

/// Asks for much and reads nothing of it.
async fn large_unread(address: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&request(10_000)).await?;
    sleep(PATIENCE).await;
    Ok(None)
}

/// Eight megabytes to a route that is not there, sent before anything is read.
async fn refused_late(address: SocketAddr) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    let head = head("/v1/nowhere", "text/csv", &format!("connection: close\r\ncontent-length: {}", 8 << 20));
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b'x'; 8 << 20]).await?;
    status(&mut stream).await
}

/// The slowest model, as many rows as a request may have.
async fn slow_model(address: SocketAddr) -> io::Result<Option<u16>> {
    let pair = format!(r#"{{"mirna":"UGAGGUAGUAGGUUGUAUAGUU","site":"{}"}}"#, "ACGUUACGAU".repeat(10));
    for rows in [10_000, 40] {
        let body = format!(r#"{{"model":"deepmirnatar","pairs":[{}]}}"#, vec![pair.as_str(); rows].join(","));
        let mut stream = TcpStream::connect(address).await?;
        let rest = format!("connection: close\r\ncontent-length: {}", body.len());
        stream
            .write_all((head("/v1/target-sites/score", "application/json", &rest) + &body).as_bytes())
            .await?;
        if let Some(status) = status(&mut stream).await?.filter(|status| *status != 413) {
            return Ok(Some(status));
        }
    }
    Ok(None)
}

//! A client as light as can be, since it shares the machine with the server: the request is built once, the connection
//! stays open, and of a reply only its length, its status and its `Server-Timing` are read.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PAIR: &str = r#"{"mirna":"UGAGGUAGUAGGUUGUAUAGUU","site":"AACUAUACAACCUACUACCUCA"}"#;

/// What is asked: the network that the peers have too.
pub(crate) const SCORE: &str = "/v1/target-sites/score?model=dmiso";

/// A request to score `pairs` pairs.
pub(crate) fn request(pairs: usize) -> Vec<u8> {
    post(SCORE, &format!(r#"{{"pairs":[{}]}}"#, vec![PAIR; pairs].join(",")))
}

/// A request with a JSON body.
pub(crate) fn post(route: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {route} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The body of a page.
pub(crate) async fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply.split_once("\r\n\r\n").map_or(String::new(), |(_, body)| body.to_owned()))
}

/// One open connection.
pub(crate) struct Client {
    stream: TcpStream,
    reply: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, reply: vec![0; 64 * 1024] })
    }

    /// Sends a request and reads the whole reply; the time that the server's network took, where it says so.
    pub(crate) async fn send(&mut self, request: &[u8]) -> io::Result<Option<Duration>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head = loop {
            filled += self.read(filled).await?;
            if let Some(end) = find(&self.reply[..filled], b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.reply[..head]).to_ascii_lowercase();
        if !text.starts_with("http/1.1 200") {
            return Err(io::Error::other(text));
        }
        match after(&text, "content-length: ").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => {
                while filled < head + length {
                    filled += self.read(filled).await?;
                }
            }
            None => {
                while !self.reply[..filled].ends_with(b"\r\n0\r\n\r\n") {
                    filled += self.read(filled).await?;
                }
            }
        }
        let forward = after(&text, "forward;dur=").and_then(|ms| ms.parse::<f64>().ok());
        Ok(forward.map(|ms| Duration::from_secs_f64(ms / 1e3)))
    }

    async fn read(&mut self, filled: usize) -> io::Result<usize> {
        if filled == self.reply.len() {
            self.reply.resize(2 * filled, 0);
        }
        match self.stream.read(&mut self.reply[filled..]).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => Ok(read),
        }
    }
}

/// Where a part of some bytes begins.
pub(crate) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// The rest of the line behind a word.
fn after<'a>(head: &'a str, word: &str) -> Option<&'a str> {
    head.split_once(word)?.1.split("\r\n").next()
}

//! A client of lines that goes on where a stream stopped: one that ends with `{"error": "draining", "next_line": n}` is
//! taken up again at line n, by whichever process answers then.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::client::{SCORE, find};

/// Lines between two pauses of the sender.
const BLOCK: usize = 50;

/// What became of an upload.
#[derive(Default)]
pub(crate) struct Resumed {
    /// Lines that were answered, each once and in order.
    pub answered: usize,
    /// How often it was taken up again.
    pub times: usize,
}

/// Sends `total` lines, however many streams it takes; `pause` after each block, and the reader rests as long after each
/// read.
pub(crate) async fn all(address: SocketAddr, total: usize, pause: Duration) -> io::Result<Resumed> {
    let mut resumed = Resumed::default();
    while resumed.answered < total {
        let (reply, upload) = TcpStream::connect(address).await?.into_split();
        let sending = tokio::spawn(send(upload, resumed.answered + 1, total, pause));
        let ended = read(reply, &mut resumed.answered, pause).await;
        sending.abort();
        match ended? {
            None if resumed.answered == total => {}
            None => return Err(io::Error::other("a stream ended without a word")),
            Some(next) if next == resumed.answered + 1 => resumed.times += 1,
            Some(next) => {
                let error =
                    format!("{} lines are answered, and the next is said to be {next}", resumed.answered);
                return Err(io::Error::other(error));
            }
        }
    }
    Ok(resumed)
}

async fn send(mut upload: OwnedWriteHalf, first: usize, total: usize, pause: Duration) -> io::Result<()> {
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-ndjson\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n",
    );
    upload.write_all(head.as_bytes()).await?;
    for block in (first..=total).collect::<Vec<_>>().chunks(BLOCK) {
        let line = |id: &usize| {
            format!(
                "{{\"id\":\"{id}\",\"mirna\":\"UGAGGUAGUAGGUUGUAUAGUU\",\"site\":\"AACUAUACAACCUACUACCUCA\"}}\n"
            )
        };
        let lines: String = block.iter().map(line).collect();
        upload.write_all(format!("{:x}\r\n{lines}\r\n", lines.len()).as_bytes()).await?;
        tokio::time::sleep(pause).await;
    }
    upload.write_all(b"0\r\n\r\n").await?;
    // The connection stays until the reader has all.
    std::future::pending().await
}

/// Counts answers in order; the line to go on at, where the stream says one.
async fn read(mut reply: OwnedReadHalf, answered: &mut usize, pause: Duration) -> io::Result<Option<usize>> {
    let before = *answered;
    let (mut raw, mut text, mut part) = (Vec::new(), Vec::new(), vec![0; 4096]);
    let mut in_body = false;
    loop {
        let read = reply.read(&mut part).await?;
        raw.extend_from_slice(&part[..read]);
        if !in_body && let Some(end) = find(&raw, b"\r\n\r\n") {
            if !raw.starts_with(b"HTTP/1.1 200") {
                return Err(io::Error::other(String::from_utf8_lossy(&raw).into_owned()));
            }
            raw.drain(..end + 4);
            in_body = true;
        }
        let ended = in_body && unchunk(&mut raw, &mut text)?;
        while let Some(end) = find(&text, b"\n") {
            let line: Value = serde_json::from_slice(&text[..end]).map_err(io::Error::other)?;
            text.drain(..=end);
            if let Some(next) = line["next_line"].as_u64() {
                // It counts the lines of this stream.
                return Ok(Some(before + next as usize));
            }
            *answered += 1;
            if line["id"].as_str() != Some(answered.to_string().as_str()) {
                return Err(io::Error::other(format!("line {answered} was answered by {line}")));
            }
        }
        if ended || read == 0 {
            return Ok(None);
        }
        tokio::time::sleep(pause).await;
    }
}

/// Moves what is whole of the chunks in `raw` to `text`; whether the last has come.
fn unchunk(raw: &mut Vec<u8>, text: &mut Vec<u8>) -> io::Result<bool> {
    while let Some(end) = find(raw, b"\r\n") {
        let size = std::str::from_utf8(&raw[..end]).map_err(io::Error::other)?;
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        if size == 0 {
            return Ok(true);
        }
        let start = end + 2;
        if raw.len() < start + size + 2 {
            return Ok(false);
        }
        text.extend_from_slice(&raw[start..start + size]);
        raw.drain(..start + size + 2);
    }
    Ok(false)
}

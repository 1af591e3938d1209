//! Refusals that need no body: clients that write all before they read get the answer nevertheless.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::app::SCORE;
use crate::connections::trickle_on;
use crate::process::{Server, ask};

const BODY: usize = 8 << 20;

/// Writes the head and 8 MiB before it reads a byte.
fn send(server: &Server, line: &str, headers: &str) -> String {
    let head = format!("{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}");
    let mut request = format!("{head}content-length: {BODY}\r\n\r\n").into_bytes();
    request.resize(request.len() + BODY, b'x');
    ask(&server.address, &request)
}

#[track_caller]
fn assert_status(reply: &str, status: u16) {
    assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "expected {status}: {reply:.300}");
}

#[test]
fn reach_clients_that_write_first() {
    let mut server = Server::start(&[]);
    // Whatever comes before the models are there.
    let starting = send(&server, &format!("POST {SCORE}"), "content-type: application/json\r\n");
    assert!(starting.starts_with("HTTP/1.1 503") || starting.starts_with("HTTP/1.1 400"), "{starting:.300}");
    server.until_ready();
    for kind in ["application/json", "text/csv", "text/tab-separated-values", "application/x-ndjson"] {
        let headers = format!("content-type: {kind}\r\n");
        assert_status(&send(&server, &format!("POST {SCORE}/nowhere"), &headers), 404);
        assert_status(&send(&server, &format!("PUT {SCORE}"), &headers), 405);
        let broken = format!("{headers}content-encoding: br\r\n");
        assert_status(&send(&server, &format!("POST {SCORE}"), &broken), 415);
    }
    assert_status(&send(&server, &format!("POST {SCORE}?model=nope"), "content-type: text/csv\r\n"), 404);
    assert_status(&send(&server, &format!("POST {SCORE}"), "content-type: image/png\r\n"), 415);
    assert_status(&send(&server, "POST /v2/models/nope/infer", "content-type: application/json\r\n"), 404);
    // Nor is one lost that needs no refusal.
    assert_status(&send(&server, "GET /health/live", ""), 200);
}

#[test]
fn of_callers_without_a_key_or_too_frequent_ones_do_too() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("keys");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_mirador"))
        .args(["key", "a", "--scopes", "read"])
        .output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&file, lines[4]).unwrap();
    let mut server = Server::start(&["--key-file", file.to_str().unwrap(), "--rate-limit", "2"]);
    server.until_ready();
    assert_status(&send(&server, &format!("POST {SCORE}"), "content-type: text/csv\r\n"), 401);
    let key = format!("x-api-key: {}\r\ncontent-type: text/csv\r\n", lines[1]);
    assert_status(&send(&server, &format!("POST {SCORE}"), &key), 403);
    assert_status(&send(&server, "GET /v1/models", &key), 200);
    assert_status(&send(&server, "GET /v1/models", &key), 429);
}

#[test]
fn do_not_wait_for_what_is_not_sent() {
    let mut server = Server::start(&["--max-body-bytes", "1000000"]);
    server.until_ready();
    let refuse = |headers: &str| {
        let started = Instant::now();
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let head = format!("POST /nowhere HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        assert!(reply.to_ascii_lowercase().contains("connection: close"), "{reply}");
        assert!(reply.starts_with("HTTP/1.1 404"), "{reply}");
        started.elapsed()
    };
    // He waits for leave to send, and gets none.
    assert!(refuse("expect: 100-continue\r\ncontent-length: 500000\r\n") < Duration::from_secs(2));
    // He announces more than anybody would read.
    assert!(refuse("content-length: 9000000000\r\n") < Duration::from_secs(2));
    // He announces what he does not send.
    assert!(refuse("content-length: 500000\r\n") < Duration::from_secs(10));
}

/// Lines may take their time, but not where nobody wants them.
#[test]
fn do_not_wait_for_a_body_that_trickles() {
    let mut server = Server::start(&["--read-timeout-s", "1"]);
    server.until_ready();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = "POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n";
    stream.write_all(format!("{head}content-length: 500000\r\n\r\n").as_bytes()).unwrap();
    let trickling = trickle_on(&stream);
    let mut reply = [0; 12];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"HTTP/1.1 404");
    assert!(!trickling.join().unwrap(), "the connection is closed");
}

/// Its length is not announced, and never comes.
#[test]
fn do_not_read_a_body_without_end() {
    let mut server = Server::start(&["--max-body-bytes", "100000"]);
    server.until_ready();
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let head = "POST /nowhere HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let (mut writer, started) = (stream.try_clone().unwrap(), Instant::now());
    let chunk = [b"1000\r\n".as_slice(), &[b'x'; 0x1000], b"\r\n"].concat();
    thread::spawn(move || {
        while started.elapsed() < Duration::from_secs(10) && writer.write_all(&chunk).is_ok() {
            thread::sleep(Duration::from_millis(2));
        }
    });
    let mut reply = [0; 12];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"HTTP/1.1 404");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Here the answer has begun when the rest of the body comes.
#[test]
fn of_lines_too_many_reach_clients_that_write_first() {
    let mut server = Server::start(&["--max-lines", "10"]);
    server.until_ready();
    let reply = send(&server, &format!("POST {SCORE}"), "content-type: application/x-ndjson\r\n");
    assert_status(&reply, 200);
    let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    let body = "{}\n".repeat(2_000_000);
    let head = format!("{head}content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n", body.len());
    let reply = ask(&server.address, (head + &body).as_bytes());
    assert_status(&reply, 200);
    assert!(reply.contains("too_many_lines"), "{reply:.300}");
}

//! Refusals that need no body: clients that write all before they read get the answer nevertheless.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::app::SCORE;
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

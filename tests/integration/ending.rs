//! The end of the process: what was accepted is answered, nobody holds it up, and its code says how it went.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::app::{MIRNA, SCORE, SITE, pair};
use crate::process::{Server, get, score};
use crate::weights;

fn open(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

/// Rows at work for tens of seconds, if nobody ends it.
fn busy(server: &Server, rows: usize) -> thread::JoinHandle<String> {
    let address = server.address.clone();
    thread::spawn(move || score(&address, rows))
}

fn slow(flags: &[&str]) -> Server {
    let mut server = Server::start(&[&["--max-batch-size", "1"], flags].concat());
    server.until_ready();
    server
}

fn until_work_has_begun(server: &mut Server) {
    server.wait_until(|server| {
        let metrics = get(&server.address, "/metrics");
        let answered = metrics.lines().filter(|line| line.starts_with("mirador_inputs_answered_total"));
        answered.clone().count() > 0 && answered.clone().any(|line| !line.ends_with(" 0"))
    });
}

#[test]
fn is_held_up_by_nobody_who_asks_nothing() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let held = [
        &b""[..],
        b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-a",
        b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n",
    ]
    .map(|bytes| open(&server, bytes));
    thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    server.terminate();
    assert_eq!(server.ended_within(10), Some(0), "{}", server.log());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(held);
}

#[test]
fn waits_a_few_seconds_for_half_a_body() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n");
    let mut half = open(&server, (head + "content-type: application/json\r\n\r\n{").as_bytes());
    thread::sleep(Duration::from_millis(200));
    server.terminate();
    let mut reply = String::new();
    half.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 503") && reply.contains("urn:mirador:problem:draining"), "{reply}");
    assert_eq!(server.ended_within(15), Some(0), "{}", server.log());
}

#[test]
fn is_held_up_by_nobody_who_goes_on_sending_lines() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n");
    let mut stream = open(&server, (head + "content-type: application/x-ndjson\r\n\r\n").as_bytes());
    let mut upload = stream.try_clone().unwrap();
    let line = pair().to_string() + "\n";
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    let sending = thread::spawn(move || {
        while upload.write_all(chunk.as_bytes()).is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    until_work_has_begun(&mut server);
    server.terminate();
    assert_eq!(server.ended_within(15), Some(0), "{}", server.log());
    let mut reply = Vec::new();
    // Its end may be cut off by the lines that nobody read.
    let _ = stream.read_to_end(&mut reply);
    assert!(String::from_utf8(reply).unwrap().contains(r#"{"error":"draining","next_line":"#));
    sending.join().unwrap();
}

#[test]
fn is_held_up_by_no_peer_that_hangs_after_its_answer() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let body = json!({"pairs": vec![pair(); 10_000]}).to_string();
    let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n");
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(3))).unwrap();
    while stream.write_all(request.as_bytes()).is_ok() {}
    server.terminate();
    assert!(server.ended_within(20).is_some(), "by itself");
}

#[test]
fn gives_up_what_the_cap_does_not_allow_and_says_so() {
    let mut server = slow(&["--drain-pause-ms", "0", "--drain-cap-s", "0"]);
    let callers = [busy(&server, 400), busy(&server, 400)];
    until_work_has_begun(&mut server);
    server.terminate();
    assert_eq!(server.ended_within(15), Some(3), "{}", server.log());
    for caller in callers {
        let reply = caller.join().unwrap();
        assert!(
            reply.starts_with("HTTP/1.1 503") && reply.contains("urn:mirador:problem:draining"),
            "{reply:.300}"
        );
    }
}

#[test]
fn comes_at_once_with_a_second_signal() {
    for (second, work, code) in [("-TERM", true, 3), ("-INT", false, 0)] {
        let mut server = slow(&["--drain-pause-ms", "20000"]);
        let caller = work.then(|| busy(&server, 10_000));
        if work {
            until_work_has_begun(&mut server);
        }
        server.terminate();
        server.wait_until(|server| server.log().contains("draining"));
        server.signal(second);
        assert_eq!(server.ended_within(10), Some(code), "{}", server.log());
        drop(caller);
    }
}

#[test]
fn does_not_tear_anything_down_under_a_loader() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let config = root.path().join("dmiso/balanced/config.json");
    for round in 0..10 {
        let mut server = Server::serving(root.path(), &["--drain-pause-ms", "0"]);
        server.until_ready();
        let text = fs::read_to_string(&config).unwrap();
        let threshold = [("0.5", "0.6"), ("0.6", "0.5")][round % 2];
        fs::write(&config, text.replace(threshold.0, threshold.1)).unwrap();
        server.signal("-HUP");
        thread::sleep(Duration::from_millis(20 * round as u64));
        server.terminate();
        assert_eq!(server.ended_within(20), Some(0), "round {round}: {}", server.log());
    }
}

/// A weights folder whose card is never read to its end.
fn hanging() -> TempDir {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    hang(&root, "CARD.md");
    root
}

fn hang(root: &TempDir, file: &str) {
    let path = root.path().join("dmiso/balanced").join(file);
    let _ = fs::remove_file(&path);
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
}

#[test]
fn is_held_up_by_no_loader_that_hangs() {
    let root = hanging();
    let mut server = Server::serving(root.path(), &["--drain-cap-s", "2"]);
    server.wait_until(|server| get(&server.address, "/health/live").starts_with("HTTP/1.1 200"));
    server.terminate();
    assert_eq!(server.ended_within(10), Some(0), "{}", server.log());
}

#[test]
fn a_reload_that_hangs_leaves_keys_alone() {
    let (root, folder) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    weights::write(root.path(), "balanced", true);
    let file = folder.path().join("keys");
    let make = || {
        let output = Command::new(env!("CARGO_BIN_EXE_mirador")).args(["key", "a"]).output().unwrap();
        let lines: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        (lines[1].clone(), lines[4].clone())
    };
    let ((first, line), (second, next)) = (make(), make());
    fs::write(&file, line).unwrap();
    let mut server = Server::serving(root.path(), &["--key-file", file.to_str().unwrap()]);
    server.until_ready();
    let knows = |server: &Server, key: &str| {
        let request =
            format!("GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n");
        crate::process::ask(&server.address, request.as_bytes()).starts_with("HTTP/1.1 200")
    };
    hang(&root, "CARD.md");
    server.signal("-HUP");
    server.wait_until(|server| server.log().matches("1 keys").count() == 2);
    fs::write(&file, next).unwrap();
    server.signal("-HUP");
    server.wait_until(|server| knows(server, &second));
    assert!(!knows(&server, &first), "a key that was removed");
    // Nor is a file of keys waited for.
    fs::remove_file(&file).unwrap();
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    server.signal("-HUP");
    assert!(knows(&server, &second));
    server.terminate();
    assert_eq!(server.ended_within(10), Some(0), "{}", server.log());
}

#[test]
fn sighup_while_starting_does_not_load_twice_at_once() {
    let root = hanging();
    let mut server = Server::serving(root.path(), &[]);
    server.wait_until(|server| get(&server.address, "/health/live").starts_with("HTTP/1.1 200"));
    let loaders = |server: &Server| {
        let tasks = fs::read_dir(format!("/proc/{}/task", server.process.id())).unwrap();
        let names =
            tasks.map(|task| fs::read_to_string(task.unwrap().path().join("comm")).unwrap_or_default());
        names.filter(|name| name.trim() == "loader").count()
    };
    for _ in 0..3 {
        server.signal("-HUP");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(loaders(&server), 1);
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    let mut server = Server::started(weights::root(), &["--drain-pause-ms", "0"], |command| {
        command.stderr(Stdio::piped()).env("RUST_LOG", "trace");
    });
    server.until_ready();
    // Far more than a pipe and our own buffer hold.
    let started = Instant::now();
    while !get(&server.address, "/metrics")
        .lines()
        .any(|line| line.starts_with("mirador_log_lines_lost_total ") && !line.ends_with(" 0"))
    {
        assert!(started.elapsed() < Duration::from_secs(50), "nothing was lost");
    }
    assert!(score(&server.address, 1).starts_with("HTTP/1.1 200"));
    server.terminate();
    assert_eq!(server.ended_within(15), Some(0));
}

/// A reply is sent when its caller has it, not when it lies in a buffer.
#[test]
fn waits_for_a_reply_that_is_still_being_taken() {
    let mut server = Server::start(&["--drain-pause-ms", "0"]);
    server.until_ready();
    let long = |id: usize| json!({"id": format!("{id:0>200}"), "mirna": MIRNA, "site": SITE});
    let body = json!({"pairs": (0..1200).map(long).collect::<Vec<_>>()}).to_string();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.address.parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
    );
    stream.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let (mut reply, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part).unwrap();
        if reply.is_empty() {
            server.terminate();
        }
        reply.extend_from_slice(&part[..read]);
        if read == 0 {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    let text = String::from_utf8_lossy(&reply);
    assert!(text.contains(&format!("{:0>200}", 1199)), "{} bytes", reply.len());
    assert_eq!(server.ended_within(20), Some(0), "{}", server.log());
}

/// It lies on a disk that is gone, or is a pipe.
#[test]
fn waits_for_no_file_that_hangs() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
    let mut server = Server::start(&["--key-file", file.to_str().unwrap()]);
    assert_eq!(server.ended_within(20), Some(1));
    assert!(server.log().contains("the keys could not be read within 10s"), "{}", server.log());
}

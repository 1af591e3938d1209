//! The program as its users start and stop it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::app::{SCORE, pair};
use crate::weights;

pub(crate) struct Server {
    pub process: Child,
    pub address: String,
    /// Of health and metrics, with `--ops-bind`.
    pub ops: String,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::serving(weights::root(), flags)
    }

    pub(crate) fn serving(weights: &Path, flags: &[&str]) -> Self {
        Self::started(weights, flags, |_| {})
    }

    /// With something changed in how it is started.
    pub(crate) fn started(weights: &Path, flags: &[&str], change: impl FnOnce(&mut Command)) -> Self {
        let folder = TempDir::new().unwrap();
        let port_file = folder.path().join("address");
        let mut command = serve(weights, &port_file);
        command.args(flags).stderr(fs::File::create(folder.path().join("log")).unwrap());
        change(&mut command);
        let process = command.spawn().unwrap();
        let mut server = Self { process, address: String::new(), ops: String::new(), folder };
        server.wait_until(|server| {
            let addresses = fs::read_to_string(&port_file).unwrap_or_default();
            let (main, ops) = addresses.split_once('\n').unwrap_or((&addresses, ""));
            (server.address, server.ops) = (main.to_owned(), ops.to_owned());
            server.address.contains(':')
        });
        server
    }

    pub(crate) fn until_ready(&mut self) {
        self.wait_until(|server| get(&server.address, "/health/ready").starts_with("HTTP/1.1 200"));
    }

    pub(crate) fn wait_until(&mut self, mut condition: impl FnMut(&mut Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain");
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Its exit code, once it has ended; `None` when a signal ended it.
    pub(crate) fn ended_within(&mut self, seconds: u64) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < Duration::from_secs(seconds), "still there after {seconds} s");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn serve(weights: &Path, port_file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    command.env("MIRADOR_BIND", "127.0.0.1:0").args(["serve", "--device", "cpu", "--workers", "1"]);
    command.arg("--weights-dir").arg(weights).arg("--port-file").arg(port_file);
    command.stderr(Stdio::null());
    command
}

/// Sends one request on a connection of its own and reads the whole reply; empty where nobody answers.
pub(crate) fn ask(address: &str, request: &[u8]) -> String {
    let mut reply = String::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return reply };
    if stream.write_all(request).is_ok() {
        let _ = stream.read_to_string(&mut reply);
    }
    reply
}

pub(crate) fn get(address: &str, path: &str) -> String {
    ask(address, format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes())
}

pub(crate) fn score(address: &str, rows: usize) -> String {
    let body = json!({"pairs": vec![pair(); rows]}).to_string();
    let head =
        format!("POST {SCORE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json");
    ask(address, format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

#[test]
fn a_rolling_update_drops_no_request() {
    let mut server = Server::start(&["--drain-pause-ms", "300"]);
    server.until_ready();
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let address = server.address.clone();
            thread::spawn(move || score(&address, 5000))
        })
        .collect();
    thread::sleep(Duration::from_millis(50));
    server.terminate();
    server.wait_until(|server| get(&server.address, "/health/ready").starts_with("HTTP/1.1 503"));
    assert!(score(&server.address, 1).starts_with("HTTP/1.1 200"), "callers are taken during the pause");
    for caller in callers {
        let reply = caller.join().unwrap();
        assert!(reply.starts_with("HTTP/1.1 200"), "{:.200}", reply);
        assert_eq!(reply.matches("\"probability\"").count(), 5000);
    }
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
}

#[test]
fn memory_does_not_grow() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let load = |rounds: usize| {
        for round in 0..rounds {
            assert!(score(&server.address, 1 + round * 37 % 900).starts_with("HTTP/1.1 200"));
        }
    };
    load(100);
    let before = resident();
    load(300);
    // Without few batch sizes it grows by twice as much, and goes on. What is freed is given back little by little, as
    // memory is asked for: a busy machine has not seen all of it yet.
    let mut grown = u64::MAX;
    for _ in 0..50 {
        grown = grown.min(resident().saturating_sub(before));
        if grown < 40 * 1024 {
            return;
        }
        load(1);
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{grown} KiB more after 300 requests of many sizes");
}

#[test]
fn a_caller_over_the_limit_reads_why() {
    let mut server = Server::start(&[]);
    let head =
        format!("POST {SCORE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json");
    let mut request = format!("{head}\r\ncontent-length: {}\r\n\r\n", 17 << 20).into_bytes();
    request.resize(request.len() + (17 << 20), b' ');
    server.until_ready();
    assert!(ask(&server.address, &request).starts_with("HTTP/1.1 413"));
}

pub(crate) fn refuse(command: &mut Command) -> String {
    let Output { status, stderr, .. } =
        command.stderr(Stdio::piped()).stdout(Stdio::null()).output().unwrap();
    assert_eq!(status.code(), Some(1));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn what_cannot_start_says_why_and_exits_with_1() {
    let folder = TempDir::new().unwrap();
    let (port_file, root) = (folder.path().join("address"), folder.path().join("weights"));
    weights::write(&root, "balanced", true);

    let message = refuse(serve(&root, &port_file).args(["--bind", "127.0.0.1:99999"]));
    assert!(message.contains("cannot listen on 127.0.0.1:99999"), "{message}");
    let message = refuse(serve(&root, &port_file).args(["--queue-capacity", "9"]));
    assert!(message.contains("--queue-capacity 9 is less than --max-rows 10000"), "{message}");
    let message = refuse(serve(&root, &port_file).args(["--max-body-bytes", "100000000"]));
    assert!(
        message.contains("--max-bodies-bytes 134217728 is too little for --max-body-bytes 100000000"),
        "{message}"
    );

    let message = refuse(serve(&root, &port_file).args(["--max-rows", "many"]));
    assert!(message.contains("invalid value 'many' for '--max-rows"), "{message}");

    let golden = root.join("dmiso/balanced/golden.json");
    let mut text: serde_json::Value = serde_json::from_str(&fs::read_to_string(&golden).unwrap()).unwrap();
    text["cases"][0]["output"] = json!(9.0);
    fs::write(&golden, text.to_string()).unwrap();
    let message = refuse(&mut serve(&root, &port_file));
    assert!(message.contains("golden case 0: output"), "{message}");
    let mut check = Command::new(env!("CARGO_BIN_EXE_mirador"));
    let message = refuse(check.args(["check", "--device", "cpu", "--weights-dir"]).arg(&root));
    assert!(message.contains("1 weights folder(s) cannot be served"), "{message}");

    let message = refuse(&mut serve(&root.join("nowhere"), &port_file));
    assert!(message.contains("nowhere"), "{message}");
}

/// On busy cores libtorch's threads wait for each other longer than one computes.
#[test]
fn check_computes_on_one_thread() {
    let mut check = Command::new(env!("CARGO_BIN_EXE_mirador"));
    check.args(["check", "--device", "cpu", "--weights-dir"]).arg(weights::root()).stdout(Stdio::null());
    let (mut check, mut most) = (check.spawn().unwrap(), 0);
    while check.try_wait().unwrap().is_none() {
        let threads = fs::read_dir(format!("/proc/{}/task", check.id()));
        most = most.max(threads.map_or(0, Iterator::count));
    }
    assert!(check.wait().unwrap().success());
    assert!(most <= 2, "{most} threads: its own, and the log's");
}

#[test]
fn health_and_metrics_may_have_an_address_of_their_own() {
    let mut server = Server::start(&["--ops-bind", "127.0.0.1:0"]);
    server.until_ready();
    assert!(get(&server.ops, "/health/ready").starts_with("HTTP/1.1 200"));
    assert!(get(&server.ops, "/metrics").contains("mirador_inputs_in_flight"));
    assert!(get(&server.ops, "/v1/models").starts_with("HTTP/1.1 404"));
}

#[test]
fn sighup_serves_new_weights_and_keeps_the_old_when_the_new_are_broken() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let mut server = Server::serving(root.path(), &[]);
    server.until_ready();
    let versions = |server: &Server| get(&server.address, "/v1/models").matches("\"version\"").count();
    assert_eq!(versions(&server), 1);

    // Rows are scored all the while: none may fail.
    let (address, stop) = (server.address.clone(), Arc::new(AtomicBool::new(false)));
    let stopped = stop.clone();
    let caller = thread::spawn(move || {
        let mut answered = 0;
        while !stopped.load(Ordering::Relaxed) {
            let reply = score(&address, 200);
            assert!(reply.starts_with("HTTP/1.1 200"), "{reply:.200}");
            answered += 1;
        }
        answered
    });
    weights::write(root.path(), "paper", false);
    server.signal("-HUP");
    server.wait_until(|server| versions(server) == 2);

    let broken = root.path().join("dmiso/paper/model.safetensors");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    weights::write(root.path(), "third", false);
    // The settings of `paper` change, so that it has to be loaded anew.
    let config = root.path().join("dmiso/paper/config.json");
    let text = fs::read_to_string(&config).unwrap().replace("0.5", "0.6");
    fs::write(&config, text).unwrap();
    server.signal("-HUP");
    server.wait_until(|server| versions(server) == 3);
    let threshold = |server: &Server| {
        let card = get(&server.address, "/v1/models/dmiso@paper");
        card.split_once("\"decision_threshold\":").unwrap().1[..3].to_owned()
    };
    assert_eq!(threshold(&server), "0.5", "what cannot be used leaves the old where it was");
    assert!(get(&server.address, "/health/ready").starts_with("HTTP/1.1 200"));

    fs::write(&broken, whole).unwrap();
    server.signal("-HUP");
    server.wait_until(|server| threshold(server) == "0.6");
    stop.store(true, Ordering::Relaxed);
    assert!(caller.join().unwrap() > 0);
}

#[test]
fn a_key_is_rotated_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("keys");
    let make = |name: &str| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_mirador")).args(["key", name, "--scopes", "read"]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        (lines[1].clone(), lines[4].clone())
    };
    let ((old, line), (new, next)) = (make("lims"), make("lims"));
    fs::write(&file, line).unwrap();
    let mut server = Server::start(&["--key-file", file.to_str().unwrap()]);
    server.until_ready();
    let status = |server: &Server, key: &str| {
        let request =
            format!("GET /v1/models HTTP/1.1\r\nhost: test\r\nconnection: close\r\nx-api-key: {key}\r\n\r\n");
        ask(&server.address, request.as_bytes()).get(9..12).unwrap_or_default().to_owned()
    };
    assert_eq!((status(&server, &old), status(&server, &new)), ("200".into(), "401".into()));
    fs::write(&file, "no key").unwrap();
    server.signal("-HUP");
    thread::sleep(Duration::from_millis(300));
    assert_eq!(status(&server, &old), "200", "a broken file changes nothing");
    fs::write(&file, next).unwrap();
    server.signal("-HUP");
    server.wait_until(|server| status(server, &new) == "200");
    assert_eq!(status(&server, &old), "401");
}

#[tokio::test]
async fn https_speaks_http_2_and_1() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    let folder = TempDir::new().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let flags = ["--tls-cert", chain.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let server = Server::start(&flags);

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    for (protocol, greeting) in [(&b"http/1.1"[..], &b"HTTP/1.1 200 OK"[..]), (b"h2", b"\0\0")] {
        let mut config = ClientConfig::builder().with_root_certificates(roots.clone()).with_no_client_auth();
        config.alpn_protocols = vec![protocol.to_vec()];
        let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(config));
        let mut stream = connector.connect("localhost".try_into().unwrap(), stream).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
        let request: &[u8] = match protocol {
            b"h2" => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
            _ => b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n",
        };
        stream.write_all(request).await.unwrap();
        let mut reply = vec![0; greeting.len()];
        stream.read_exact(&mut reply).await.unwrap();
        assert_eq!(reply, greeting);
    }
    // Who speaks no TLS is not answered, and keeps nobody else from it.
    assert!(!get(&server.address, "/health/live").contains("200"));
}

#[test]
fn spans_of_requests_reach_the_collector_under_the_callers_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let (send, sent) = mpsc::channel();
    thread::spawn(move || {
        for stream in collector.incoming() {
            let (mut stream, mut bytes, mut part) = (stream.unwrap(), Vec::new(), [0; 4096]);
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            while let Ok(read @ 1..) = stream.read(&mut part) {
                bytes.extend_from_slice(&part[..read]);
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            let _ = send.send(bytes);
        }
    });
    let mut server = Server::start(&["--otlp-endpoint", &endpoint]);
    server.until_ready();
    let body = json!({"pairs": [pair()]}).to_string();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let head =
        format!("POST {SCORE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json");
    let head =
        format!("{head}\r\ntraceparent: 00-{trace}-b7ad6b7169203331-01\r\ncontent-length: {}", body.len());
    assert!(ask(&server.address, format!("{head}\r\n\r\n{body}").as_bytes()).starts_with("HTTP/1.1 200"));
    server.terminate();
    assert_eq!(server.process.wait().unwrap().code(), Some(0));
    let id: Vec<u8> = (0..16).map(|at| u8::from_str_radix(&trace[2 * at..2 * at + 2], 16).unwrap()).collect();
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Ok(bytes) = sent.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        if holds(&bytes, &id) && holds(&bytes, b"predict") && holds(&bytes, b"/v1/traces") {
            return;
        }
    }
    panic!("no span of the request came");
}

//! The program as its users start and stop it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use crate::app::{SCORE, pair};
use crate::weights;

struct Server {
    process: Child,
    address: String,
    _folder: TempDir,
}

impl Server {
    fn start(flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let port_file = folder.path().join("address");
        let process = serve(weights::root(), &port_file).args(flags).spawn().unwrap();
        let mut server = Self { process, address: String::new(), _folder: folder };
        server.wait_until(|server| {
            server.address = fs::read_to_string(&port_file).unwrap_or_default();
            server.address.contains(':')
        });
        server
    }

    fn wait_until(&mut self, mut condition: impl FnMut(&mut Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            assert!(started.elapsed() < Duration::from_secs(60), "waited in vain");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn terminate(&self) {
        assert!(Command::new("kill").arg(self.process.id().to_string()).status().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve(weights: &Path, port_file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    command.env("MIRADOR_BIND", "127.0.0.1:0").args(["serve", "--device", "cpu", "--workers", "1"]);
    command.arg("--weights-dir").arg(weights).arg("--port-file").arg(port_file);
    command.stderr(Stdio::null());
    command
}

/// Sends one request on a connection of its own and reads the whole reply; empty where nobody answers.
fn ask(address: &str, request: &[u8]) -> String {
    let mut reply = String::new();
    let Ok(mut stream) = TcpStream::connect(address) else { return reply };
    if stream.write_all(request).is_ok() {
        let _ = stream.read_to_string(&mut reply);
    }
    reply
}

fn get(address: &str, path: &str) -> String {
    ask(address, format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").as_bytes())
}

fn score(address: &str, rows: usize) -> String {
    let body = json!({"pairs": vec![pair(); rows]}).to_string();
    let head =
        format!("POST {SCORE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json");
    ask(address, format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

#[test]
fn sigterm_finishes_what_was_accepted() {
    let mut server = Server::start(&["--drain-pause-ms", "300"]);
    server.wait_until(|server| get(&server.address, "/health/ready").starts_with("HTTP/1.1 200"));
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
fn a_caller_over_the_limit_reads_why() {
    let mut server = Server::start(&[]);
    let head =
        format!("POST {SCORE} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json");
    let mut request = format!("{head}\r\ncontent-length: {}\r\n\r\n", 17 << 20).into_bytes();
    request.resize(request.len() + (17 << 20), b' ');
    server.wait_until(|server| get(&server.address, "/health/ready").starts_with("HTTP/1.1 200"));
    assert!(ask(&server.address, &request).starts_with("HTTP/1.1 413"));
}

fn refuse(command: &mut Command) -> String {
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

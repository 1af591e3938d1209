//! Jobs of the program itself: killed at any moment, drained, told about.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mirador_models::networks::dmiso::MODEL as DMISO;
use ring::hmac;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::app::{MIRNA, SITE, pair};
use crate::jobs::{JOBS, lines};
use crate::process::{Server, ask};
use crate::weights;

fn start(jobs: &Path, flags: &[&str]) -> Server {
    let mut server = Server::start(&[&["--jobs-dir", jobs.to_str().unwrap()], flags].concat());
    server.until_ready();
    server
}

/// A request on a connection of its own: the head of the reply, and its body.
fn send(server: &Server, request: &str, body: &str) -> (String, String) {
    let kind = if body.starts_with(r#"{"mirnas":"#) { "json" } else { "x-ndjson" };
    let head =
        format!("{request} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/{kind}");
    let reply =
        ask(&server.address, format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no reply: {reply}"));
    (head.to_owned(), body.to_owned())
}

fn submit(server: &Server, url: &str, body: &str) -> String {
    let (head, body) = send(server, &format!("POST {url}"), body);
    assert!(head.starts_with("HTTP/1.1 202"), "{head} {body}");
    let job: Value = serde_json::from_str(&body).unwrap();
    format!("/v1/jobs/{}", job["id"].as_str().unwrap())
}

fn job(server: &Server, place: &str) -> Value {
    serde_json::from_str(&send(server, &format!("GET {place}"), "").1).unwrap()
}

fn wait_for(server: &Server, place: &str, mut condition: impl FnMut(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let job = job(server, place);
        if condition(&job) {
            return job;
        }
        assert!(begun.elapsed() < Duration::from_secs(300), "waited in vain: {job}\n{}", server.log());
        thread::sleep(Duration::from_millis(5));
    }
}

fn ended(job: &Value) -> bool {
    job["ended"].is_string()
}

/// Rows that say their places; every hundredth is wrong, and some lines are blank.
fn rows(count: usize) -> String {
    let row = |place: usize| {
        let site = if place % 100 == 7 { "X" } else { SITE };
        let blank = if place.is_multiple_of(50) { "\n" } else { "" };
        format!("{blank}{}\n", json!({"id": place.to_string(), "mirna": MIRNA, "site": site}))
    };
    (0..count).map(row).collect()
}

/// Every row once, in order, and each bad one by its line.
fn assert_whole(server: &Server, place: &str, count: usize) {
    let job = wait_for(server, place, ended);
    assert_eq!(job["state"], "COMPLETE", "{job}");
    assert_eq!(job["rows"], json!({"read": count, "done": count, "failed": count / 100}));
    let (_, text) = send(server, &format!("GET {place}/results"), "");
    let found = lines(&text);
    assert_eq!(found.len(), count);
    for (place, row) in found.iter().enumerate() {
        assert_eq!(row["id"], place.to_string());
        let expected = if place % 100 == 7 { json!(place + place / 50 + 2) } else { Value::Null };
        assert_eq!(row["line"], expected, "{row}");
    }
}

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// `make kills` does it more often, on a longer job.
#[test]
fn a_job_outlasts_kills_at_any_moment() {
    let (rows_of_job, kills) = (number("MIRADOR_TEST_ROWS", 6_000), number("MIRADOR_TEST_KILLS", 2));
    let folder = TempDir::new().unwrap();
    let mut server = start(folder.path(), &[]);
    let place = submit(&server, JOBS, &rows(rows_of_job));
    let mut done = 0;
    for kill in 0..kills {
        // Somewhere in the next part of it.
        let goal = (rows_of_job * kill / (kills + 1)) as u64;
        wait_for(&server, &place, |job| ended(job) || job["rows"]["done"].as_u64().unwrap() >= goal);
        thread::sleep(Duration::from_millis(rand::random_range(0..300)));
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        server = start(folder.path(), &[]);
        let now = job(&server, &place)["rows"]["done"].as_u64().unwrap();
        assert!(now >= done, "what was done stays done: {done}, then {now}");
        eprintln!("killed with {now} of {rows_of_job} rows done");
        done = now;
    }
    assert_whole(&server, &place, rows_of_job);
}

/// Its rows are each miRNA on each transcript, and have no place in a file to go on at.
#[test]
fn a_scan_outlasts_a_kill() {
    let sequence = |length: usize| -> String {
        (0..length).map(|_| ['A', 'C', 'G', 'U'][rand::random_range(0..4)]).collect()
    };
    let list = |count: usize, length: usize| -> Vec<Value> {
        (0..count).map(|id| json!({"id": id.to_string(), "sequence": sequence(length)})).collect()
    };
    // In this order, as `send` knows a scan.
    let (mirnas, transcripts) = (json!(list(20, 22)), json!(list(200, 2000)));
    // A model that the body names is heard once, not against the one that the job was begun with.
    let body = format!(r#"{{"mirnas":{mirnas},"transcripts":{transcripts},"model":"pairmap"}}"#);
    let (folder, url) = (TempDir::new().unwrap(), "/v1/jobs?operation=target-sites/scan&seedless=true");
    let start = || {
        let mut server =
            Server::serving(weights::scanning(), &["--jobs-dir", folder.path().to_str().unwrap()]);
        server.until_ready();
        server
    };
    let mut server = start();
    let place = submit(&server, url, &body);
    wait_for(&server, &place, |job| job["rows"]["done"].as_u64().unwrap() > 0);
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    let server = start();
    let before = job(&server, &place)["rows"]["done"].as_u64().unwrap();
    let whole = submit(&server, url, &body);
    for place in [&place, &whole] {
        let job = wait_for(&server, place, ended);
        assert_eq!(job["state"], "COMPLETE", "{job}");
        assert_eq!(job["rows"], json!({"read": 4000, "done": 4000, "failed": 0}));
    }
    eprintln!("killed with {before} of 4000 done");
    let results = |place: &str| send(&server, &format!("GET {place}/results"), "").1;
    assert!(results(&place) == results(&whole), "the same sites, each once, in the same order");
}

#[test]
fn a_drain_lets_a_job_go_on_later() {
    let folder = TempDir::new().unwrap();
    let mut server = start(folder.path(), &["--drain-pause-ms", "0"]);
    let place = submit(&server, JOBS, &rows(20_000));
    wait_for(&server, &place, |job| job["rows"]["done"].as_u64().unwrap() > 0);
    server.terminate();
    assert_eq!(server.ended_within(30), Some(0), "{}", server.log());
    let server = start(folder.path(), &[]);
    assert_whole(&server, &place, 20_000);
    let audit = fs::read_to_string(folder.path().join("audit.ndjson")).unwrap();
    let started = lines(&audit).iter().filter(|line| line["event"] == "started").count();
    assert!(started <= 2, "{audit}");
}

/// Weights that are others by the time that a job goes on: its rows are not answered by two networks.
#[test]
fn a_job_is_not_finished_by_other_weights() {
    let (folder, root) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    weights::write_model(&DMISO, root.path(), "balanced", true);
    let flags = ["--jobs-dir", folder.path().to_str().unwrap(), "--drain-pause-ms", "0"];
    let mut server = Server::serving(root.path(), &flags);
    server.until_ready();
    let place = submit(&server, JOBS, &rows(20_000));
    wait_for(&server, &place, |job| job["rows"]["done"].as_u64().unwrap() > 0);
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    // The weights of another version under the name of this one.
    let (own, other) = (root.path().join("dmiso/balanced"), root.path().join("dmiso/other one"));
    weights::write_model(&DMISO, root.path(), "other one", false);
    let config = fs::read_to_string(other.join("config.json")).unwrap();
    fs::write(
        other.join("config.json"),
        config.replace("other one", "balanced").replace(": false", ": true"),
    )
    .unwrap();
    fs::remove_dir_all(&own).unwrap();
    fs::rename(other, own).unwrap();
    let mut server = Server::serving(root.path(), &flags);
    server.until_ready();
    let job = wait_for(&server, &place, ended);
    assert_eq!(job["state"], "SYSTEM_ERROR", "{job}");
    assert!(job["problem"]["detail"].as_str().unwrap().contains("weights"), "{job}");
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A receiver of callbacks on this machine: what it was sent, head and body, one answer after the other.
struct Receiver {
    port: u16,
    folder: TempDir,
    sent: mpsc::Receiver<String>,
}

impl Receiver {
    fn start(answers: Vec<String>) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, config) = (listener.local_addr().unwrap().port(), Arc::new(config));
        let (tell, sent) = mpsc::channel();
        thread::spawn(move || {
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                let mut stream =
                    StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
                let mut text = Vec::new();
                let mut part = [0; 4096];
                while let Ok(length @ 1..) = stream.read(&mut part) {
                    text.extend_from_slice(&part[..length]);
                    if text.ends_with(b"}") {
                        break;
                    }
                }
                let Some(answer) = answers.next() else { return };
                let head = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
                if tell.send(String::from_utf8(text).unwrap()).is_err() {
                    return;
                }
            }
        });
        Self { port, folder, sent }
    }

    /// A server that may tell it, and the folder of its jobs.
    fn server(&self, jobs: &Path, networks: &[&str]) -> Server {
        let (origin, secret) =
            (format!("https://localhost:{}", self.port), self.folder.path().join("secret"));
        let mut flags = vec!["--jobs-dir", jobs.to_str().unwrap(), "--callback-origin", &origin];
        flags.extend(["--callback-secret-file", secret.to_str().unwrap()]);
        networks.iter().for_each(|network| flags.extend(["--callback-network", network]));
        let mut server = Server::started(weights::root(), &flags, |command| {
            command.env("SSL_CERT_FILE", self.folder.path().join("ca.pem"));
        });
        server.until_ready();
        server
    }

    fn url(&self) -> String {
        format!("{JOBS}&callback=https://localhost:{}/done?token=hush", self.port)
    }
}

fn header<'a>(sent: &'a str, name: &str) -> &'a str {
    let line = sent.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{sent}"));
    line.trim_start_matches(':').trim()
}

#[test]
fn an_end_is_told_signed_and_again_where_it_was_not_taken() {
    let receiver = Receiver::start(["503 Busy", "204 No Content"].map(str::to_owned).into());
    let folder = TempDir::new().unwrap();
    let server = receiver.server(folder.path(), &["127.0.0.0/8", "::1/128"]);
    let place = submit(&server, &receiver.url(), &pair().to_string());
    let first = receiver.sent.recv_timeout(Duration::from_secs(60)).unwrap();
    // What is to be tried again is so after a restart too.
    drop(server);
    let server = receiver.server(folder.path(), &["127.0.0.0/8", "::1/128"]);
    let second = receiver.sent.recv_timeout(Duration::from_secs(60)).unwrap();
    for sent in [&first, &second] {
        assert!(sent.starts_with("POST /done?token=hush HTTP/1.1"), "{sent}");
        let body = sent.split_once("\r\n\r\n").unwrap().1;
        let told: Value = serde_json::from_str(body).unwrap();
        assert_eq!(told, json!({"id": place.rsplit('/').next(), "state": "COMPLETE"}));
        let signed = format!("{}.{}.{body}", header(sent, "webhook-id"), header(sent, "webhook-timestamp"));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(&SECRET["whsec_".len()..]).unwrap());
        let signature = header(sent, "webhook-signature").strip_prefix("v1,").unwrap();
        hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();
    }
    assert_eq!(header(&first, "webhook-id"), header(&second, "webhook-id"), "one event, told twice");
    assert!(!server.log().contains("hush"), "the query is in no log: {}", server.log());
}

#[test]
fn neither_redirects_nor_private_addresses_are_asked() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let leads = format!("302 Found\r\nlocation: http://{}/", elsewhere.local_addr().unwrap());
    let receiver = Receiver::start(vec![leads]);
    let folder = TempDir::new().unwrap();
    let mut server = receiver.server(folder.path(), &["127.0.0.0/8", "::1/128"]);
    submit(&server, &receiver.url(), &pair().to_string());
    receiver.sent.recv_timeout(Duration::from_secs(60)).unwrap();
    server.wait_until(|server| server.log().contains("a callback failed"));
    assert!(server.log().contains("302"), "{}", server.log());
    assert!(elsewhere.accept().is_err(), "nobody came");

    let (listener, folder) = (Receiver::start(Vec::new()), TempDir::new().unwrap());
    let mut server = listener.server(folder.path(), &[]);
    submit(&server, &listener.url(), &pair().to_string());
    server.wait_until(|server| server.log().contains("a callback failed"));
    assert!(server.log().contains("is private"), "{}", server.log());
    let (head, body) =
        send(&server, &format!("POST {JOBS}&callback=https://localhost/"), &pair().to_string());
    assert!(head.starts_with("HTTP/1.1 422"), "another port is another origin: {body}");
}

#[test]
fn the_audit_log_is_opened_anew() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("who.ndjson");
    let mut server = start(&folder.path().join("jobs"), &["--audit-log", log.to_str().unwrap()]);
    let place = submit(&server, JOBS, &pair().to_string());
    wait_for(&server, &place, ended);
    fs::rename(&log, folder.path().join("old")).unwrap();
    server.signal("-HUP");
    server.wait_until(|_| log.exists());
    let place = submit(&server, JOBS, &pair().to_string());
    wait_for(&server, &place, ended);
    let events = |path: &Path| -> Vec<Value> {
        lines(&fs::read_to_string(path).unwrap()).iter().map(|line| line["event"].clone()).collect()
    };
    server.wait_until(|_| events(&log).len() == 3);
    assert_eq!(events(&folder.path().join("old")), ["submitted", "started", "ended"]);
    assert_eq!(events(&log), ["submitted", "started", "ended"]);
}

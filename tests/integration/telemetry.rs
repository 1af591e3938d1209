//! Spans that cannot be sent, and collectors behind TLS.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::process::{Server, get, refuse, serve};
use crate::weights;

const LOST: &str = "spans are lost";

/// Sends spans in small batches at short intervals.
fn start(endpoint: &str, certificates: &str) -> Server {
    Server::started(weights::root(), &["--otlp-endpoint", endpoint], |command| {
        command.env("OTEL_BSP_SCHEDULE_DELAY", "100").env("SSL_CERT_FILE", certificates);
    })
}

#[test]
fn a_dead_collector_is_one_warning_until_it_lives_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut server = start(&format!("http://{address}"), "");
    server.until_ready();
    for _ in 0..5 {
        get(&server.address, "/health/live");
        thread::sleep(Duration::from_millis(250));
    }
    server.wait_until(|server| server.log().contains(LOST));
    assert_eq!(server.log().matches(LOST).count(), 1, "{}", server.log());

    let listener = TcpListener::bind(address).unwrap();
    let collector = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut part = [0; 65536];
        assert!(stream.read(&mut part).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
    });
    server.wait_until(|server| {
        get(&server.address, "/health/live");
        server.log().contains("takes spans again")
    });
    collector.join().unwrap();
    server.wait_until(|server| {
        get(&server.address, "/health/live");
        server.log().matches(LOST).count() == 2
    });
    server.terminate();
    assert_eq!(server.ended_within(15), Some(0));
    assert_eq!(server.log().matches(LOST).count(), 2, "{}", server.log());
}

#[test]
fn a_collector_may_ask_for_https() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let folder = TempDir::new().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (send, sent) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut part = [0; 65536];
            if let Ok(read @ 1..) = stream.read(&mut part) {
                let _ = send.send(part[..read].to_vec());
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            }
        }
    });
    let mut server = start(&format!("https://localhost:{port}"), roots.to_str().unwrap());
    server.until_ready();
    get(&server.address, "/health/live");
    let request = sent.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("{}", server.log()));
    assert!(request.starts_with(b"POST /v1/traces"));
    assert!(!server.log().contains(LOST), "{}", server.log());
}

#[test]
fn a_collector_that_could_never_be_reached_is_refused() {
    let folder = TempDir::new().unwrap();
    let mut command = serve(weights::root(), &folder.path().join("address"));
    let message = refuse(command.args(["--otlp-endpoint", "collector:4318"]));
    assert!(message.contains("https://HOST:PORT"), "{message}");
}

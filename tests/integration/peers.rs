//! Peers that shake hands slowly, speak HTTP/2 or come in numbers: what one of them may take.

use std::fs;
use std::io::Read;
use std::net::TcpStream;
use std::pin::pin;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::http::Request;
use tempfile::TempDir;
use tokio::time::timeout;

use crate::app::SCORE;
use crate::connections::{ended, open};
use crate::process::{Server, get};
use crate::weights;

/// A server of HTTPS whose health and metrics stand at an address of their own.
fn https(flags: &[&str]) -> (TempDir, Server) {
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let own = ["--ops-bind", "127.0.0.1:0", "--tls-cert", chain.to_str().unwrap(), "--tls-key"];
    let server = Server::start(&[&own[..], &[key.to_str().unwrap()], flags].concat());
    (folder, server)
}

#[test]
fn a_handshake_has_a_limit() {
    let (_folder, server) = https(&["--head-timeout-s", "1"]);
    let mut silent = open(&server.address, b"");
    assert_eq!(silent.read(&mut [0]).unwrap(), 0, "closed");
    assert_eq!(ended(&server.ops, "slow_handshake"), 1);
}

#[test]
fn handshakes_give_up_their_places() {
    let (_folder, mut server) = https(&["--max-connections", "2", "--head-timeout-s", "50"]);
    let _silent: Vec<TcpStream> = (0..5).map(|_| open(&server.address, b"")).collect();
    server.wait_until(|server| ended(&server.ops, "crowded") >= 3);
}

#[test]
fn handshakes_hold_up_no_end() {
    let (_folder, mut server) = https(&["--drain-pause-ms", "0", "--head-timeout-s", "50"]);
    let _silent = open(&server.address, b"");
    std::thread::sleep(Duration::from_millis(200));
    let started = Instant::now();
    server.terminate();
    assert_eq!(server.ended_within(20), Some(0), "{}", server.log());
    assert!(started.elapsed() < Duration::from_secs(5));
}

/// A request runs on it, so that nothing else would end it for long.
#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_http_2_that_is_gone_is_noticed() {
    let mut server = Server::start(&["--idle-timeout-s", "1"]);
    server.until_ready();
    let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    let request = Request::post(format!("http://{}{SCORE}", server.address));
    let request = request.header("content-type", "application/json").body(()).unwrap();
    let (_reply, _upload) = client.send_request(request, false).unwrap();
    let mut connection = pin!(connection);
    let ended_early = timeout(Duration::from_millis(300), &mut connection).await;
    assert!(ended_early.is_err());
    // From now on nobody answers its pings.
    server.wait_until(|server| ended(&server.address, "no_pong") == 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_of_http_2_has_so_many_streams() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let request = Request::get(format!("http://{}/health/live", server.address)).body(()).unwrap();
    client.send_request(request, true).unwrap().0.await.unwrap();
    assert_eq!(client.current_max_send_streams(), 64);
}

/// systemd's soft limit is 1,024; the hard one is the system's own word.
#[test]
fn as_many_files_are_opened_as_the_system_allows() {
    let server = Server::started(weights::root(), &["--max-connections", "150"], |command| {
        let mut limited = Command::new("sh");
        limited.stderr(Stdio::null()).arg("-c").arg("ulimit -Sn 64; ulimit -Hn 512; exec \"$0\" \"$@\"");
        limited.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            limited.env(name, value.unwrap_or_default());
        }
        *command = limited;
    });
    let half = b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-a";
    let _held: Vec<TcpStream> = (0..120).map(|_| open(&server.address, half)).collect();
    assert!(get(&server.address, "/health/live").starts_with("HTTP/1.1 200"));
    assert_eq!(ended(&server.address, "crowded"), 0);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().filter(|word| *word == "512").count(), 2, "{files}");
}

//! Connections under limits of time and number: whoever is slow, or asks nothing, keeps nobody else from an answer.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use axum::http::Request;
use serde_json::json;

use crate::app::{SCORE, pair};
use crate::process::{Server, ask, get};
use crate::weights;

const HALF_A_HEAD: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-a";

fn metric(address: &str, start: &str) -> u64 {
    let metrics = get(address, "/metrics");
    let value = metrics.lines().find(|line| line.starts_with(start)).and_then(|line| line.rsplit(' ').next());
    value.map_or(0, |value| value.parse().unwrap())
}

pub(crate) fn ended(address: &str, cause: &str) -> u64 {
    metric(address, &format!("mirador_connections_ended_total{{cause=\"{cause}\"}}"))
}

pub(crate) fn open(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Sends a byte now and then, for ten seconds; whether that could be done.
pub(crate) fn trickle_on(stream: &TcpStream) -> std::thread::JoinHandle<bool> {
    let mut stream = stream.try_clone().unwrap();
    std::thread::spawn(move || {
        (0..50).all(|_| {
            std::thread::sleep(Duration::from_millis(200));
            stream.write_all(b"\n").is_ok()
        })
    })
}

/// What the server says until it closes.
fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end too.
    if let Err(error) = stream.read_to_end(&mut text) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "not closed: {error}");
    }
    String::from_utf8(text).unwrap()
}

/// No more open files than this, soft and hard.
fn with_files(server: &[&str], files: u32) -> Server {
    Server::started(weights::root(), server, |command| {
        let mut limited = Command::new("sh");
        limited.stderr(Stdio::null()).arg("-c").arg(format!("ulimit -n {files}; exec \"$0\" \"$@\""));
        limited.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            limited.env(name, value.unwrap_or_default());
        }
        *command = limited;
    })
}

#[test]
fn a_flood_of_half_heads_keeps_nobody_from_health() {
    let mut server = with_files(&["--ops-bind", "127.0.0.1:0"], 64);
    server.until_ready();
    let mut flood: Vec<TcpStream> = Vec::new();
    for round in 0..4 {
        flood.extend((0..50).map(|_| open(&server.address, HALF_A_HEAD)));
        flood.extend((0..25).map(|_| open(&server.ops, HALF_A_HEAD)));
        for address in [&server.address, &server.ops] {
            let started = Instant::now();
            assert!(get(address, "/health/live").starts_with("HTTP/1.1 200"), "round {round}");
            assert!(started.elapsed() < Duration::from_secs(10));
        }
    }
    assert!(ended(&server.ops, "crowded") > 0);
}

#[test]
fn where_requests_run_on_all_places_health_is_still_answered() {
    let mut server = Server::start(&["--max-connections", "4"]);
    server.until_ready();
    let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n");
    let head = head + "content-type: application/json\r\n\r\n{";
    let at_work: Vec<_> = (0..4).map(|_| open(&server.address, head.as_bytes())).collect();
    server.wait_until(|server| get(&server.address, "/v1/models").starts_with("HTTP/1.1 503"));
    let refusal = get(&server.address, "/v1/models").to_ascii_lowercase();
    assert!(refusal.contains("retry-after:") && refusal.contains("too many connections"), "{refusal}");
    assert!(get(&server.address, "/health/live").starts_with("HTTP/1.1 200"));
    assert!(get(&server.address, "/v2/health/ready").starts_with("HTTP/1.1 200"));
    // Who asks there leaves the place to the next.
    let mut kept = open(&server.address, b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
    assert!(rest(&mut kept).to_ascii_lowercase().contains("connection: close"));
    drop(at_work);
    server.wait_until(|server| get(&server.address, "/v1/models").starts_with("HTTP/1.1 200"));
}

/// The rest of their bodies is read for their sake alone.
#[test]
fn who_was_refused_takes_no_place_from_others() {
    let mut server = Server::start(&["--max-connections", "4", "--read-timeout-s", "300"]);
    server.until_ready();
    let head = "POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n{";
    let refused: Vec<_> = (0..4).map(|_| open(&server.address, head.as_bytes())).collect();
    let trickling: Vec<_> = refused.iter().map(trickle_on).collect();
    std::thread::sleep(Duration::from_millis(500));
    for _ in 0..4 {
        let reply = get(&server.address, "/v1/models");
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }
    assert!(trickling.into_iter().any(|caller| !caller.join().unwrap()), "one had to go");
    assert!(ended(&server.address, "crowded") > 0);
}

#[test]
fn heads_and_silence_have_limits() {
    let server = Server::start(&["--head-timeout-s", "1", "--idle-timeout-s", "3"]);
    let started = Instant::now();
    // Of HTTP/2 the client's part of the handshake, cut.
    for begun in [&b""[..], HALF_A_HEAD, b"PRI * HTTP/2.0\r\n"] {
        assert_eq!(rest(&mut open(&server.address, begun)), "");
    }
    let mut kept = open(&server.address, b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
    std::thread::sleep(Duration::from_millis(1500));
    kept.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    assert_eq!(rest(&mut kept).matches("HTTP/1.1 200").count(), 2, "longer than a head may take");
    let mut half = open(&server.address, b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n");
    std::thread::sleep(Duration::from_millis(200));
    half.write_all(HALF_A_HEAD).unwrap();
    assert_eq!(rest(&mut half).matches("HTTP/1.1 200").count(), 1);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(ended(&server.address, "slow_head") >= 4);
    assert!(ended(&server.address, "idle") >= 1);
}

/// A page of another origin, which may ask.
const LAB: &str = "https://lab.example";

#[test]
fn a_body_that_stops_or_trickles_is_answered_408() {
    let mut server = Server::start(&["--read-timeout-s", "1", "--cors-origin", LAB]);
    server.until_ready();
    let head = |kind: &str| {
        let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\norigin: {LAB}\r\ncontent-type: {kind}\r\n");
        (head + "content-length: 100000\r\n\r\n").into_bytes()
    };
    for kind in ["application/json", "text/csv"] {
        let mut stalled = open(&server.address, &[&head(kind)[..], b"{"].concat());
        let reply = rest(&mut stalled).to_ascii_lowercase();
        assert!(reply.starts_with("http/1.1 408") && reply.contains("connection: close"), "{reply}");
        assert!(reply.contains("urn:mirador:problem:slow-body"), "{reply}");
        assert!(reply.contains(&format!("access-control-allow-origin: {LAB}")), "{reply}");
    }
    let trickle = |kind: &str, rounds: usize| {
        let mut stream = open(&server.address, &head(kind));
        for _ in 0..rounds {
            std::thread::sleep(Duration::from_millis(300));
            if stream.write_all(b"\n").is_err() {
                break;
            }
        }
        stream
    };
    let mut stream = open(&server.address, &head("application/json"));
    let trickling = trickle_on(&stream);
    let mut reply = [0; 12];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"HTTP/1.1 408");
    assert!(!trickling.join().unwrap(), "while he still sends");
    assert!(ended(&server.address, "slow_body") >= 3);
    // Lines may take their time, one by one.
    std::thread::scope(|scope| {
        for name in ["x-ndjson", "ndjson", "jsonl", "x-jsonlines"] {
            scope.spawn(move || {
                let mut lines = trickle(&format!("application/{name}"), 8);
                lines.write_all(format!("{}\n", pair()).as_bytes()).unwrap();
                let mut reply = [0; 12];
                lines.read_exact(&mut reply).unwrap();
                assert_eq!(&reply, b"HTTP/1.1 200", "{name}");
            });
        }
    });
}

#[test]
fn a_reply_that_nobody_takes_is_ended_over_http_1() {
    let mut server = Server::start(&["--write-timeout-s", "1"]);
    server.until_ready();
    let body = json!({"pairs": vec![pair(); 10_000]}).to_string();
    let head = format!("POST {SCORE} HTTP/1.1\r\nhost: x\r\nx-request-id: sleeper-1\r\n");
    let head = format!("{head}content-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    let request = [head.as_bytes(), body.as_bytes()].concat();
    let mut sleeper = open(&server.address, &[]);
    let mut writer = sleeper.try_clone().unwrap();
    // Several, one after the other: more than the sockets hold.
    let writing =
        std::thread::spawn(move || (0..20).take_while(|_| writer.write_all(&request).is_ok()).count());
    server.wait_until(|server| ended(&server.address, "slow_reader") > 0);
    // The log is written by a thread of its own.
    server.wait_until(|server| server.log().contains("sleeper-1") && server.log().contains(SCORE));
    rest(&mut sleeper);
    writing.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_nobody_takes_is_ended_over_http_2_and_its_neighbours_go_on() {
    let mut server = Server::start(&["--write-timeout-s", "1"]);
    server.until_ready();
    let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
    let mut client = h2::client::Builder::new();
    let (mut client, connection) =
        client.initial_window_size(1).handshake::<_, bytes::Bytes>(stream).await.unwrap();
    tokio::spawn(connection);
    let request = |id: &str, path: &str| {
        let uri = format!("http://{}{path}", server.address);
        Request::get(uri).header("x-request-id", id).body(()).unwrap()
    };
    let (sleeping, _) = client.send_request(request("sleeper-2", "/openapi.json"), true).unwrap();
    let mut sleeping = sleeping.await.unwrap().into_body();
    let neighbour = async {
        let (reply, _) = client.send_request(request("awake", "/health/live"), true).unwrap();
        let mut body = reply.await.unwrap().into_body();
        let mut text = Vec::new();
        while let Some(part) = body.data().await {
            let part = part.unwrap();
            body.flow_control().release_capacity(part.len()).unwrap();
            text.extend(part);
        }
        text
    };
    // Its window is one byte, which comes; nobody opens it again.
    let first = sleeping.data().await.unwrap().unwrap();
    assert_eq!(first.len(), 1);
    let end = tokio::time::timeout(Duration::from_secs(10), sleeping.data()).await.expect("it is ended");
    assert!(end.unwrap().unwrap_err().is_reset());
    assert_eq!(neighbour.await, br#"{"status":"live"}"#);
    assert_eq!(ended(&server.address, "slow_reader"), 1);
    server.wait_until(|server| server.log().contains("sleeper-2"));
}

#[test]
fn many_replies_that_nobody_takes_cost_no_copies() {
    let mut server = Server::start(&[]);
    server.until_ready();
    let resident = |server: &Server| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:").map(str::to_owned)).unwrap();
        line.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    let paths = ["/openapi.json", "/docs/swagger-ui-bundle.js"];
    paths.iter().for_each(|path| assert!(get(&server.address, path).starts_with("HTTP/1.1 200")));
    let before = resident(&server);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let held = runtime.block_on(async {
        let mut held = Vec::new();
        for _ in 0..5 {
            let stream = tokio::net::TcpStream::connect(&server.address).await.unwrap();
            let mut client = h2::client::Builder::new();
            let client = client.initial_window_size(0).handshake::<_, bytes::Bytes>(stream);
            let (client, connection) = client.await.unwrap();
            tokio::spawn(connection);
            for path in paths.iter().cycle().take(60) {
                let request = Request::get(format!("http://{}{path}", server.address)).body(()).unwrap();
                let (reply, _) = client.clone().ready().await.unwrap().send_request(request, true).unwrap();
                held.push(reply.await.unwrap());
            }
        }
        held
    });
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 30 * 1024, "{grown} KiB more for {} replies", held.len());
}

#[test]
fn an_answer_and_the_next_request_stay_apart() {
    let mut server = Server::start(&[]);
    server.until_ready();
    // Refused before its body is read, and the next request right behind that body.
    let body = "x".repeat(100_000);
    let first = format!("POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let second = "GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let replies = ask(&server.address, (first + second).as_bytes());
    let statuses: Vec<&str> =
        replies.match_indices("HTTP/1.1 ").map(|(at, _)| &replies[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["404", "200"]);
}

#[test]
fn a_reader_who_is_slow_is_not_one_who_sleeps() {
    let mut server = Server::start(&["--write-timeout-s", "1"]);
    server.until_ready();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.connect(&server.address.parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    // More than the sockets hold, taken at 200 KB a second.
    stream.write_all(&b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100)).unwrap();
    let (started, mut part) = (Instant::now(), [0; 8 * 1024]);
    while started.elapsed() < Duration::from_secs(4) {
        assert!(stream.read(&mut part).unwrap() > 0, "ended after {:?}", started.elapsed());
        std::thread::sleep(Duration::from_millis(40));
    }
    assert_eq!(ended(&server.address, "slow_reader"), 0);
}

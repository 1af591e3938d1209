//! Compressed bodies are the bodies that were compressed, however a writer cut them into members and frames.

use std::io::Write;
use std::net::TcpStream;

use axum::body::Body;
use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use http_body_util::BodyExt;
use mirador_models::networks::{dmiso, premirna_cnn_lstm, xpresso};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::app::{App, MIRNA, SCORE, SITE, assert_near, cells, pair, score_request};
use crate::process::{self, Server};
use crate::weights::write_model;

const HAIRPIN: &str = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";
const NDJSON: &str = "application/x-ndjson";

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

/// One body for each format of each route: path, media type, body.
fn bodies() -> Vec<(&'static str, &'static str, String)> {
    let pairs: Vec<Value> =
        (0..5).map(|row| json!({"id": row.to_string(), "mirna": MIRNA, "site": &SITE[row..]})).collect();
    let lines: String = pairs.iter().map(|pair| pair.to_string() + "\n").collect();
    let table = |delimiter: &str| {
        let row = |row: usize| [&row.to_string(), MIRNA, &SITE[row..]].join(delimiter) + "\n";
        ["id", "mirna", "site"].join(delimiter) + "\n" + &(0..5).map(row).collect::<String>()
    };
    let tensor =
        |name: &str, value: &str| json!({"name": name, "datatype": "BYTES", "shape": [1], "data": [value]});
    let tensors = json!({"inputs": [tensor("mirna", MIRNA), tensor("site", SITE)]});
    let genes = json!({"genes": [{"promoter": SITE, "tss": 3}]});
    vec![
        ("/v1/target-sites/score", "application/json", json!({ "pairs": pairs }).to_string()),
        ("/v1/target-sites/score", NDJSON, lines),
        ("/v1/target-sites/score", "text/csv", table(",")),
        ("/v1/target-sites/score", "text/tab-separated-values", table("\t")),
        ("/v1/pre-mirnas/classify", "text/csv", format!("id,sequence\nh,{HAIRPIN}\n")),
        ("/v1/pre-mirnas/classify", "text/x-fasta", format!(">h\n{HAIRPIN}\n>g\n{HAIRPIN}\n")),
        ("/v1/expression/predict", "application/json", genes.to_string()),
        ("/v1/expression/predict?tss=3", "text/x-fasta", format!(">g\n{SITE}\n")),
        ("/v2/models/dmiso/infer", "application/json", tensors.to_string()),
    ]
}

fn app() -> (TempDir, App) {
    let root = TempDir::new().unwrap();
    write_model(&dmiso::MODEL, root.path(), "balanced", true);
    write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", true);
    write_model(&xpresso::MODEL, root.path(), "public", true);
    let app = App::serving(root.path(), &[]);
    (root, app)
}

async fn ask(app: &App, path: &str, media_type: &str, coding: &str, body: Body) -> (u16, String) {
    let request = Request::post(path).header("content-type", media_type).header("content-encoding", coding);
    let response = app.open(request.body(body).unwrap()).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.into()).unwrap())
}

#[test]
fn members_and_frames_cut_anywhere_give_the_plain_bodys_reply() {
    let runtime = Runtime::new().unwrap();
    let (_root, app) = app();
    let mut runner =
        TestRunner::new(ProptestConfig { cases: 12, failure_persistence: None, ..Default::default() });
    for (path, media_type, body) in bodies() {
        let (status, plain) = runtime.block_on(ask(&app, path, media_type, "identity", body.clone().into()));
        assert_eq!(status, 200, "{plain}");
        // Twice the same place makes an empty member.
        let cuts = prop::collection::vec(any::<Index>(), 0..5);
        let parts = prop::collection::vec(any::<Index>(), 0..5);
        let tested = runner.run(&(cuts, parts), |(cuts, parts)| {
            for (coding, compress) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
                let mut compressed: Vec<u8> =
                    cut(body.as_bytes(), &cuts).into_iter().flat_map(compress).collect();
                if coding == "gzip" && cuts.len() == 2 {
                    compressed.extend([0; 600]);
                }
                let sent: Vec<_> = cut(&compressed, &parts)
                    .into_iter()
                    .map(|part| Ok::<_, std::io::Error>(part.to_vec()))
                    .collect();
                let sent = Body::from_stream(stream::iter(sent));
                let reply = runtime.block_on(ask(&app, path, media_type, coding, sent));
                prop_assert_eq!(reply.0, 200, "{} {} {}", path, media_type, reply.1);
                assert_near(&values(media_type, &reply.1), &values(media_type, &plain));
            }
            Ok(())
        });
        tested.unwrap();
    }
}

/// A reply as values, so that numbers can be compared as numbers.
fn values(media_type: &str, text: &str) -> Value {
    match media_type {
        "text/csv" => cells(text, b','),
        "text/tab-separated-values" => cells(text, b'\t'),
        NDJSON => text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect(),
        _ => serde_json::from_str(text).unwrap(),
    }
}

fn cut<'a>(bytes: &'a [u8], places: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.sort_unstable();
    let starts = std::iter::once(0).chain(places.clone());
    starts.zip(places.iter().copied().chain([bytes.len()])).map(|(start, end)| &bytes[start..end]).collect()
}

#[tokio::test]
async fn what_is_behind_the_last_member_is_no_silent_end() {
    let app = App::ready(&[]);
    let table = format!("mirna,site\n{MIRNA},{SITE}\n");
    let [whole, frame] = [gzip(table.as_bytes()), zstd(table.as_bytes())];
    let ask = async |coding: &str, parts: &[&[u8]]| {
        let headers = [("content-encoding", coding), ("content-type", "text/csv")];
        app.send(score_request(&headers, parts.concat())).await.status
    };
    assert_eq!(ask("gzip", &[&whole, &[0; 512]]).await, 200, "padding, as gzip -d takes it");
    for bad in [
        vec![&whole[..], b"GARBAGE"],
        vec![&whole, &[0; 9], b"x"],
        vec![&whole, &[0; 9], &whole],
        vec![&whole, &whole[..9]],
        vec![&whole, &whole[..whole.len() - 1]],
        vec![&whole[..whole.len() - 8], &[0; 8]],
        vec![],
    ] {
        assert_eq!(ask("gzip", &bad).await, 400, "{bad:?}");
    }
    for bad in [vec![&frame[..], b"GARBAGE"], vec![&frame, &frame[..9]], vec![&frame, &[0; 9]], vec![]] {
        assert_eq!(ask("zstd", &bad).await, 400, "{bad:?}");
    }
}

#[tokio::test]
async fn codings_are_known_by_all_their_names() {
    let app = App::ready(&[]);
    let body = json!({"pairs": [pair()]}).to_string();
    let (zipped, framed) = (gzip(body.as_bytes()), zstd(body.as_bytes()));
    for (coding, body) in [
        ("GZIP", &zipped),
        ("x-gzip", &zipped),
        ("gzip, identity", &zipped),
        ("Zstd", &framed),
        ("identity", &body.clone().into_bytes()),
        ("", &body.clone().into_bytes()),
    ] {
        let reply = app.send(score_request(&[("content-encoding", coding)], body.clone())).await;
        assert_eq!(reply.status, 200, "{coding}: {}", reply.body);
    }
    for coding in ["br", "deflate", "gzip, gzip", "zstd, gzip", "gzip;q=1"] {
        let reply = app.send(score_request(&[("content-encoding", coding)], zipped.clone())).await;
        assert_eq!(reply.status, 415, "{coding}");
    }
}

/// Parts of a body come apart anywhere, and some are empty: HTTP/2 allows that.
#[tokio::test]
async fn empty_parts_change_nothing() {
    let app = App::ready(&[]);
    let body = json!({"pairs": [pair()]}).to_string();
    for (coding, whole) in [("gzip", gzip(body.as_bytes())), ("zstd", zstd(body.as_bytes()))] {
        for place in (0..=whole.len()).step_by(3).chain([whole.len()]) {
            let parts = [&whole[..0], &whole[..place], &whole[..0], &whole[place..], &whole[..0]];
            let parts = parts.map(|part| Ok::<_, std::io::Error>(part.to_vec()));
            let body = Body::from_stream(stream::iter(parts));
            let reply = app.send(score_request(&[("content-encoding", coding)], body)).await;
            assert_eq!(reply.status, 200, "{coding} at {place}: {}", reply.body);
        }
    }
}

/// A few bytes that cost much: windows of 128 MiB, members and frames of nothing. A good request stands behind them.
#[tokio::test]
async fn what_is_made_to_cost_is_refused() {
    let app = App::ready(&[]);
    let block = |last: bool| ((131_072_u32 << 3) | 2 | u32::from(last)).to_le_bytes()[..3].to_vec();
    let window = [b"\x28\xb5\x2f\xfd\x00\x88".to_vec(), block(true), b" ".to_vec()].concat();
    let empty = |member: &[u8], times: usize| member.repeat(times);
    let request = json!({"pairs": [pair()]}).to_string();
    let compressed = |coding: &str, text: &str| match coding {
        "gzip" => gzip(text.as_bytes()),
        _ => zstd(text.as_bytes()),
    };
    for (coding, costly, hint) in [
        ("zstd", window, "larger than 8 MiB"),
        ("gzip", empty(&gzip(b""), 10_100), "more than 10000 members"),
        ("zstd", empty(&zstd(b""), 10_100), "more than 10000 members"),
        ("zstd", empty(b"\x50\x2a\x4d\x18\x08\0\0\0nothing!", 15_000), "more than 10000 members"),
    ] {
        let body = [costly, compressed(coding, &request)].concat();
        let reply = app.send(score_request(&[("content-encoding", coding)], body)).await;
        assert_eq!((reply.status, &reply.body["errors"][0]["code"]), (400, &json!("syntax")), "{coding}");
        assert!(reply.body["detail"].as_str().unwrap().contains(hint), "{hint}: {}", reply.body);
    }
    let some = [empty(&gzip(b""), 9_000), gzip(request.as_bytes())].concat();
    assert_eq!(app.send(score_request(&[("content-encoding", "gzip")], some)).await.status, 200);
}

/// Plain bytes are sent to who refuses them, too: a refusal after the work would be worth nothing.
#[tokio::test]
async fn no_reply_is_refused_for_its_coding() {
    let app = App::ready(&[]);
    for (accepted, coding) in [
        ("identity;q=0", None),
        ("br, *;q=0", None),
        ("*; q=0.000", None),
        ("gzip, identity; Q = 0", Some("gzip")),
        ("zstd;q=0.5,*;q=0", Some("zstd")),
        ("*", Some("zstd")),
    ] {
        let request = axum::http::Request::get("/openapi.json").header("accept-encoding", accepted);
        let reply = app.open(request.body(axum::body::Body::empty()).unwrap()).await;
        let found = reply.headers().get("content-encoding").map(|coding| coding.to_str().unwrap());
        assert_eq!((reply.status().as_u16(), found), (200, coding), "{accepted}");
    }
}

/// A compressor for each reply that nobody takes would fill the memory: beyond some they are sent as they are.
#[tokio::test]
async fn few_replies_are_compressed_at_once() {
    let app = App::ready(&[]);
    let ask = async || {
        let request = axum::http::Request::get("/openapi.json").header("accept-encoding", "gzip");
        app.open(request.body(axum::body::Body::empty()).unwrap()).await
    };
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(ask().await);
    }
    let compressed =
        |reply: &axum::http::Response<axum::body::Body>| reply.headers().contains_key("content-encoding");
    assert!(held.iter().all(compressed) && !compressed(&ask().await));
    held.clear();
    assert!(compressed(&ask().await));
}

#[tokio::test]
async fn a_body_that_cannot_be_unpacked_is_told_why() {
    let (_root, app) = app();
    let line = format!("{}\n", pair());
    let mut damaged = gzip(line.as_bytes());
    let place = damaged.len() - 6;
    damaged[place] ^= 1;
    for (coding, body, hint) in [
        ("gzip", line.clone().into_bytes(), "not gzip"),
        ("gzip", damaged, "damaged"),
        ("gzip", gzip(line.as_bytes())[..30].to_vec(), "ended early"),
        ("zstd", line.clone().into_bytes(), "not zstd"),
        ("zstd", zstd(line.as_bytes())[..20].to_vec(), "ended early"),
    ] {
        let (_, whole) = ask(&app, SCORE, "application/json", coding, body.clone().into()).await;
        assert!(whole.contains(hint), "{coding} {hint}: {whole}");
        let (_, stream) = ask(&app, SCORE, "application/x-ndjson", coding, body.into()).await;
        assert!(stream.contains("broken_body") && stream.contains(hint), "{coding} {hint}: {stream}");
    }
}

/// Frames that are skipped may be long.
#[tokio::test]
async fn a_body_that_goes_on_and_holds_nothing_is_refused() {
    let app = App::ready(&[]);
    let length = 1_000_000_u32;
    let skipped = [&b"\x50\x2a\x4d\x18"[..], &length.to_le_bytes(), &vec![0; length as usize]].concat();
    let body = [skipped, zstd(json!({"pairs": [pair()]}).to_string().as_bytes())].concat();
    let reply = app.send(score_request(&[("content-encoding", "zstd")], body)).await;
    assert_eq!((reply.status, &reply.body["errors"][0]["code"]), (400, &json!("syntax")));
    assert!(reply.body["detail"].as_str().unwrap().contains("holds nothing"), "{}", reply.body);
}

/// Each keeps a window of 8 MiB: a caller has a part of them.
#[test]
fn few_bodies_of_zstd_are_unpacked_at_once() {
    let mut server = Server::start(&["--read-timeout-s", "300", "--forwarded-for"]);
    server.until_ready();
    let head = format!(
        "POST {SCORE} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-forwarded-for: 192.0.2."
    );
    let begun = |caller: usize| {
        format!("{head}{caller}\r\ncontent-encoding: zstd\r\ncontent-length: 100\r\n\r\n\x28")
    };
    let hold = |address: &str, callers: usize| -> Vec<TcpStream> {
        let one = |index| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(begun(index % callers).as_bytes()).unwrap();
            stream
        };
        (0..8 * callers).map(one).collect()
    };
    let whole = zstd(json!({"pairs": [pair()]}).to_string().as_bytes());
    let request = |caller: usize| {
        let head =
            format!("{head}{caller}\r\nconnection: close\r\ncontent-encoding: zstd\r\ncontent-length: ");
        [format!("{head}{}\r\n\r\n", whole.len()).as_bytes(), &whole].concat()
    };
    let refused = |address: &str, caller: usize| {
        (0..100).any(|_| process::ask(address, &request(caller)).starts_with("HTTP/1.1 503"))
    };
    let answered = |address: &str| process::ask(address, &request(9)).starts_with("HTTP/1.1 200");
    // On a busy machine some are ended before the last is there: then all are opened anew.
    let mut held = Vec::new();
    server.wait_until(|server| {
        held = hold(&server.address, 1);
        refused(&server.address, 0)
    });
    assert!(answered(&server.address), "another caller has places of his own");
    let mut held = Vec::new();
    server.wait_until(|server| {
        held = hold(&server.address, 4);
        refused(&server.address, 9)
    });
    held.pop();
    server.wait_until(|server| answered(&server.address));
}

//! Streams of lines: nobody who reads slowly, sends rubbish or stays for ever takes anything from others.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use mirador::http::{Keys, Scope};
use mirador::serving::{Forward, PredictorConfig};
use mirador_models::networks::{dmiso, mitar};
use serde_json::{Value, json};

use crate::app::{App, MIRNA, SCORE, SITE, pair, score_request};
use crate::fake::{gated, until};
use crate::reading::{CSV, ask};
use crate::weights::write_model;

const NDJSON: (&str, &str) = ("content-type", "application/x-ndjson");

fn lines(count: usize) -> String {
    (pair().to_string() + "\n").repeat(count)
}

/// A network that takes this long for a batch.
fn slow(time: Duration) -> Forward {
    Box::new(move |inputs| {
        std::thread::sleep(time);
        vec![0.0; inputs.len() / 360]
    })
}

async fn stream(app: &App, headers: &[(&str, &str)], body: impl Into<Body>) -> Body {
    app.open(score_request(&[&[NDJSON], headers].concat(), body)).await.into_body()
}

/// The lines of a reply, and the last of them.
async fn read(body: Body) -> (usize, Value) {
    let text = body.collect().await.unwrap().to_bytes();
    let last = text.trim_ascii_end().rsplit(|&byte| byte == b'\n').next().unwrap();
    (text.iter().filter(|&&byte| byte == b'\n').count(), serde_json::from_slice(last).unwrap())
}

/// An upload that goes on for ever.
fn endless() -> Body {
    let block = Bytes::from(lines(100));
    Body::from_stream(stream::repeat_with(move || Ok::<_, Infallible>(block.clone())))
}

#[tokio::test]
async fn readers_who_do_not_read_hold_no_places() {
    let feeding = PredictorConfig { queue_capacity: 600, ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, slow(Duration::ZERO));
    let mut parked = Vec::new();
    for _ in 0..24 {
        parked.push(stream(&app, &[], endless()).await);
    }
    // Their chunks go through the queue and come to rest in front of readers who never come.
    tokio::time::sleep(Duration::from_millis(100)).await;
    until(|| predictor.inputs_in_flight() == 0).await;
    for rows in [1, 100, 600] {
        assert_eq!(app.score(&vec![pair(); rows]).await.status, 200, "{rows} rows");
    }
    let (answered, _) = read(stream(&app, &[], lines(2000)).await).await;
    assert_eq!(answered, 2000, "nor the lines of others");
}

/// They stop while the queue is full: what it hands them then has to come back.
#[tokio::test]
async fn readers_who_stop_reading_hold_no_places() {
    let feeding = PredictorConfig { max_batch_size: 64, queue_capacity: 512, ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, slow(Duration::from_millis(2)));
    let mut parked = Vec::new();
    for _ in 0..24 {
        parked.push(stream(&app, &[], endless()).await.into_data_stream());
    }
    let reading = parked.iter_mut().map(|body| async { while body.next().await.is_some() {} });
    let reading = futures_util::future::join_all(reading);
    assert!(tokio::time::timeout(Duration::from_millis(200), reading).await.is_err());
    until(|| predictor.inputs_in_flight() == 0).await;
    for rows in [1, 100, 500] {
        assert_eq!(app.score(&vec![pair(); rows]).await.status, 200, "{rows} rows");
    }
    let (answered, _) = read(stream(&app, &[], lines(2000)).await).await;
    assert_eq!(answered, 2000, "nor the lines of others");
}

#[tokio::test]
async fn lines_leave_room_for_requests() {
    let feeding = PredictorConfig { max_batch_size: 64, queue_capacity: 512, ..PredictorConfig::default() };
    let app = App::starting(&["--forwarded-for"]);
    let (app, predictor) = app.serving_with(&dmiso::MODEL, feeding, slow(Duration::from_millis(5)));
    let mut readers = tokio::task::JoinSet::new();
    for caller in 0..24 {
        // What one caller may have in the queue does not help here.
        let caller = format!("192.0.2.{caller}");
        let mut body = stream(&app, &[("x-forwarded-for", &caller)], endless()).await.into_data_stream();
        readers.spawn(async move { while body.next().await.is_some() {} });
    }
    until(|| predictor.inputs_in_flight() >= 64).await;
    for _ in 0..20 {
        assert_eq!(app.score(&[pair()]).await.status, 200);
        assert_eq!(app.score(&vec![pair(); 100]).await.status, 200);
    }
}

#[tokio::test]
async fn a_deadline_ends_a_stream_and_says_where() {
    let feeding = PredictorConfig { max_batch_size: 10, ..PredictorConfig::default() };
    let (app, _) = App::with(&dmiso::MODEL, feeding, slow(Duration::from_millis(20)));
    let (count, last) = read(stream(&app, &[("x-deadline-ms", "150")], lines(60_000)).await).await;
    assert_eq!(last["error"], "deadline_exceeded");
    assert_eq!(last["next_line"], json!(count), "what was answered stands before it");
    assert!(count < 10_000, "{count}");
}

#[tokio::test]
async fn a_server_that_drains_answers_what_it_read_and_says_where_to_go_on() {
    let feeding = PredictorConfig { max_batch_size: 10, ..PredictorConfig::default() };
    let (app, _) = App::with(&dmiso::MODEL, feeding, slow(Duration::from_millis(5)));
    let mut body = stream(&app, &[], endless()).await.into_data_stream();
    let mut text = body.next().await.unwrap().unwrap().to_vec();
    app.state.drain();
    while let Some(part) = body.next().await {
        text.extend(part.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    let last: Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
    assert_eq!(last, json!({"error": "draining", "next_line": text.lines().count()}));
}

#[tokio::test]
async fn a_broken_upload_ends_with_a_line_that_says_so() {
    let app = App::ready(&[]);
    let parts = [Ok(Bytes::from(lines(3))), Err(std::io::Error::other("gone"))];
    let (count, last) = read(stream(&app, &[], Body::from_stream(stream::iter(parts))).await).await;
    assert_eq!((count, last), (4, json!({"error": "broken_body", "next_line": 4})));
}

#[tokio::test]
async fn blank_and_bad_lines_come_to_an_end() {
    let app = App::ready(&[]);
    let (count, last) = read(stream(&app, &[], "\n".repeat(3_000_000)).await).await;
    assert_eq!((count, last["error"].as_str()), (1, Some("no_rows")));
    let (count, last) = read(stream(&app, &[], "{}\n".repeat(1_000_000)).await).await;
    assert_eq!(last["error"], "no_rows");
    assert!((100_000..200_000).contains(&count), "{count}");
    let mixed = ("\n".repeat(60_000) + &lines(1)).repeat(3);
    assert_eq!(read(stream(&app, &[], mixed).await).await.0, 3, "good lines between blank ones are a stream");
}

#[tokio::test]
async fn a_stream_may_be_bounded_in_lines() {
    let app = App::ready(&["--max-lines", "1000"]);
    assert_eq!(read(stream(&app, &[], lines(1000)).await).await.0, 1000);
    let (count, last) = read(stream(&app, &[], lines(1001)).await).await;
    assert_eq!((count, last), (1001, json!({"error": "too_many_lines", "next_line": 1001})));
    // Rows of two lines each, below a line of names.
    let app = App::ready(&["--max-lines", "2"]);
    let table = format!("mirna,site,note\n{}", format!("{MIRNA},{SITE},\"a\nb\"\n").repeat(3));
    let (_, text) =
        ask(&app, &format!("{SCORE}?keep_columns=true"), CSV, "application/x-ndjson", table).await;
    let last: Value = serde_json::from_str(text.as_str().unwrap().lines().nth(2).unwrap()).unwrap();
    assert_eq!(last, json!({"error": "too_many_lines", "next_line": 6}));
}

#[tokio::test]
async fn lines_count_against_the_rate() {
    let app = App::ready(&["--rate-limit", "3"]);
    let mut body = stream(&app, &[], lines(5000)).await.into_data_stream();
    // The request itself is one, and 512 lines are each of the other two; for more the stream waits.
    let mut count = 0;
    while let Ok(Some(part)) = tokio::time::timeout(Duration::from_secs(1), body.next()).await {
        count += part.unwrap().iter().filter(|&&byte| byte == b'\n').count();
    }
    assert!((1024..2048).contains(&count), "{count}");
}

#[tokio::test]
async fn chunks_fit_a_small_queue() {
    let app = App::ready(&["--queue-capacity", "100", "--max-rows", "100"]);
    assert_eq!(read(stream(&app, &[], lines(600)).await).await.0, 600);
}

/// A long site takes several inputs, and a request may have as many of them as of short ones.
#[tokio::test]
async fn long_rows_fit_a_small_queue() {
    let root = tempfile::TempDir::new().unwrap();
    write_model(&mitar::MODEL, root.path(), "random", true);
    let app = App::serving(root.path(), &["--queue-capacity", "600", "--max-rows", "600"]);
    let row = json!({"mirna": crate::app::MIRNA, "site": "GAUUACAGCU".repeat(10)});
    let predictor = {
        let registry = app.state.registry().unwrap();
        registry.resolve(mirador_models::tasks::Task::TargetSite, None).unwrap().predictor.clone()
    };
    assert!(predictor.most_inputs_of_request() > 600);
    assert_eq!(app.score(&vec![row.clone(); 600]).await.status, 200);
    let (count, last) = read(stream(&app, &[], (row.to_string() + "\n").repeat(600)).await).await;
    assert_eq!(count, 600, "{last}");
}

#[tokio::test]
async fn a_model_that_fails_ends_the_stream() {
    let broken: Forward = Box::new(|_| panic!("no"));
    let rebuild: mirador::serving::Rebuild = std::sync::Arc::new(|_| Err("no".into()));
    let feeding = PredictorConfig { rebuild: Some(rebuild), max_batch_size: 8, ..PredictorConfig::default() };
    let (app, _) = App::with(&dmiso::MODEL, feeding, broken);
    let (_, last) = read(stream(&app, &[], lines(5000)).await).await;
    assert_eq!(last["error"], "model_fault");
}

#[tokio::test]
async fn a_caller_who_leaves_takes_the_stream_along() {
    let (forward, go, _sizes) = gated(360);
    let (app, predictor) = App::with(&dmiso::MODEL, PredictorConfig::default(), forward);
    let body = stream(&app, &[], endless()).await;
    until(|| predictor.inputs_in_flight() > 0).await;
    drop(body);
    drop(go);
    until(|| predictor.inputs_in_flight() == 0).await;
}

/// curl waits a second for it, some clients for ever; it has to come before the reply begins.
#[test]
fn who_waits_for_100_continue_gets_it() {
    use std::io::{Read, Write};
    let mut server = crate::process::Server::start(&[]);
    server.until_ready();
    let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: test\r\ncontent-type: application/x-ndjson\r\ncontent-length: {}\r\n\
         connection: close\r\nexpect: 100-continue\r\n\r\n",
        crate::app::SCORE,
        lines(1).len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 100");
    stream.write_all(lines(1).as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.contains("HTTP/1.1 200") && reply.contains("probability"), "{reply}");
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("keys");
    let (secret, line) = Keys::make("lims", &[Scope::Score]);
    let read = |line: &str| {
        std::fs::write(&file, line).unwrap();
        Keys::read(&file).unwrap()
    };
    let app = App::ready(&[]);
    app.state.admit(read(&line));
    let mut body = stream(&app, &[("x-api-key", &secret)], endless()).await.into_data_stream();
    let mut text = body.next().await.unwrap().unwrap().to_vec();
    app.state.admit(read(&Keys::make("other", &[Scope::Score]).1));
    while let Some(part) = body.next().await {
        text.extend(part.unwrap());
    }
    let text = String::from_utf8(text).unwrap();
    let last: Value = serde_json::from_str(text.lines().next_back().unwrap()).unwrap();
    assert_eq!(last, json!({"error": "unauthorized", "next_line": text.lines().count()}));
}

#[tokio::test]
async fn one_caller_has_a_part_of_the_streams() {
    let app = App::ready(&[]);
    let ask = async || {
        let request = Request::post(crate::app::SCORE).header(NDJSON.0, NDJSON.1).body(endless()).unwrap();
        app.open(request).await
    };
    let mut open = Vec::new();
    for _ in 0..64 {
        let response = ask().await;
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    assert_eq!(ask().await.status(), 503);
    open.pop();
    until(|| true).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(ask().await.status(), 200);
}

/// Of places of lines one caller has as many as keep the workers busy.
#[tokio::test]
async fn one_caller_has_a_part_of_the_places() {
    let (forward, go, _sizes) = gated(360);
    let feeding = PredictorConfig { max_batch_size: 10, ..PredictorConfig::default() };
    let (app, predictor) = App::with(&dmiso::MODEL, feeding, forward);
    let mut open = Vec::new();
    for _ in 0..24 {
        open.push(stream(&app, &[], endless()).await);
    }
    until(|| predictor.inputs_in_flight() >= 80).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(predictor.inputs_in_flight(), 80, "eight chunks of ten");
    drop(open);
    drop(go);
}

#[tokio::test]
async fn all_callers_have_so_many_streams() {
    let app = App::ready(&["--forwarded-for"]);
    let mut open = Vec::new();
    for index in 0..257 {
        let body = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
        let caller = format!("192.0.2.{}", index / 60);
        let headers = [NDJSON, ("x-forwarded-for", caller.as_str())];
        open.push(app.open(score_request(&headers, body)).await);
    }
    let refused = open.iter().position(|response| response.status() != 200);
    assert_eq!((refused, open[256].status().as_u16()), (Some(256), 503));
}

/// Long lines are read ahead in bytes, not in number.
#[tokio::test]
async fn chunks_of_long_lines_are_small() {
    let (app, _) = App::with(&dmiso::MODEL, PredictorConfig::default(), slow(Duration::ZERO));
    let line = Bytes::from(pair().to_string() + &" ".repeat(60_000) + "\n");
    let sent = Arc::new(AtomicUsize::new(0));
    let count = sent.clone();
    let upload = stream::repeat_with(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(line.clone())
    });
    let mut reply = stream(&app, &[], Body::from_stream(upload)).await.into_data_stream();
    reply.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let sent = sent.load(Ordering::Relaxed);
    assert!(sent < 100, "{sent} lines, 6 MB");
}

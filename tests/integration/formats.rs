//! The same answers in every format: JSON, NDJSON line by line, CSV and TSV; compressed or not.

use std::convert::Infallible;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use crate::app::{App, MIRNA, SITE, assert_near, cells, pair, score_request};

const NDJSON: &str = "application/x-ndjson";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn lines_are_answered_in_order_and_bad_ones_by_an_error_line() {
    let app = App::ready(&[]);
    let good = |id: &str| json!({"id": id, "mirna": MIRNA, "site": SITE}).to_string();
    let bad = json!({"mirna": "GAXT", "site": ""}).to_string();
    let body = [good("a").as_str(), "", "{", &bad, &good("b"), r#"{"mirna": 3}"#].join("\n");
    let (reply, text) = app.post_as(NDJSON, &[], body).await;
    assert_eq!((reply.status, reply.header("content-type")), (200, NDJSON));
    assert_eq!(reply.header("x-model"), "dmiso@balanced");
    let found = lines(&text);
    let whole = app.score(&[json!({"id": "a", "mirna": MIRNA, "site": SITE})]).await;
    assert_near(&found[0], &whole.body["results"][0]);
    assert_eq!(found[3]["id"], "b");
    let errors: Vec<(u64, Vec<[&str; 2]>)> = [&found[1], &found[2], &found[4]]
        .map(|line| {
            let errors = line["errors"].as_array().unwrap().iter();
            let errors = errors.map(|error| ["pointer", "code"].map(|field| error[field].as_str().unwrap()));
            (line["line"].as_u64().unwrap(), errors.collect())
        })
        .into();
    let expected = [
        (3, vec![["", "syntax"]]),
        (4, vec![["/mirna", "invalid_letter"], ["/site", "empty_sequence"]]),
        (6, vec![["/mirna", "wrong_type"], ["", "missing_field"]]),
    ];
    assert_eq!(errors, expected);
    assert_eq!(found.len(), 5);
}

#[tokio::test]
async fn a_line_is_answered_while_the_upload_still_runs() {
    let app = App::ready(&[]);
    let (upload, parts) = mpsc::unbounded_channel::<Result<Bytes, Infallible>>();
    let body = Body::from_stream(UnboundedReceiverStream::new(parts));
    let mut reply =
        app.open(score_request(&[("content-type", NDJSON)], body)).await.into_body().into_data_stream();
    for round in 0..3 {
        let line = json!({"id": round.to_string(), "mirna": MIRNA, "site": SITE}).to_string();
        let (start, end) = line.split_at(20);
        upload.send(Ok(start.to_owned().into())).unwrap();
        upload.send(Ok(format!("{end}\n").into())).unwrap();
        let answer = reply.next().await.unwrap().unwrap();
        assert_eq!(lines(std::str::from_utf8(&answer).unwrap())[0]["id"], round.to_string());
    }
    drop(upload);
    assert!(reply.next().await.is_none());
}

#[tokio::test]
async fn lines_are_read_no_faster_than_answers_are_taken() {
    let app = App::ready(&[]);
    let line = Bytes::from(pair().to_string() + "\n");
    let (sent, sending) = (Arc::new(AtomicUsize::new(0)), 200_000);
    let count = sent.clone();
    let upload = futures_util::stream::iter(0..sending).map(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(line.clone())
    });
    let request = score_request(&[("content-type", NDJSON)], Body::from_stream(upload));
    let mut reply = app.open(request).await.into_body().into_data_stream();
    reply.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(sent.load(Ordering::Relaxed) < 20_000);
    let mut answers = 0;
    while let Some(part) = reply.next().await {
        answers += part.unwrap().iter().filter(|&&byte| byte == b'\n').count();
    }
    assert!(answers > sending - 1000 && answers < sending);
}

#[tokio::test]
async fn more_lines_than_the_queue_holds_wait_for_room() {
    let app = App::ready(&["--queue-capacity", "10000"]);
    let body = (pair().to_string() + "\n").repeat(30_000);
    let (_, text) = app.post_as(NDJSON, &[], body).await;
    let found = text.lines().filter(|line| line.contains("probability")).count();
    assert_eq!(found, 30_000);
}

#[tokio::test]
async fn tables_in_and_out_carry_the_same_answers() {
    let app = App::ready(&[]);
    let whole = app.score(&[json!({"id": "a,b", "mirna": MIRNA, "site": SITE}), pair()]).await;
    let [probability, interacts] =
        ["probability", "interacts"].map(|field| whole.body["results"][0][field].clone());
    let interacts = interacts.to_string();
    for (media_type, delimiter) in [("text/csv", ","), ("text/tab-separated-values; charset=utf-8", "\t")] {
        let row = |cells: [&str; 3]| cells.join(delimiter) + "\r\n";
        let table = [
            "\u{feff}",
            &row(["site", "mirna", "id"]),
            &row([SITE, MIRNA, "\"a,b\""]),
            &row([SITE, MIRNA, ""]),
        ];
        let (reply, text) = app.post_as(media_type, &[], table.concat()).await;
        assert_eq!((reply.status, reply.header("x-model")), (200, "dmiso@balanced"), "{text}");
        let row = |id: &str| json!([id, probability, interacts, "8mer", "", ""]);
        let header = json!(["id", "probability", "interacts", "site_type", "warnings", "pairing"]);
        assert_near(&cells(&text, delimiter.as_bytes()[0]), &json!([header, row("a,b"), row("")]));
        let (reply, text) =
            app.post_as(media_type, &[("accept", "text/html, application/json")], table.concat()).await;
        assert_eq!(reply.header("content-type"), "application/json");
        assert_near(&serde_json::from_str(&text).unwrap(), &whole.body);
    }
    let body = json!({"pairs": [pair()]}).to_string();
    let (reply, text) = app.post_as("application/json", &[("accept", "text/csv")], body).await;
    assert_eq!(reply.header("content-type"), "text/csv");
    assert!(text.starts_with("id,probability,interacts,site_type,warnings,pairing\n"), "{text}");
}

#[tokio::test]
async fn a_bad_table_names_row_and_column() {
    let app = App::ready(&[]);
    let first = format!("id,mirna,site\n1,{MIRNA},{SITE}\n");
    let cases = [
        (format!("{first}2,GAXT,{SITE}\n"), 422, "/pairs/1/mirna", "invalid_letter"),
        (format!("{first}2,{MIRNA}\n"), 400, "/pairs/1", "broken_table"),
        (format!("id,mirna,site,gene\n1,{MIRNA},{SITE},x\n"), 400, "/pairs/0/gene", "unknown_field"),
        (format!("id,mirna\n1,{MIRNA}\n"), 400, "/pairs/0", "missing_field"),
        (format!("id,mirna,site,site\n1,{MIRNA},{SITE},{SITE}\n"), 400, "/pairs/0/site", "duplicate_field"),
        ("id,mirna,site\n".to_owned(), 422, "/pairs", "empty_list"),
        (String::new(), 422, "/pairs", "empty_list"),
    ];
    for (table, status, pointer, code) in cases {
        let (reply, text) = app.post_as("text/csv", &[], table.clone()).await;
        let body: Value = serde_json::from_str(&text).unwrap();
        let error = &body["errors"][0];
        assert_eq!(
            (reply.status, error["pointer"].as_str(), error["code"].as_str()),
            (status, Some(pointer), Some(code)),
            "{table}{body}"
        );
    }
}

#[tokio::test]
async fn the_url_names_the_model_where_the_body_cannot() {
    let app = App::ready(&[]);
    let ask = async |path: &str, media_type: &str, body: String| {
        let request = axum::http::Request::post(path).header("content-type", media_type);
        let response = app.open(request.body(body.into()).unwrap()).await;
        response
            .headers()
            .get("x-model")
            .map(|name| name.to_str().unwrap().to_owned())
            .ok_or(response.status().as_u16())
    };
    let (line, table) = (pair().to_string(), format!("mirna,site\n{MIRNA},{SITE}\n"));
    let path = "/v1/target-sites/score?model=dmiso@paper";
    assert_eq!(ask(path, NDJSON, line.clone()).await.unwrap(), "dmiso@paper");
    assert_eq!(ask(path, "text/csv", table).await.unwrap(), "dmiso@paper");
    let json = |model: Value| json!({"model": model, "pairs": [pair()]}).to_string();
    assert_eq!(ask(path, "application/json", json(Value::Null)).await.unwrap(), "dmiso@paper");
    assert_eq!(ask(path, "application/json", json("dmiso@paper".into())).await.unwrap(), "dmiso@paper");
    assert_eq!(ask(path, "application/json", json("dmiso".into())).await, Err(400), "two different models");
    assert_eq!(ask("/v1/target-sites/score?model=nope", NDJSON, line).await, Err(404));
}

#[tokio::test]
async fn a_long_reply_is_the_same_as_many_short_ones() {
    let app = App::ready(&[]);
    let rows: Vec<Value> =
        (0..1500).map(|n| json!({"id": n.to_string(), "mirna": MIRNA, "site": &SITE[n % 10..]})).collect();
    let whole = app.score(&rows).await;
    let results = whole.body["results"].as_array().unwrap();
    assert_eq!(results.len(), rows.len());
    for (row, result) in rows.iter().zip(results).step_by(311) {
        let alone = &app.score(std::slice::from_ref(row)).await.body["results"][0];
        assert_near(alone, result);
    }
}

#[tokio::test]
async fn bodies_are_compressed_both_ways_and_the_limit_counts_what_comes_out() {
    let app = App::ready(&["--max-body-bytes", "100000"]);
    let gzip = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    let body = json!({"pairs": vec![pair(); 200]}).to_string();
    let headers = [("content-encoding", "gzip"), ("accept-encoding", "gzip, zstd")];
    let response = app.open(score_request(&headers, gzip(body.as_bytes()))).await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-encoding"]),
        (200, &"zstd".parse().unwrap())
    );
    let compressed = response.into_body().collect().await.unwrap().to_bytes();
    let plain = zstd::decode_all(&*compressed).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&plain).unwrap()["results"].as_array().unwrap().len(), 200);
    assert!(compressed.len() * 10 < plain.len());

    let bomb = gzip(&vec![b' '; 50_000_000]);
    assert!(bomb.len() < 100_000 * 3);
    let reply = app.send(score_request(&[("content-encoding", "gzip")], bomb)).await;
    assert_eq!(reply.status, 413);
    let reply = app.send(score_request(&[("content-encoding", "gzip")], "no gzip at all")).await;
    assert_eq!((reply.status, reply.body["errors"][0]["code"].as_str()), (400, Some("syntax")));
    let reply = app.send(score_request(&[("content-encoding", "br")], "?")).await;
    assert_eq!(
        (reply.status, reply.body["type"].as_str()),
        (415, Some("urn:mirador:problem:unsupported-media-type"))
    );
}

//! Room for bodies, for the rows in them and for the replies to them: bounded for each caller and for all.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::app::{App, MIRNA, SCORE, SITE, pair};

const CSV: &str = "text/csv";
const JSON: &str = "application/json";
/// Of which one caller has half.
const ROOM: [&str; 3] = ["--max-bodies-bytes", "1048576", "--forwarded-for"];

/// A pair behind so many blanks.
fn padded(blanks: usize) -> String {
    " ".repeat(blanks) + &json!({"pairs": [pair()]}).to_string()
}

async fn ask(app: &App, caller: &str, path: &str, media_type: &str, body: impl Into<Body>) -> Response<Body> {
    let request = Request::post(path).header("content-type", media_type).header("x-forwarded-for", caller);
    app.open(request.body(body.into()).unwrap()).await
}

async fn status(app: &App, caller: &str, body: String) -> u16 {
    ask(app, caller, SCORE, JSON, body).await.status().as_u16()
}

/// Begins a body of so many bytes, whose last never come.
async fn begin(app: &App, caller: &'static str, bytes: usize) -> tokio::task::JoinHandle<()> {
    let parts = stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![b' '; bytes]))]);
    let (app, body) = (app.clone(), Body::from_stream(parts.chain(stream::pending())));
    let asking = tokio::spawn(async move { drop(ask(&app, caller, SCORE, JSON, body).await) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    asking
}

#[tokio::test]
async fn one_caller_has_half_of_it() {
    let app = App::ready(&ROOM);
    assert_eq!(status(&app, "192.0.2.1", padded(400_000)).await, 200);
    assert_eq!(status(&app, "192.0.2.1", padded(600_000)).await, 503);
    let held = begin(&app, "192.0.2.1", 400_000).await;
    let (own, other) =
        tokio::join!(status(&app, "192.0.2.1", padded(400_000)), status(&app, "192.0.2.2", padded(400_000)));
    assert_eq!((own, other), (503, 200));
    assert_eq!(status(&app, "192.0.2.1", padded(0)).await, 200, "a small body needs none");
    held.abort();
}

#[tokio::test]
async fn all_callers_have_no_more_than_there_is() {
    let app = App::ready(&ROOM);
    let held = [begin(&app, "192.0.2.1", 500_000).await, begin(&app, "192.0.2.2", 500_000).await];
    assert_eq!(status(&app, "192.0.2.3", padded(400_000)).await, 503);
    // A moment is waited for room.
    let waiting = tokio::spawn({
        let app = app.clone();
        async move { status(&app, "192.0.2.3", padded(400_000)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    held.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(waiting.await.unwrap(), 200);
}

#[tokio::test]
async fn it_is_kept_until_the_reply_was_taken() {
    let app = App::ready(&ROOM);
    for (path, media_type) in [(SCORE, JSON), (SCORE, CSV), ("/v2/models/dmiso/infer", JSON)] {
        let body = || match (path, media_type) {
            (SCORE, JSON) => padded(400_000),
            (SCORE, _) => format!("{}mirna,site\n{MIRNA},{SITE}\n", "\n".repeat(400_000)),
            _ => {
                " ".repeat(400_000)
                    + &json!({"inputs": [tensor("mirna", MIRNA, 1), tensor("site", SITE, 1)]}).to_string()
            }
        };
        let untaken = ask(&app, "192.0.2.1", path, media_type, body()).await;
        assert_eq!(untaken.status(), 200, "{path} {media_type}");
        assert_eq!(
            ask(&app, "192.0.2.1", path, media_type, body()).await.status(),
            503,
            "{path} {media_type}"
        );
        drop(untaken);
        assert_eq!(
            ask(&app, "192.0.2.1", path, media_type, body()).await.status(),
            200,
            "{path} {media_type}"
        );
    }
}

fn tensor(name: &str, text: &str, rows: usize) -> Value {
    json!({"name": name, "datatype": "BYTES", "shape": [rows], "data": vec![text; rows]})
}

/// Half a KiB each, with the result: far more than the letters of a short row.
#[tokio::test]
async fn rows_count_for_what_is_made_of_them() {
    let app = App::ready(&ROOM);
    let table = |rows: usize| "mirna,site\n".to_owned() + &format!("{MIRNA},{SITE}\n").repeat(rows);
    let tensors = |rows: usize| {
        json!({"inputs": [tensor("mirna", MIRNA, rows), tensor("site", SITE, rows)]}).to_string()
    };
    for rows in [500, 1200] {
        let expected = if rows == 500 { 200 } else { 413 };
        for (path, media_type, body) in
            [(SCORE, CSV, table(rows)), ("/v2/models/dmiso/infer", JSON, tensors(rows))]
        {
            let reply = ask(&app, "192.0.2.1", path, media_type, body).await;
            assert_eq!(reply.status(), expected, "{path} {rows}");
        }
    }
}

/// Columns of the caller's own stand in the body, in the rows and in the reply.
#[tokio::test]
async fn columns_that_pass_count_three_times() {
    let app = App::ready(&ROOM);
    let url = format!("{SCORE}?keep_columns=true");
    for (note, expected) in [(10_000, 200), (25_000, 413)] {
        let note = "x".repeat(note);
        let table = "mirna,site,note\n".to_owned() + &format!("{MIRNA},{SITE},{note}\n").repeat(10);
        let rows =
            json!({"pairs": vec![json!({"mirna": MIRNA, "site": SITE, "note": note}); 10]}).to_string();
        for (media_type, body) in [(CSV, table), (JSON, rows)] {
            let reply = ask(&app, "192.0.2.1", &url, media_type, body).await;
            assert_eq!(reply.status(), expected, "{media_type} {}", note.len());
        }
    }
}

//! What pages in a browser may do, and what they may not.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::access::guarded;
use crate::app::{App, Reply, SCORE, pair, score_request};

const LAB: &str = "https://lab.example";

fn body() -> String {
    json!({"pairs": [pair()]}).to_string()
}

async fn score(app: &App, headers: &[(&str, &str)]) -> Reply {
    app.send(score_request(headers, body())).await
}

async fn preflight(app: &App, path: &str, origin: &str) -> Reply {
    let request = Request::options(path)
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-deadline-ms");
    app.send(request.body(Body::empty()).unwrap()).await
}

fn varies(reply: &Reply) -> bool {
    let values = reply.headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(','));
    values.map(str::trim).any(|name| name.eq_ignore_ascii_case("origin"))
}

#[tokio::test]
async fn a_listed_page_may_read_every_reply() {
    let (app, [secret, ..]) = guarded(&["--cors-origin", LAB, "--cors-origin", "http://localhost:3000"]);
    let key = ("x-api-key", secret.as_str());
    let scored = score(&app, &[("origin", LAB), key]).await;
    assert_eq!(scored.status, 200);
    let refused = score(&app, &[("origin", LAB)]).await;
    let unread = app
        .send(score_request(&[("origin", LAB), key], r#"{"pairs": [{"mirna": "X", "site": "ACGUAC"}]}"#))
        .await;
    let wrong_type = score(&app, &[("origin", LAB), key, ("content-type", "image/png")]).await;
    let nowhere = Request::get("/nowhere").header("origin", LAB).header(key.0, key.1);
    let nowhere = app.send(nowhere.body(Body::empty()).unwrap()).await;
    assert_eq!([refused.status, unread.status, wrong_type.status], [401, 422, 415]);
    for reply in [&scored, &refused, &unread, &wrong_type, &nowhere] {
        assert_eq!(reply.header("access-control-allow-origin"), LAB, "{}", reply.status);
        let exposed = reply.header("access-control-expose-headers").to_lowercase();
        for name in ["x-model", "x-request-id", "retry-after", "x-ratelimit-remaining", "server-timing"] {
            assert!(exposed.contains(name), "{name}");
        }
        assert!(varies(reply), "{}", reply.status);
        assert!(!reply.headers.contains_key("access-control-allow-credentials"));
    }
    let other = score(&app, &[("origin", "http://localhost:3000"), key]).await;
    assert_eq!(other.header("access-control-allow-origin"), "http://localhost:3000");
    let bare = score(&app, &[key]).await;
    assert!(varies(&bare) && !bare.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_preflight_is_answered_before_keys_are_asked_for() {
    let (app, _) = guarded(&["--cors-origin", LAB, "--rate-limit", "1"]);
    for path in [SCORE, "/v2/models/dmiso/infer", "/v1/models/dmiso"] {
        let reply = preflight(&app, path, LAB).await;
        assert_eq!((reply.status, &reply.body), (204, &json!("")), "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), LAB);
        assert!(reply.header("access-control-allow-methods").contains("POST"));
        let headers = reply.header("access-control-allow-headers").to_lowercase();
        assert!(["authorization", "content-type", "x-deadline-ms"].iter().all(|name| headers.contains(name)));
        assert!(varies(&reply));
    }
    let stranger = preflight(&app, SCORE, "https://evil.example").await;
    assert_eq!(stranger.status, 403);
    assert!(varies(&stranger) && !stranger.headers.contains_key("access-control-allow-origin"));
    let plain = app.send(Request::options(SCORE).body(Body::empty()).unwrap()).await;
    assert_eq!(plain.status, 401, "no preflight");
}

#[tokio::test]
async fn no_page_of_another_origin_is_let_in_by_default() {
    let app = App::ready(&[]);
    let reply = preflight(&app, SCORE, LAB).await;
    assert!(!reply.headers.contains_key("access-control-allow-origin") && reply.status != 204);
    let read = app.send(Request::get("/v1/models").header("origin", LAB).body(Body::empty()).unwrap()).await;
    assert!(!read.headers.contains_key("access-control-allow-origin"));
    let any = App::ready(&["--cors-origin", "*"]);
    for origin in [LAB, "null"] {
        let reply = score(&any, &[("origin", origin)]).await;
        assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, "*"));
        assert_eq!(preflight(&any, SCORE, origin).await.status, 204);
    }
}

/// Simple requests come with no preflight, so the browser would send them.
#[tokio::test]
async fn a_strangers_post_is_refused_before_its_body_is_read() {
    let app = App::ready(&["--cors-origin", LAB]);
    for path in [SCORE, "/v2/models/dmiso/infer", "/v1/pre-mirnas/classify"] {
        for media_type in
            ["text/plain", "application/json", "application/octet-stream", "text/csv", "multipart/form-data"]
        {
            for origin in [
                "https://evil.example",
                "null",
                "https://lab.example.evil.example",
                "http://lab.example",
                "nonsense",
            ] {
                let never =
                    Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
                let request = Request::post(path).header("host", "mirador.example:8080");
                let request = request.header("origin", origin).header("content-type", media_type);
                let reply = tokio::time::timeout(
                    std::time::Duration::from_secs(5),
                    app.send(request.body(never).unwrap()),
                );
                let reply = reply.await.expect("nobody waits for the body");
                assert_eq!(reply.status, 403, "{path} {media_type} {origin}");
                assert_eq!(reply.body["type"], "urn:mirador:problem:foreign-origin");
            }
        }
    }
    for method in ["PUT", "DELETE", "PATCH"] {
        let request =
            Request::builder().method(method).uri("/v1/models").header("origin", "https://evil.example");
        assert_eq!(app.send(request.body(Body::empty()).unwrap()).await.status, 403, "{method}");
    }
}

#[tokio::test]
async fn our_own_pages_always_pass() {
    let (direct, proxied) = (App::ready(&[]), App::ready(&["--forwarded-for"]));
    for (origin, host) in [
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://localhost", "localhost"),
        ("https://Mirador.example", "mirador.example:443"),
        ("http://[::1]:8080", "[::1]:8080"),
    ] {
        assert_eq!(score(&direct, &[("origin", origin), ("host", host)]).await.status, 200, "{origin}");
    }
    let outside = ("origin", "https://lab.example:8443");
    let inside = ("host", "127.0.0.1:8080");
    for forwarded in [
        &[("x-forwarded-host", "lab.example:8443")][..],
        &[("x-forwarded-host", "made.up, lab.example:8443")],
        &[("x-forwarded-host", "lab.example"), ("x-forwarded-port", "8443")],
    ] {
        let headers = [&[outside, inside], forwarded].concat();
        assert_eq!(score(&proxied, &headers).await.status, 200, "{forwarded:?}");
        assert_eq!(score(&direct, &headers).await.status, 403, "nobody is believed who need not be a proxy");
    }
    for kept in
        [&[("host", "lab.example:8443")][..], &[("host", "lab.example"), ("x-forwarded-port", "8443")]]
    {
        let headers = [&[outside], kept].concat();
        assert_eq!(score(&proxied, &headers).await.status, 200, "a proxy that keeps Host: {kept:?}");
    }
    let made_up = [outside, inside, ("x-forwarded-host", "lab.example:8443, other.example")];
    assert_eq!(
        score(&proxied, &made_up).await.status,
        403,
        "what stands before the last, the caller can make up"
    );
}

#[tokio::test]
async fn only_the_hosts_that_are_named_are_answered() {
    let app = App::ready(&["--allowed-host", "lab.example", "--allowed-host", "127.0.0.1:8080"]);
    let ask = async |host: &str| {
        let request = Request::get("/v1/models").header("host", host);
        app.send(request.body(Body::empty()).unwrap()).await
    };
    for host in ["lab.example", "LAB.example:8443", "lab.example.", "127.0.0.1:8080"] {
        assert_eq!(ask(host).await.status, 200, "{host}");
    }
    for host in
        ["evil.example", "lab.example.evil", "127.0.0.1:9", "127.0.0.1", "", "lab.example@evil.example"]
    {
        let refused = ask(host).await;
        assert_eq!(refused.status, 421, "{host}");
        assert_eq!(refused.body["type"], "urn:mirador:problem:misdirected");
    }
    assert_eq!(app.get("/v1/models").await.status, 421, "no host at all");
    let twice = Request::get("/v1/models").header("host", "lab.example").header("host", "evil.example");
    assert_eq!(app.send(twice.body(Body::empty()).unwrap()).await.status, 421);
    let absolute = Request::get("http://evil.example/v1/models").header("host", "lab.example");
    assert_eq!(
        app.send(absolute.body(Body::empty()).unwrap()).await.status,
        421,
        "HTTP/2 names it in the address"
    );
}

#[tokio::test]
async fn the_inference_protocol_takes_no_types_that_a_page_may_send() {
    let app = App::ready(&[]);
    let tensor =
        |name: &str, value: &Value| json!({"name": name, "datatype": "BYTES", "shape": [1], "data": [value]});
    let pair = pair();
    let body =
        json!({"inputs": [tensor("mirna", &pair["mirna"]), tensor("site", &pair["site"])]}).to_string();
    let length = body.len().to_string();
    let ask = async |headers: &[(&str, &str)]| {
        let mut request = Request::post("/v2/models/dmiso/infer");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        app.send(request.body(body.clone().into()).unwrap()).await.status
    };
    for media_type in [
        "application/json",
        "application/json; charset=utf-8",
        "application/octet-stream",
        "Application/JSON",
    ] {
        assert_eq!(ask(&[("content-type", media_type)]).await, 200, "{media_type}");
    }
    assert_eq!(
        ask(&[("inference-header-content-length", &length)]).await,
        200,
        "Triton's client names no type"
    );
    for media_type in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/csv", ""]
    {
        assert_eq!(ask(&[("content-type", media_type)]).await, 415, "{media_type}");
    }
    let tricked = [("content-type", "text/plain"), ("inference-header-content-length", length.as_str())];
    assert_eq!(ask(&tricked).await, 415);
}

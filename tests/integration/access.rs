//! Who is answered, and how often.

use axum::body::Body;
use axum::http::Request;
use mirador::http::{Keys, Scope, openapi};
use serde_json::{Value, json};

use crate::app::{App, Reply, SCORE, pair, score_request};

/// An application that knows a key for each scope; their secrets.
pub(crate) fn guarded(flags: &[&str]) -> (App, [String; 3]) {
    let app = App::ready(flags);
    let made =
        [Scope::Score, Scope::Read, Scope::Metrics].map(|scope| Keys::make(&scope.to_string(), &[scope]));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), made.each_ref().map(|(_, line)| line.clone()).join("\n")).unwrap();
    app.state.admit(Keys::read(file.path()).unwrap());
    (app, made.map(|(secret, _)| secret))
}

async fn get(app: &App, path: &str, secret: &str) -> Reply {
    let request = Request::get(path).header("authorization", format!("Bearer {secret}"));
    app.send(request.body(Body::empty()).unwrap()).await
}

fn body() -> String {
    json!({"pairs": [pair()]}).to_string()
}

#[tokio::test]
async fn without_a_key_no_route_of_the_document_answers_but_health() {
    let (app, _) = guarded(&[]);
    let document = serde_json::to_value(openapi()).unwrap();
    let (mut open, mut walked) = (Vec::new(), 0);
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            let path =
                path.replace("{name}", "dmiso").replace("{model}", "dmiso").replace("{version}", "paper");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            let reply = app.send(request.body(Body::empty()).unwrap()).await;
            walked += 1;
            match reply.status {
                401 => assert_eq!(reply.header("www-authenticate"), "Bearer"),
                _ => open.push(path),
            }
        }
    }
    assert!(walked > 8);
    assert!(open.iter().all(|path| path.contains("/health/")), "{open:?}");
    assert_eq!(app.get("/no/such/route").await.status, 401);
    assert_eq!(app.get("/docs/").await.status, 401);
}

#[tokio::test]
async fn a_key_opens_what_its_scope_allows() {
    let (app, [score, read, metrics]) = guarded(&[]);
    for (secret, status) in [(&score, 200), (&read, 403), (&metrics, 403), (&format!("{score}x"), 401)] {
        for header in [("authorization", format!("Bearer {secret}")), ("x-api-key", secret.clone())] {
            let reply = app.send(score_request(&[(header.0, &header.1)], body())).await;
            assert_eq!(reply.status, status, "{}", reply.body);
        }
    }
    for (path, [score_status, read_status, metrics_status]) in
        [("/v1/models", [403, 200, 403]), ("/openapi.json", [403, 200, 403]), ("/metrics", [403, 403, 200])]
    {
        assert_eq!(get(&app, path, &score).await.status, score_status, "{path}");
        assert_eq!(get(&app, path, &read).await.status, read_status, "{path}");
        assert_eq!(get(&app, path, &metrics).await.status, metrics_status, "{path}");
    }
    let refused = get(&app, "/v1/models", &score).await;
    assert_eq!(refused.body["type"], "urn:mirador:problem:forbidden");
    assert_eq!(refused.body["detail"], "this key lacks the scope read");
}

#[tokio::test]
async fn a_caller_over_the_rate_is_told_when_to_come_back() {
    let (app, [score, read, _]) = guarded(&["--rate-limit", "3"]);
    let ask = async || app.send(score_request(&[("x-api-key", &score)], body())).await;
    let standing = |reply: &Reply| {
        ["limit", "remaining", "reset"]
            .map(|name| reply.header(&format!("x-ratelimit-{name}")).parse::<u64>().unwrap())
    };
    for expected in [[3, 2, 20], [3, 1, 40], [3, 0, 60]] {
        let reply = ask().await;
        assert_eq!((reply.status, standing(&reply)), (200, expected));
    }
    let refused = ask().await;
    assert_eq!(
        (refused.status, refused.body["type"].as_str()),
        (429, Some("urn:mirador:problem:rate-limited"))
    );
    let [limit, remaining, reset] = standing(&refused);
    assert_eq!((limit, remaining, refused.header("retry-after")), (3, 0, reset.to_string().as_str()));
    assert!((1..=20).contains(&reset), "{reset}");
    assert_eq!(get(&app, "/v1/models", &read).await.status, 200, "another key has its own count");
    assert_eq!(app.get("/health/live").await.status, 200, "health is not counted");
}

#[tokio::test]
async fn without_keys_callers_are_counted_by_address() {
    let app = App::ready(&["--rate-limit", "1", "--forwarded-for"]);
    let ask =
        async |address: &str| app.send(score_request(&[("x-forwarded-for", address)], body())).await.status;
    assert_eq!(ask("192.0.2.1").await, 200);
    assert_eq!(
        ask("198.51.100.7, 192.0.2.1").await,
        429,
        "what stands before the last, the caller can make up"
    );
    assert_eq!(ask("192.0.2.2").await, 200);
    let direct = App::ready(&["--rate-limit", "1"]);
    assert_eq!(direct.get("/v1/models").await.status, 200);
    let request = Request::get("/v1/models").header("x-forwarded-for", "192.0.2.9");
    assert_eq!(
        direct.send(request.body(Body::empty()).unwrap()).await.status,
        429,
        "nobody else is believed"
    );
}

#[tokio::test]
async fn callers_are_told_apart_however_the_proxy_writes_them() {
    let app = App::ready(&["--rate-limit", "1", "--forwarded-for"]);
    let ask = async |address: &str| {
        let request = Request::get("/v1/models").header("x-forwarded-for", address);
        app.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(ask("1.2.3.4:55").await, 200);
    assert_eq!(ask("1.2.3.5:66").await, 200, "another caller behind the same proxy");
    for same in
        ["1.2.3.4:77", "1.2.3.4", "\"1.2.3.4:78\"", "for=1.2.3.4", "::ffff:1.2.3.4", "[::ffff:1.2.3.4]:9"]
    {
        assert_eq!(ask(same).await, 429, "{same}");
    }
    assert_eq!(ask("[2001:db8:0:1::1]:443").await, 200);
    for same in ["2001:db8:0:1::2", "[2001:db8:0:1:ffff::3]", "[2001:db8:0:1:abcd::]:1"] {
        assert_eq!(ask(same).await, 429, "{same}: one /64 is one caller");
    }
    assert_eq!(ask("2001:db8:0:2::1").await, 200);
}

#[tokio::test]
async fn requests_without_a_known_key_are_counted_and_bounded_by_address() {
    let (app, [score, ..]) = guarded(&["--rate-limit", "3", "--forwarded-for"]);
    let ask = async |address: &str, key: &str| {
        let request = Request::get("/v1/models").header("x-forwarded-for", address).header("x-api-key", key);
        app.send(request.body(Body::empty()).unwrap()).await
    };
    for (index, remaining) in ["2", "1", "0"].into_iter().enumerate() {
        let refused = ask("192.0.2.1", &format!("guess {index}")).await;
        assert_eq!((refused.status, refused.header("x-ratelimit-remaining")), (401, remaining));
        assert_eq!(refused.header("x-ratelimit-limit"), "3");
    }
    let bounded = ask("192.0.2.1", "guess 4").await;
    assert_eq!(bounded.status, 429);
    assert!(!bounded.header("retry-after").is_empty());
    assert_eq!(ask("192.0.2.2", "guess").await.status, 401, "another address has its own count");
    let known = ask("192.0.2.1", &score).await;
    assert_eq!(
        (known.status, known.header("x-ratelimit-remaining")),
        (403, "2"),
        "whoever has a key is counted by it, a missing scope too"
    );
}

#[tokio::test]
async fn documents_can_be_left_open_to_people() {
    let documents = ["/", "/docs", "/docs/", "/docs/index.css", "/page/page.js", "/openapi.json"];
    let (closed, _) = guarded(&[]);
    let (open, _) = guarded(&["--public-docs", "--rate-limit", "20"]);
    for path in documents {
        assert_eq!(closed.get(path).await.status, 401, "{path}");
        let reply = open.get(path).await;
        assert!([200, 303, 307, 308].contains(&reply.status), "{path}: {}", reply.status);
        assert!(!reply.header("x-ratelimit-remaining").is_empty(), "{path} is counted");
    }
    for path in ["/v1/models", "/metrics", "/service-info", "/docsx", "//docs/", "/pages", "/v2"] {
        assert_eq!(open.get(path).await.status, 401, "{path}");
    }
    assert_eq!(open.post(body()).await.status, 401);
}

#[tokio::test]
async fn the_problems_of_access_are_in_the_document() {
    let document: Value = serde_json::to_value(openapi()).unwrap();
    for status in ["401", "403", "429"] {
        assert!(document["paths"][SCORE]["post"]["responses"][status].is_object(), "{status}");
    }
}

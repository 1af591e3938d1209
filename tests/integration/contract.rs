//! Every refusal that the contract lists, as the caller sees it.

use axum::body::Body;
use axum::http::Request;
use mirador::serving::PredictorConfig;
use mirador_models::networks::dmiso;
use mirador_models::{Encoder, Model};
use serde_json::{Value, json};

use crate::app::{App, MIRNA, Reply, SCORE, SITE, pair, score_request};
use crate::reading::{NDJSON, ask};

/// Checks what holds for every problem and returns what is peculiar to this one.
pub(crate) fn problem(reply: &Reply, status: u16, kind: &str) -> Value {
    assert_eq!(reply.status, status, "{}", reply.body);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.header("x-request-id"), "test");
    assert_eq!(reply.body["request_id"], "test");
    assert_eq!(reply.body["status"], status);
    assert_eq!(reply.body["type"], format!("urn:mirador:problem:{kind}"));
    assert!(!reply.body["title"].as_str().unwrap().is_empty());
    let errors = reply.body["errors"].as_array().cloned().unwrap_or_default();
    let short = |error: &Value| json!([error["pointer"], error["code"]]);
    json!({"detail": reply.body["detail"], "errors": errors.iter().map(short).collect::<Vec<_>>()})
}

#[tokio::test]
async fn a_problem_in_full() {
    let app = App::ready(&[]);
    let reply = app.score(&[pair(), json!({"mirna": MIRNA, "site": "ACGUXACGU"})]).await;
    insta::assert_json_snapshot!(reply.body, @r#"
    {
      "type": "urn:mirador:problem:invalid-input",
      "title": "The input is not acceptable",
      "status": 422,
      "detail": "1 value of the request is not acceptable; `errors` names each",
      "request_id": "test",
      "errors": [
        {
          "pointer": "/pairs/1/site",
          "code": "invalid_letter",
          "detail": "letter 'X' at position 5 is not a nucleotide; use A, C, G, U or T, or N for any base"
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn malformed_bodies() {
    let app = App::ready(&[]);
    let refused = async |body: &str| {
        problem(&app.post(body.to_owned()).await, 400, "malformed-request")["errors"].clone()
    };
    assert_eq!(refused("{").await, json!([["", "syntax"]]));
    assert_eq!(refused("").await, json!([["", "syntax"]]));
    assert_eq!(refused(r#"{"pairs": []} x"#).await, json!([["", "syntax"]]));
    assert_eq!(refused("[]").await, json!([["", "wrong_type"]]));
    assert_eq!(refused("null").await, json!([["", "wrong_type"]]));
    assert_eq!(refused("{}").await, json!([["", "missing_field"]]));
    assert_eq!(refused(r#"{"pairs": {}}"#).await, json!([["/pairs", "wrong_type"]]));
    assert_eq!(refused(r#"{"pairs": [], "pairs": []}"#).await[0][1], "duplicate_field");
    assert_eq!(refused(r#"{"pairs": [], "colour": 1}"#).await, json!([["/colour", "unknown_field"]]));
    let pair = format!(r#""mirna": "{MIRNA}""#);
    assert_eq!(
        refused(&format!(r#"{{"pairs": [{{{pair}}}]}}"#)).await,
        json!([["/pairs/0", "missing_field"]])
    );
    assert_eq!(
        refused(&format!(r#"{{"pairs": [{{{pair}, "site": 3}}]}}"#)).await,
        json!([["/pairs/0/site", "wrong_type"]])
    );
    assert_eq!(
        refused(&format!(r#"{{"pairs": [{{{pair}, "site": "{SITE}", "sites": 1}}]}}"#)).await,
        json!([["/pairs/0/sites", "unknown_field"]])
    );
}

#[tokio::test]
async fn every_bad_value_is_named() {
    let app = App::ready(&[]);
    let rows = [
        pair(),
        json!({"mirna": MIRNA, "site": "ACGU-ACGU"}),
        pair(),
        pair(),
        json!({"mirna": "UGAGGUAGUAGGUUGUAUAG!", "site": "ACG"}),
        json!({"mirna": " ", "site": SITE, "id": "x".repeat(257)}),
    ];
    let found = problem(&app.score(&rows).await, 422, "invalid-input");
    insta::assert_json_snapshot!(found, @r#"
    {
      "detail": "5 values of the request are not acceptable; `errors` names each",
      "errors": [
        [
          "/pairs/1/site",
          "invalid_letter"
        ],
        [
          "/pairs/4/mirna",
          "invalid_letter"
        ],
        [
          "/pairs/4/site",
          "invalid_length"
        ],
        [
          "/pairs/5/id",
          "id_too_long"
        ],
        [
          "/pairs/5/mirna",
          "empty_sequence"
        ]
      ]
    }
    "#);
    let found = problem(&app.score(&[]).await, 422, "invalid-input");
    assert_eq!(found["errors"], json!([["/pairs", "empty_list"]]));
}

/// JSON may hold half of a pair of escapes, which no text is.
#[tokio::test]
async fn half_of_a_pair_of_escapes_is_named() {
    let app = App::ready(&[]);
    for (row, told) in [
        (
            pair().to_string().replacen('{', r#"{"\udc00":1,"#, 1),
            "a row has a field whose name cannot be read",
        ),
        (format!(r#"{{"mirna":"\ud800","site":"{SITE}"}}"#), "mirna is not text"),
    ] {
        for (format, body) in [("application/json", format!(r#"{{"pairs":[{row}]}}"#)), (NDJSON, row)] {
            let (_, body) = ask(&app, SCORE, format, "", body).await;
            assert!(body["errors"][0]["detail"].as_str().unwrap().starts_with(told), "{body}");
        }
    }
}

/// A reply stays shorter than its request, whatever is wrong with it.
#[tokio::test]
async fn of_many_errors_a_hundred_are_named() {
    let app = App::ready(&[]);
    let reply = app.score(&vec![json!({"mirna": "X", "site": "X"}); 1000]).await;
    let found = problem(&reply, 422, "invalid-input");
    assert_eq!((found["errors"].as_array().unwrap().len(), &reply.body["more_errors"]), (100, &json!(1900)));
    assert_eq!(
        found["detail"],
        "2000 values of the request are not acceptable; `errors` names the first 100"
    );
    let mut row = pair();
    row["x".repeat(100_000)] = json!(1);
    let reply = app.score(&[row]).await;
    problem(&reply, 400, "malformed-request");
    assert!(reply.body.to_string().len() < 2_000, "{}", reply.body.to_string().len());
    // Three hundred names that nobody knows, in each of fifty rows; neither sequence is there.
    let strange: Value = (0..300).map(|index| (format!("x{index}"), json!(0))).collect();
    let reply = app.score(&vec![strange.clone(); 50]).await;
    let errors = problem(&reply, 400, "malformed-request")["errors"].as_array().unwrap().len();
    assert_eq!((errors, &reply.body["more_errors"]), (100, &json!(50 * 302 - 100)));
    let (_, line) = ask(&app, SCORE, NDJSON, "", strange.to_string()).await;
    assert_eq!((line["errors"].as_array().unwrap().len(), &line["more_errors"]), (100, &json!(202)));
}

#[tokio::test]
async fn too_much() {
    let app = App::ready(&[]);
    let found = problem(&app.score(&vec![pair(); 10_001]).await, 413, "too-many-rows");
    assert!(found["detail"].as_str().unwrap().starts_with("a request may have up to 10000 rows; "));
    assert_eq!(app.score(&vec![pair(); 10_000]).await.status, 200);

    let found = problem(&app.post(vec![b' '; 17 << 20]).await, 413, "body-too-large");
    assert_eq!(found["detail"], "a body may have up to 16777216 bytes");
    problem(&app.post(vec![b' '; 64 << 20]).await, 413, "body-too-large");
}

#[tokio::test]
async fn names_that_are_not_there() {
    let app = App::ready(&[]);
    for model in ["dmiso@best", "demiso", ""] {
        let body = json!({"model": model, "pairs": [pair()]}).to_string();
        let found = problem(&app.post(body).await, 404, "unknown-model");
        assert_eq!(found["detail"], format!("no model {model:?}; there is: dmiso@balanced, dmiso@paper"));
    }
    problem(&app.get("/v1/models/demiso").await, 404, "unknown-model");
    problem(&app.get("/v1/models/%ff").await, 400, "malformed-request");
    problem(&app.get("/v2/models").await, 404, "not-found");
    problem(&app.get("/docs/nothing.js").await, 404, "not-found");
}

#[tokio::test]
async fn wrong_method_and_wrong_content_type() {
    let app = App::ready(&[]);
    let reply = app.get(SCORE).await;
    problem(&reply, 405, "method-not-allowed");
    assert_eq!(reply.header("allow"), "POST");
    let body = json!({"pairs": [pair()]}).to_string();
    for (content_type, named) in [
        ("text/plain", "is \"text/plain\""),
        ("application/jsonp; a=b", "is \"application/jsonp\""),
        ("", "is missing"),
    ] {
        let reply = app.send(score_request(&[("content-type", content_type)], body.clone())).await;
        let problem = problem(&reply, 415, "unsupported-media-type");
        assert!(problem["detail"].as_str().unwrap().contains(named), "{problem}");
    }
    let request = score_request(&[("content-type", "Application/JSON; charset=utf-8")], body);
    assert_eq!(app.send(request).await.status, 200);
}

#[tokio::test]
async fn not_ready_means_try_again() {
    let app = App::starting(&[]);
    for reply in [app.score(&[pair()]).await, app.get("/v1/models").await, app.get("/health/ready").await] {
        problem(&reply, 503, "starting");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(app.get("/health/live").await.status, 200);

    let app = App::ready(&[]);
    assert_eq!(app.get("/health/ready").await.status, 200);
    app.state.drain();
    problem(&app.get("/health/ready").await, 503, "draining");
    assert_eq!(app.score(&[pair()]).await.status, 200, "what still comes while draining is answered");
}

#[tokio::test]
async fn a_failing_row_is_an_internal_problem_without_its_reason() {
    let failing = Box::new(|_: &[f32]| panic!("secret reason"));
    let (app, _) = App::with(&dmiso::MODEL, PredictorConfig::default(), failing);
    let reply = app.score(&[pair()]).await;
    problem(&reply, 500, "internal");
    assert!(!reply.body.to_string().contains("secret"));
}

#[tokio::test]
async fn a_panic_in_a_handler_is_an_internal_problem() {
    static BROKEN: Model =
        Model { encoder: |_| Ok(Encoder::target_site([90, 4], |_| panic!("secret reason"))), ..dmiso::MODEL };
    let (app, _) = App::with(&BROKEN, PredictorConfig::default(), Box::new(|_| vec![]));
    for rows in [1, 1000] {
        let reply = app.score(&vec![pair(); rows]).await;
        problem(&reply, 500, "internal");
        assert!(!reply.body.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn request_ids() {
    let app = App::ready(&[]);
    let id_for = async |given: &str| {
        let request = Request::get("/health/live").header("x-request-id", given).body(Body::empty()).unwrap();
        app.send(request).await.header("x-request-id").to_owned()
    };
    assert_eq!(id_for("job-7/row:3").await, "job-7/row:3");
    assert_eq!(id_for(&"x".repeat(128)).await, "x".repeat(128));
    for insane in ["", "two words", &"x".repeat(129)] {
        assert_eq!(id_for(insane).await.len(), 36, "a new UUID");
    }
}

//! What a score is: the same for the same pair, in order, by the model that was asked.

use serde_json::{Value, json};

use crate::app::{App, MIRNA, SITE, assert_near, pair};

#[tokio::test]
async fn a_reply_in_full() {
    let app = App::ready(&[]);
    let long = format!("RYACGUACGU{SITE}{SITE}{SITE}");
    let mut reply =
        app.score(&[json!({"id": "p1", "mirna": " tgaggtagtaggttgtatagtt\n", "site": long})]).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("x-request-id"), "test");
    let timing = reply.header("server-timing");
    assert!(timing.starts_with("queue;dur=") && timing.contains(", forward;dur="), "{timing}");
    let probability = reply.body["results"][0]["probability"].take().as_f64().unwrap();
    assert!((0.0..=1.0).contains(&probability));
    reply.body["results"][0]["interacts"].take();
    insta::assert_json_snapshot!(reply.body, @r#"
    {
      "model": {
        "name": "dmiso",
        "version": "balanced"
      },
      "results": [
        {
          "id": "p1",
          "probability": null,
          "interacts": null,
          "site_type": "8mer",
          "warnings": [
            "site: 2 of 76 letters are unknown (first: R at position 1)",
            "site of 76 nt: only its middle, positions 9 to 68, was read"
          ]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn concurrent_callers_get_their_own_rows() {
    let app = App::ready(&[]);
    let sites: Vec<Value> =
        (6..100).map(|n| json!({"mirna": MIRNA, "site": "GATTACAC".repeat(13)[..n]})).collect();
    let expected = app.score(&sites).await.probabilities();
    let callers = sites.iter().cloned().map(|site| {
        let app = app.clone();
        tokio::spawn(async move { app.score(&[site]).await.probabilities()[0] })
    });
    for (caller, expected) in callers.collect::<Vec<_>>().into_iter().zip(expected) {
        assert!((caller.await.unwrap() - expected).abs() < 1e-5);
    }
}

#[tokio::test]
async fn ids_are_echoed_in_order_and_only_where_given() {
    let app = App::ready(&[]);
    let with = |id: Value| json!({"id": id, "mirna": MIRNA, "site": SITE});
    let most = "é".repeat(256);
    let reply = app
        .score(&[with("b".into()), pair(), with("".into()), with(Value::Null), with(most.clone().into())])
        .await;
    let ids: Vec<Option<&str>> =
        reply.body["results"].as_array().unwrap().iter().map(|result| result.get("id")?.as_str()).collect();
    assert_eq!(ids, [Some("b"), None, Some(""), None, Some(most.as_str())]);
}

#[tokio::test]
async fn the_named_model_answers() {
    let app = App::ready(&[]);
    let ask = async |model: Value| {
        let reply = app.post(json!({"model": model, "pairs": [pair()]}).to_string()).await;
        json!([reply.body["model"]["version"], reply.probabilities()[0]])
    };
    let default = ask(Value::Null).await;
    assert_eq!(default[0], "balanced");
    assert_near(&ask("dmiso".into()).await, &default);
    assert_near(&ask("dmiso@balanced".into()).await, &default);
    let paper = ask("dmiso@paper".into()).await;
    assert_eq!(paper[0], "paper");
    assert_ne!(paper[1], default[1]);
}

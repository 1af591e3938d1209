//! `POST /v1/pre-mirnas/classify` as the caller sees it.

use std::path::Path;
use std::sync::OnceLock;

use mirador_models::networks::{dmiso, hairpin, premirna_cnn_lstm, premirna_cnn_zheng};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::App;
use crate::contract::problem;
use crate::weights::write_model;

const CLASSIFY: &str = "/v1/pre-mirnas/classify";
const MIRTRON: &str = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";

/// `hairpin@grouped`, the default, the networks of both papers, and a model of another task.
pub(crate) fn app() -> App {
    static ROOT: OnceLock<TempDir> = OnceLock::new();
    let root: &Path = ROOT
        .get_or_init(|| {
            let root = TempDir::new().unwrap();
            write_model(&dmiso::MODEL, root.path(), "balanced", true);
            write_model(&hairpin::MODEL, root.path(), "grouped", true);
            write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", false);
            write_model(&premirna_cnn_zheng::MODEL, root.path(), "published", false);
            root
        })
        .path();
    App::serving(root, &[])
}

/// Whether a warning says that the end decides.
fn decides(warning: &Value) -> bool {
    warning.as_str().is_some_and(|text| text.starts_with("the end decides"))
}

fn probabilities(body: &Value) -> Vec<f64> {
    let results = body["results"].as_array().unwrap_or_else(|| panic!("{body}"));
    results.iter().map(|result| result["mirtron_probability"].as_f64().unwrap()).collect()
}

#[tokio::test]
async fn a_reply_in_full() {
    let rows = json!([
        {"id": "h1", "sequence": format!(" {}R\n", MIRTRON.to_lowercase().replace('u', "t"))},
        {"sequence": "ACGU".repeat(10)},
    ]);
    let mut reply = app().post_to(CLASSIFY, &json!({ "pre_mirnas": rows })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("server-timing").starts_with("queue;dur="));
    for (probability, result) in
        probabilities(&reply.body).iter().zip(reply.body["results"].as_array().unwrap())
    {
        assert!((0.0..=1.0).contains(probability));
        assert_eq!(result["class"], if *probability >= 0.5 { "mirtron" } else { "canonical" });
    }
    for result in reply.body["results"].as_array_mut().unwrap() {
        result["mirtron_probability"].take();
        result["class"].take();
        // By chance of the random weights.
        result["warnings"].as_array_mut().unwrap().retain(|warning| !decides(warning));
    }
    insta::assert_json_snapshot!(reply.body, @r#"
    {
      "model": {
        "name": "hairpin",
        "version": "grouped"
      },
      "results": [
        {
          "id": "h1",
          "class": null,
          "mirtron_probability": null,
          "splice_acceptor": "at_end",
          "warnings": [
            "sequence: 1 of 76 letters is unknown (R at position 76)"
          ]
        },
        {
          "class": null,
          "mirtron_probability": null,
          "splice_acceptor": "none",
          "warnings": []
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn every_bad_hairpin_is_named() {
    let app = app();
    let rows = json!([
        {"sequence": "ACGU".repeat(9)},
        {"sequence": MIRTRON},
        {"sequence": MIRTRON.replace("CCC", "C-C"), "id": "x".repeat(257)},
        {"sequence": "A".repeat(201)},
    ]);
    let found = problem(&app.post_to(CLASSIFY, &json!({ "pre_mirnas": rows })).await, 422, "invalid-input");
    assert_eq!(
        found["errors"],
        json!([
            ["/pre_mirnas/0/sequence", "invalid_length"],
            ["/pre_mirnas/2/id", "id_too_long"],
            ["/pre_mirnas/2/sequence", "invalid_letter"],
            ["/pre_mirnas/3/sequence", "invalid_length"],
        ])
    );
    let found = problem(&app.post_to(CLASSIFY, &json!({ "pre_mirnas": [] })).await, 422, "invalid-input");
    assert_eq!(found["errors"], json!([["/pre_mirnas", "empty_list"]]));
    let found = app.post_to(CLASSIFY, &json!({ "pre_mirnas": [{"sequence": 3}] })).await;
    assert_eq!(
        problem(&found, 400, "malformed-request")["errors"],
        json!([["/pre_mirnas/0/sequence", "wrong_type"]])
    );
}

#[tokio::test]
async fn a_model_of_another_task_does_not_answer() {
    let app = app();
    let ask = async |model: &str| {
        app.post_to(CLASSIFY, &json!({"model": model, "pre_mirnas": [{"sequence": MIRTRON}]})).await
    };
    let found = problem(&ask("dmiso").await, 404, "unknown-model");
    let known = "hairpin@grouped, premirna_cnn_lstm@grouped, premirna_cnn_zheng@published";
    assert_eq!(found["detail"], format!("no model \"dmiso\"; there is: {known}"));
    assert_eq!(ask("premirna_cnn_zheng").await.body["model"]["version"], "published");
    let found = problem(
        &App::ready(&[]).post_to(CLASSIFY, &json!({"pre_mirnas": [{"sequence": MIRTRON}]})).await,
        404,
        "unknown-model",
    );
    assert!(found["detail"].as_str().unwrap().starts_with("no model"));
}

#[tokio::test]
async fn a_hairpin_has_one_answer_whatever_stands_beside_it() {
    let app = app();
    for model in ["hairpin", "premirna_cnn_lstm", "premirna_cnn_zheng"] {
        let ask = async |rows: Vec<Value>| {
            probabilities(&app.post_to(CLASSIFY, &json!({"model": model, "pre_mirnas": rows})).await.body)
        };
        let (row, other) = (json!({"sequence": MIRTRON}), json!({"sequence": "GAUUACA".repeat(23)}));
        let alone = ask(vec![row.clone()]).await[0];
        for (size, place) in [(2, 0), (2, 1), (40, 0), (40, 20), (40, 39)] {
            let mut rows = vec![other.clone(); size];
            rows[place] = row.clone();
            let found = ask(rows).await[place];
            assert!((found - alone).abs() < 1e-5, "{model}: {found} at {place} of {size}, {alone} alone");
        }
    }
}

#[tokio::test]
async fn what_every_answer_depends_on_is_a_fact_of_the_model() {
    let models = app().get("/v1/models").await.body;
    let caution = |name: &str| {
        let rows = models["models"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap().get("caution").cloned()
    };
    let asked = json!({"model": "premirna_cnn_lstm", "pre_mirnas": [{"sequence": MIRTRON}]});
    let reply = app().post_to(CLASSIFY, &asked).await;
    assert_eq!(reply.body["results"][0]["warnings"][0], caution("premirna_cnn_lstm").unwrap());
    assert_eq!((caution("dmiso"), caution("hairpin")), (None, None));
}

/// Every model answers for the hairpin without its last letters too, and the warning says the same as a caller who cuts them.
#[tokio::test]
async fn a_class_that_the_end_decides_is_warned_of() {
    let app = app();
    let mut warned = 0;
    for model in ["hairpin", "premirna_cnn_lstm", "premirna_cnn_zheng"] {
        let bodies =
            ["GUGAGG", "CUCACC", "GGGGGG", "UUUUCC", "ACACAC", "GAUUAC"].map(|end| format!("{end}{MIRTRON}"));
        for whole in bodies.into_iter().chain([MIRTRON.to_owned(), "GAUUACA".repeat(20)]) {
            let rows = json!([{"sequence": whole}, {"sequence": &whole[..whole.len() - 5]}]);
            let body = app.post_to(CLASSIFY, &json!({"model": model, "pre_mirnas": rows})).await.body;
            let [first, cut] = [&body["results"][0], &body["results"][1]];
            let warning = first["warnings"].as_array().unwrap().iter().find(|warning| decides(warning));
            assert_eq!(warning.is_some(), first["class"] != cut["class"], "{model} {body}");
            let Some(warning) = warning.and_then(Value::as_str) else { continue };
            let (class, probability) =
                (cut["class"].as_str().unwrap(), cut["mirtron_probability"].as_f64().unwrap());
            let expected =
                format!("without the last 5 letters mirtron_probability is {probability:.2}, {class}");
            assert!(warning.ends_with(&expected), "{warning}, not {expected}");
            warned += 1;
        }
    }
    assert!(warned > 0, "none of the random networks is decided by an end");
}

#[tokio::test]
async fn a_long_hairpin_is_answered_by_all() {
    let app = app();
    let long = json!([{"sequence": "GAUUACAGGC".repeat(20)}]);
    for (model, warned) in [("hairpin", false), ("premirna_cnn_lstm", true), ("premirna_cnn_zheng", true)] {
        let reply = app.post_to(CLASSIFY, &json!({"model": model, "pre_mirnas": long})).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let text = reply.body["results"][0]["warnings"].to_string();
        assert_eq!(text.contains("reads 164 letters; positions 83 to 118 were left out"), warned, "{text}");
    }
}

#[tokio::test]
async fn the_example_of_the_document_is_answered() {
    let app = app();
    let document = app.get("/openapi.json").await.body;
    let example = &document["components"]["schemas"]["ClassifyRequest"]["example"];
    assert_eq!(app.post_to(CLASSIFY, example).await.status, 200);
    let responses = document["paths"][CLASSIFY]["post"]["responses"].as_object().unwrap();
    let statuses: Vec<&str> = responses.keys().map(String::as_str).collect();
    assert_eq!(
        statuses,
        [
            "200", "400", "401", "403", "404", "406", "408", "413", "415", "421", "422", "429", "500", "503",
            "504"
        ]
    );
}

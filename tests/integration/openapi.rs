//! The committed contract is the served one.

use std::fs;

use mirador::models::pairmap;
use serde_json::Value;
use tempfile::TempDir;

use crate::app::{App, MIRNA, SCORE, SITE};
use crate::weights::write_model;

#[tokio::test]
async fn the_committed_document_is_the_served_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    let committed: Value = serde_json::from_str(&fs::read_to_string(path).unwrap_or("null".into())).unwrap();
    let served = App::starting(&[]).get("/openapi.json").await.body;
    assert!(committed == served, "openapi/openapi.json is out of date: make openapi");
}

#[tokio::test]
async fn the_example_of_the_document_is_answered() {
    let root = TempDir::new().unwrap();
    write_model(&pairmap::MODEL, root.path(), "balanced", true);
    let app = App::serving(root.path(), &[]);
    let document = app.get("/openapi.json").await.body;
    let example = document["components"]["schemas"]["ScoreRequest"]["example"].clone();
    assert_eq!(example["pairs"][0]["mirna"], MIRNA);
    assert_eq!(example["pairs"][0]["site"], SITE);
    let reply = app.post(example.to_string()).await;
    assert_eq!(reply.status, 200);
    let shown = &document["components"]["schemas"]["ScoreResponse"]["example"];
    assert_eq!(reply.body["results"][0]["pairing"], shown["results"][0]["pairing"]);
}

#[tokio::test]
async fn every_status_of_scoring_is_listed() {
    let document = App::starting(&[]).get("/openapi.json").await.body;
    let responses = document["paths"][SCORE]["post"]["responses"].as_object().unwrap();
    let statuses: Vec<&str> = responses.keys().map(String::as_str).collect();
    assert_eq!(
        statuses,
        [
            "200", "400", "401", "403", "404", "406", "408", "413", "415", "421", "422", "429", "500", "503",
            "504"
        ]
    );
}

#[tokio::test]
async fn the_names_of_problems_are_listed_as_they_are_sent() {
    let app = App::starting(&[]);
    let document = app.get("/openapi.json").await.body;
    let kinds = document["components"]["schemas"]["ProblemKind"]["enum"].as_array().unwrap();
    assert!(kinds.contains(&app.get(SCORE).await.body["type"]));
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    assert!(codes.contains(&"invalid_letter".into()));
}

//! The committed contract is the served one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use mirador_models::networks::pairmap;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SCORE, SITE, assert_near, cells};
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

/// Every operation: its path, its method and itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let each = |(path, item): (&String, &Value)| {
        let methods = item.as_object().unwrap().clone().into_iter();
        let path = path.clone();
        methods.map(move |(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.flat_map(each).collect()
}

/// What the document shows is what the shipped networks answer, in every format.
#[tokio::test]
async fn the_examples_are_true() {
    let app = App::serving(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/weights")), &[]);
    let document = app.get("/openapi.json").await.body;
    let mut formats = BTreeSet::new();
    for (path, _, operation) in operations(&document) {
        let Some(requests) = operation["requestBody"]["content"].as_object() else { continue };
        if path == "/v1/jobs" {
            // This server keeps none.
            continue;
        }
        for (media_type, request) in requests {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let path = path.replace("{name}", "dmiso").replace("{version}", "balanced");
            // A FASTA file has no place for it.
            let fasta = media_type == "text/x-fasta";
            let mut path = if fasta && path.contains("expression") { path + "?tss=49" } else { path };
            // The example in JSON says so in its body.
            if path.contains("/explain") && media_type != "application/json" {
                path += if path.contains('?') { "&" } else { "?" };
                path += if path.contains("expression") { "methods=n_mask" } else { "methods=double_mutant" };
            }
            if media_type == "multipart/form-data" {
                // A form's example stands with its schema, as an object of its parts.
                let schema = request["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
                let parts = &document["components"]["schemas"][schema]["example"];
                let reply = app.send(form(path.as_str(), parts)).await;
                let shown = &operation["responses"]["200"]["content"]["application/json"]["example"];
                assert_near(&reply.body, shown);
                continue;
            }
            let asked = Request::post(path.as_str()).header("content-type", media_type);
            let reply = app.send(asked.body(Body::from(text(&request["example"]))).unwrap()).await;
            assert_eq!(reply.status, 200, "{path} {media_type}: {}", reply.body);
            if fasta {
                assert_eq!(reply.body["results"].as_array().map(Vec::len), Some(1), "{}", reply.body);
                continue;
            }
            let shown = &operation["responses"]["200"]["content"][media_type]["example"];
            match media_type.as_str() {
                "text/csv" => assert_near(&cells(&text(&reply.body), b','), &cells(&text(shown), b',')),
                "text/tab-separated-values" => {
                    assert_near(&cells(&text(&reply.body), b'\t'), &cells(&text(shown), b'\t'));
                }
                _ => {
                    let shown: Value = serde_json::from_str(&text(shown)).unwrap();
                    assert_near(&reply.body, &shown);
                }
            }
            formats.insert(media_type.clone());
        }
    }
    assert!(formats.len() >= 4, "{formats:?}");
}

fn form(path: &str, parts: &Value) -> Request<Body> {
    let part = |(name, text): (&String, &Value)| {
        let head = format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{name}\"");
        format!("{head}\r\n\r\n{}\r\n", text.as_str().unwrap())
    };
    let body: String = parts.as_object().unwrap().iter().map(part).collect();
    let asked = Request::post(path).header("content-type", "multipart/form-data; boundary=part");
    asked.body(Body::from(body + "--part--\r\n")).unwrap()
}

/// One example for each kind of problem, with the type, title and status of its own; those that can be brought about
/// here are the same in earnest.
#[tokio::test]
async fn every_problem_has_its_own_example() {
    let app = App::ready(&[]);
    let document = app.get("/openapi.json").await.body;
    let mut kinds = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            if status.as_str() < "400" {
                continue;
            }
            let content = &response["content"]["application/problem+json"];
            let examples =
                content["examples"].as_object().unwrap_or_else(|| panic!("{method} {path} {status}"));
            assert!(!examples.is_empty());
            for (name, example) in examples {
                let value = &example["value"];
                assert_eq!(value["type"], format!("urn:mirador:problem:{name}"), "{method} {path}");
                assert_eq!(value["status"].to_string(), *status);
                assert!(!value["title"].as_str().unwrap().is_empty());
                assert!(!value["detail"].as_str().unwrap().is_empty());
                assert_eq!(value["error"].is_string(), path.starts_with("/v2"));
                assert_eq!(
                    value["errors"].is_array(),
                    *status == "422" || (*status == "400" && method == "post")
                );
                kinds.insert(name.clone());
            }
        }
    }
    let listed = document["components"]["schemas"]["ProblemKind"]["enum"].as_array().unwrap();
    for kind in listed.iter().map(|kind| kind.as_str().unwrap().rsplit(':').next().unwrap()) {
        assert!(kinds.contains(kind) || ["not-found", "method-not-allowed"].contains(&kind), "{kind}");
    }
    let shown = |path: &str| {
        let response = &document["paths"][path]["post"]["responses"]["422"];
        response["content"]["application/problem+json"]["examples"]["invalid-input"]["value"].clone()
    };
    let (met, scoring) = (app.score(&[json!({"mirna": "UGAX", "site": SITE})]).await.body, shown(SCORE));
    for field in ["type", "title", "status", "detail"] {
        assert_eq!(met[field], scoring[field]);
    }
    for field in ["pointer", "code", "detail"] {
        assert_eq!(met["errors"][0][field], scoring["errors"][0][field]);
    }
    assert_eq!(shown("/v1/pre-mirnas/classify")["errors"][0]["pointer"], "/pre_mirnas/0/sequence");
    assert_eq!(shown("/v1/expression/predict")["errors"][0]["pointer"], "/genes/0/promoter");
}

#[tokio::test]
async fn keys_and_headers_are_described() {
    let document = App::starting(&[]).get("/openapi.json").await.body;
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!([&schemes["bearer"]["type"], &schemes["bearer"]["scheme"]], ["http", "bearer"]);
    let key = &schemes["api_key"];
    assert_eq!([&key["type"], &key["in"], &key["name"]], ["apiKey", "header", "X-API-Key"]);
    for (path, _, operation) in operations(&document) {
        let probe = path.contains("/health/");
        let security = json!([{"bearer": []}, {"api_key": []}, {}]);
        assert_eq!(operation["security"], if probe { json!([]) } else { security }, "{path}");
        let taken: Vec<&str> = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|parameter| parameter["$ref"].as_str()?.rsplit('/').next())
            .collect();
        // A job is left, and its results are made later.
        let (scores, results) =
            (operation["requestBody"].is_object() && path != "/v1/jobs", path.ends_with("/results"));
        assert!(taken.contains(&"X-Request-Id") && taken.contains(&"traceparent"), "{path}");
        assert_eq!(taken.contains(&"X-Deadline-Ms"), scores, "{path}");
        assert_eq!(taken.contains(&"Accept"), results || (scores && path.starts_with("/v1")), "{path}");
        for (status, reply) in operation["responses"].as_object().unwrap() {
            let headers = reply["headers"].as_object().unwrap();
            assert_eq!(headers.contains_key("X-RateLimit-Remaining"), !probe, "{path} {status}");
            assert_eq!(headers.contains_key("WWW-Authenticate"), status == "401", "{path} {status}");
        }
    }
    for name in ["X-Request-Id", "traceparent", "X-Deadline-Ms", "Accept"] {
        let parameter = &document["components"]["parameters"][name];
        assert_eq!([&parameter["in"], &parameter["name"]], ["header", name]);
    }
    let data = &document["components"]["schemas"]["InputTensor"]["properties"]["data"];
    assert_eq!(data["items"], json!({}), "values of any type");
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

//! A table has what JSON has: a field that is added to a result must not be missing among its columns.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use crate::app::{App, pair};
use crate::{expression, pre_mirnas};

/// Three lines of text, which no cell should hold.
const DRAWING: &str = "drawing";

/// The fields of the one result that hold one value; warnings stand in one cell.
async fn fields(app: &App, path: &str, body: &Value) -> Vec<String> {
    let reply = app.post_to(path, body).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    let result = reply.body["results"][0].as_object().unwrap().clone();
    let single = |value: &Value| !value.is_object() && !value.is_array();
    let shown = |(name, value): &(String, Value)| name == "warnings" || name != DRAWING && single(value);
    result.into_iter().filter(shown).map(|(name, _)| name).collect()
}

async fn header(app: &App, path: &str, body: &Value) -> Vec<String> {
    let request = Request::post(path).header("content-type", "application/json").header("accept", "text/csv");
    let response = app.open(request.body(Body::from(body.to_string())).unwrap()).await;
    let table = response.into_body().collect().await.unwrap().to_bytes();
    let table = std::str::from_utf8(&table).unwrap();
    table.lines().next().unwrap().split(',').map(str::to_owned).collect()
}

#[tokio::test]
async fn every_field_of_a_result_has_a_column() {
    let pairs = json!({"pairs": [{"id": "a", "mirna": pair()["mirna"], "site": pair()["site"],
                                  "reference_mirna": pair()["mirna"]}]});
    let hairpin = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";
    let pre_mirna = json!({"pre_mirnas": [{"id": "a", "sequence": hairpin}]});
    let genes = json!({"genes": [{"id": "a", "promoter": "ACGGCGCCGU".repeat(12), "tss": 60}]});
    let [sites, hairpins, levels] = [App::ready(&[]), pre_mirnas::app(), expression::app()];
    for (app, path, body) in [
        (&sites, "/v1/target-sites/score", &pairs),
        (&sites, "/v1/target-sites/explain", &pairs),
        (&sites, "/v1/duplexes/fold", &json!({"pairs": [pair()]})),
        (&sites, "/v1/hairpins/fold", &json!({"hairpins": [{"id": "a", "sequence": hairpin}]})),
        (&hairpins, "/v1/pre-mirnas/classify", &pre_mirna),
        (&hairpins, "/v1/pre-mirnas/explain", &pre_mirna),
        (&levels, "/v1/expression/predict", &genes),
        (&levels, "/v1/expression/explain", &genes),
    ] {
        let (fields, header) = (fields(app, path, body).await, header(app, path, body).await);
        let missing: Vec<&String> = fields.iter().filter(|field| !header.contains(field)).collect();
        assert!(fields.len() > 2 && missing.is_empty(), "{path}: {missing:?} are no columns of {header:?}");
    }
}

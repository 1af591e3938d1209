//! `POST /v1/duplexes/fold` and `/v1/hairpins/fold`: structures, which no model answers.

use std::time::Duration;

use axum::http::Request;
use serde_json::{Value, json};

use crate::app::{App, assert_near};

const DUPLEXES: &str = "/v1/duplexes/fold";
const HAIRPINS: &str = "/v1/hairpins/fold";

/// let-7a and its site in the 3'UTR of HMGA2; a pair of which nothing pairs.
fn pairs() -> Value {
    json!([
        {"id": "let-7", "mirna": "UGAGGUAGUAGGUUGUAUAGUU", "site": "GCACAGCCTATTGAACTACCTCA"},
        {"mirna": "AAAAAAAAAAAAAAAAAAAA", "site": "AAAAAAAAAA"},
    ])
}

#[tokio::test]
async fn a_duplex_has_its_energy_its_pairs_and_a_drawing() {
    let app = App::ready(&[]);
    let reply = app.post_to(DUPLEXES, &json!({ "pairs": pairs() })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let [folded, open] = [0, 1].map(|row| reply.body["results"][row].clone());
    assert_eq!(folded["mfe_kcal_per_mol"], -21.2);
    assert_eq!(folded["dot_bracket"], "((((((((((((((((......&..))))))).....)))))))))");
    let pairs = folded["pairs"].as_array().unwrap();
    assert_eq!((pairs.len(), &pairs[0], &pairs[15]), (16, &json!([1, 23]), &json!([16, 3])));
    assert_eq!(
        folded["drawing"],
        "3' uugauaUGUUGGA-----UGAUGGAGU 5'\n         |||:|||     |||||||||\n5'     gcACAGCCUAUUGAACUACCUCA 3'"
    );
    assert_eq!((&folded["id"], &folded["site_type"]), (&json!("let-7"), &json!("8mer")));
    assert_eq!(
        (&open["mfe_kcal_per_mol"], &open["pairs"], &open["drawing"]),
        (&Value::Null, &json!([]), &json!(""))
    );
    assert_eq!(open["dot_bracket"], "....................&..........");
    assert!(!reply.headers.contains_key("x-model"));
}

#[tokio::test]
async fn every_format_tells_the_same() {
    let app = App::ready(&[]);
    let json = app.post_to(DUPLEXES, &json!({ "pairs": pairs() })).await.body["results"].clone();
    let rows: Vec<String> = pairs().as_array().unwrap().iter().map(Value::to_string).collect();
    let lines = app.post_text(DUPLEXES, "application/x-ndjson", rows.join("\n")).await;
    for (line, expected) in lines.lines().zip(json.as_array().unwrap()) {
        assert_near(&serde_json::from_str(line).unwrap(), expected);
    }
    let table = "mirna,site,label\nUGAGGUAGUAGGUUGUAUAGUU,GCACAGCCTATTGAACTACCTCA,1\n";
    let reply = app.post_text(&format!("{DUPLEXES}?keep_columns=true"), "text/csv", table).await;
    assert_eq!(
        reply,
        "id,mfe_kcal_per_mol,dot_bracket,site_type,warnings,input.label\n\
         ,-21.2,((((((((((((((((......&..))))))).....))))))))),8mer,,1\n"
    );
}

#[tokio::test]
async fn what_cannot_be_folded_is_named() {
    let app = App::ready(&[]);
    let reply = app.post_to(DUPLEXES, &json!({"pairs": pairs(), "model": "dmiso"})).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert_eq!(reply.body["errors"][0]["pointer"], "/model");
    let long = "ACGU".repeat(126);
    let reply = app.post_to(HAIRPINS, &json!({"hairpins": [{"sequence": long}, {"sequence": "ACG"}]})).await;
    assert_eq!(reply.status, 422);
    let pointers = |body: &Value| -> Vec<Value> {
        body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect()
    };
    assert_eq!(pointers(&reply.body), ["/hairpins/0/sequence", "/hairpins/1/sequence"]);
    for value in [json!(0), json!(81), json!("x"), json!([14])] {
        let body = json!({"hairpins": [{"sequence": "ACGUACGUACGU"}], "accessibility": value});
        let reply = app.post_to(HAIRPINS, &body).await;
        assert_eq!((reply.status, pointers(&reply.body)), (422, vec!["/accessibility".into()]), "{value}");
    }
}

#[tokio::test]
async fn a_hairpin_has_its_structure_and_its_open_windows() {
    let app = App::ready(&[]);
    let hairpin = "GGGGGGAAAACCCCCCAAAAAAAAAAAAAAAAAAAA";
    let body = json!({"hairpins": [{"id": "h", "sequence": hairpin}], "accessibility": 10});
    let reply = app.post_to(HAIRPINS, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let result = &reply.body["results"][0];
    assert_eq!(result["dot_bracket"], "((((((....))))))....................");
    assert!(result["mfe_kcal_per_mol"].as_f64().unwrap() < -8.0);
    let open: Vec<f64> =
        result["accessibility"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    assert_eq!(open.len(), hairpin.len() - 9);
    assert!(open[0] < 0.01 && open[26] > 0.9, "{open:?}");
    let without = app.post_to(HAIRPINS, &json!({"hairpins": [{"sequence": hairpin}]})).await;
    assert!(without.body["results"][0].get("accessibility").is_none());
    let fasta = format!(">h\n{hairpin}\n");
    let of_fasta = app.post_text(&format!("{HAIRPINS}?accessibility=10"), "text/x-fasta", fasta).await;
    assert!(of_fasta.contains("((((((....))))))"), "{of_fasta}");
}

/// One who folds much is before each of the others once, and for a moment.
#[tokio::test]
async fn who_folds_little_waits_for_no_other_callers_requests() {
    let app = App::ready(&["--forwarded-for"]);
    let ask = |caller: &str, hairpins: usize, letters: usize| {
        let body = json!({"hairpins": vec![json!({"sequence": "ACGGU".repeat(letters / 5)}); hairpins]});
        let request = Request::post(HAIRPINS).header("content-type", "application/json");
        let request = request.header("x-forwarded-for", caller).body(body.to_string().into()).unwrap();
        let app = app.clone();
        tokio::spawn(async move { app.send(request).await.status })
    };
    let cores = std::thread::available_parallelism().unwrap().get();
    let much: Vec<_> = (0..cores + 2).map(|_| ask("192.0.2.1", 20, 500)).collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let little = ask("192.0.2.2", 1, 200);
    assert_eq!(little.await.unwrap(), 200);
    assert!(much.iter().all(|request| !request.is_finished()), "all of them were before the one");
    for request in much {
        assert_eq!(request.await.unwrap(), 200);
    }
}

#[tokio::test]
async fn work_is_bounded_by_what_folding_costs() {
    let app = App::ready(&[]);
    let long = json!({"sequence": "ACGUU".repeat(100)});
    let reply = app.post_to(HAIRPINS, &json!({"hairpins": vec![long; 100]})).await;
    assert_eq!(reply.status, 413);
    assert_eq!(reply.body["type"], "urn:mirador:problem:too-much-work");
    assert!(
        reply.body["detail"].as_str().unwrap().starts_with("folding takes up to 80 rows"),
        "{}",
        reply.body
    );
    let lines = app.send(Request::get(HAIRPINS).body("".into()).unwrap()).await;
    assert_eq!(lines.status, 405);
}

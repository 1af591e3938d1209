//! What stands in a sequence's place: letters that are unknown, other notations, no value; the same on every route.

use mirador_models::networks::{pairmap, premirna_cnn_lstm, xpresso};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, Reply, SCORE, SITE};
use crate::weights::write_model;

const CLASSIFY: &str = "/v1/pre-mirnas/classify";
const PREDICT: &str = "/v1/expression/predict";

/// One model for each question.
fn app() -> (App, TempDir) {
    let root = TempDir::new().unwrap();
    write_model(&pairmap::MODEL, root.path(), "balanced", true);
    write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", true);
    write_model(&xpresso::MODEL, root.path(), "random", true);
    (App::serving(root.path(), &[]), root)
}

/// The reply to one text in each field that takes a sequence.
async fn everywhere(app: &App, text: &str) -> Vec<Reply> {
    let pair = |mirna: &str, site: &str| json!({"pairs": [{"mirna": mirna, "site": site}]});
    let tensor =
        |name: &str, text: &str| json!({"name": name, "datatype": "BYTES", "shape": [1], "data": [text]});
    vec![
        app.post_to(SCORE, &pair(text, SITE)).await,
        app.post_to(SCORE, &pair(MIRNA, text)).await,
        app.post_to(CLASSIFY, &json!({"pre_mirnas": [{"sequence": text}]})).await,
        app.post_to(PREDICT, &json!({"genes": [{"promoter": text, "tss": 0}]})).await,
        app.post_to(
            "/v2/models/pairmap/infer",
            &json!({"inputs": [tensor("mirna", MIRNA), tensor("site", text)]}),
        )
        .await,
    ]
}

fn error(reply: &Reply) -> (&str, &str) {
    assert_eq!(reply.status, 422, "{}", reply.body);
    let error = &reply.body["errors"][0];
    (error["code"].as_str().unwrap(), error["detail"].as_str().unwrap())
}

#[tokio::test]
async fn no_information_no_answer() {
    let (app, _root) = app();
    for reply in everywhere(&app, &"N".repeat(30)).await {
        let (code, detail) = error(&reply);
        if code != "invalid_length" {
            assert_eq!(code, "too_little_known");
            assert!(detail.starts_with("0 of 30 letters are known; at least half have to be "), "{detail}");
        }
    }
    for letters in ["N".repeat(70), "ACGURYSWKMBDHVNNNNNN".repeat(4)] {
        let reply = app.post_to(CLASSIFY, &json!({"pre_mirnas": [{"sequence": letters}]})).await;
        assert_eq!(error(&reply).0, "too_little_known");
    }
    let half = "ACGUN".repeat(4) + &"NACGU".repeat(4) + &"N".repeat(24);
    let reply = app.post_to(CLASSIFY, &json!({"pre_mirnas": [{"sequence": half}]})).await;
    assert_eq!(reply.status, 200, "half of the letters are known: {}", reply.body);
}

#[tokio::test]
async fn unknown_letters_are_counted_n_among_them() {
    let (app, _root) = app();
    let site = "AACNAUACNRCCUACUACCUCA";
    let reply = app.post_to(SCORE, &json!({"pairs": [{"mirna": MIRNA, "site": site}]})).await;
    let warnings = &reply.body["results"][0]["warnings"];
    assert_eq!(*warnings, json!(["site: 3 of 22 letters are unknown (first: N at position 4)"]));
}

#[tokio::test]
async fn a_word_for_no_value_is_a_missing_value() {
    let (app, _root) = app();
    for word in ["NA", "NaN", "nan", "NULL", "None", "N/A", "-", "."] {
        for reply in everywhere(&app, word).await {
            let (code, detail) = error(&reply);
            assert_eq!(code, "empty_sequence", "{word}");
            assert!(
                detail.starts_with(&format!("the sequence is missing: {word:?} stands for no value")),
                "{detail}"
            );
        }
    }
}

#[tokio::test]
async fn another_notation_is_named_with_its_remedy() {
    let (app, _root) = app();
    for (text, named) in [
        (
            "rUrGrArGrGrUrArGrUrArGrGrUrUrG",
            "rG is the notation of an oligonucleotide; send the letters alone",
        ),
        ("U*G*A*G*G*U*A*G*U*A*G*G*U*U*G", "'*' (a phosphorothioate bond) stands at position 2; leave it out"),
        (
            ">hsa-let-7a\nUGAGGUAGUAGGUUGUAUAGUU",
            "a FASTA header stands in the sequence: \">hsa-let-7a\"; send",
        ),
        ("hsa-miR-21-5p", "\"hsa-miR-21-5p\" is the name of a miRNA; send its letters, 5'→3'"),
        ("UGAGGUAGUAIGUUGUAUAGUU", "I (inosine) stands at position 11; send G"),
        ("UGAGGUAGUA-GUUGUAUAGUU", "a gap, '-', stands at position 11; leave gaps out"),
        (
            "5'-UGAGGUAGUAGGUUGUAUAGUU-3'",
            "marks of the ends (5', 3') stand in the sequence; send the letters alone",
        ),
        ("MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ", "the letters are a protein's"),
        ("1 ugagguagua gguuguauag uu", "a number stands at position 1; send the letters in one piece"),
    ] {
        for reply in everywhere(&app, text).await {
            let (code, detail) = error(&reply);
            assert_eq!(code, "invalid_letter");
            assert!(detail.starts_with(named), "{text}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_gencode_header_is_an_id() {
    let (app, _root) = app();
    let id = "ENST00000456328.2|ENSG00000290825.1|OTTHUMG00000002860.3|OTTHUMT00000362751.1|".repeat(2);
    let reply = app.post_to(SCORE, &json!({"pairs": [{"id": id, "mirna": MIRNA, "site": SITE}]})).await;
    assert_eq!(reply.body["results"][0]["id"], id);
    let long = json!({"pairs": [{"id": "x".repeat(257), "mirna": MIRNA, "site": SITE}]});
    let reply = app.post_to(SCORE, &long).await;
    assert_eq!(error(&reply), ("id_too_long", "the id has 257 characters; up to 256 are accepted"));
}

#[tokio::test]
async fn what_was_sent_comes_back_in_part_only() {
    let (app, _root) = app();
    let mirnas: Value = (0..500).map(|index| (format!("{index}{}", "x".repeat(5_000)), 1.0)).collect();
    let mut gene = json!({"promoter": "ACGTTGCA".repeat(11), "tss": 49});
    gene["mirnas"] = mirnas;
    let reply = app.post_to(PREDICT, &json!({ "genes": [gene] })).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.to_string().len() < 2_000);
    for reply in everywhere(&app, &format!(">{}", "x".repeat(100_000))).await {
        assert!(error(&reply).1.len() < 500);
    }
}

//! `POST …/explain`: effects are differences of scores that the service itself gives.

use serde_json::{Value, json};

use crate::app::{App, Reply, assert_near, pair};

const SCORE: &str = "/v1/target-sites/score";
const EXPLAIN: &str = "/v1/target-sites/explain";

async fn explain(app: &App, body: Value) -> Value {
    let reply = app.post_to(EXPLAIN, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.body["results"].clone()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is a number"))
}

fn close(found: &Value, expected: f64, what: &str) {
    assert!((number(found) - expected).abs() < 2e-5, "{what}: {found} for {expected}");
}

/// The pair with the letters of a strand from `start` on replaced.
fn changed(strand: &str, start: usize, letters: &str) -> Value {
    let mut pair = pair();
    let mut text: Vec<char> = pair[strand].as_str().unwrap().chars().collect();
    letters.chars().enumerate().for_each(|(place, letter)| text[start + place] = letter);
    pair[strand] = text.into_iter().collect::<String>().into();
    pair
}

async fn probabilities(app: &App, pairs: &[Value]) -> Vec<f64> {
    app.score(pairs).await.probabilities()
}

#[tokio::test]
async fn effects_are_differences_of_scores() {
    let app = App::ready(&[]);
    let result = &explain(&app, json!({"pairs": [pair()]})).await[0];
    let changes = [
        pair(),
        changed("mirna", 4, "N"),
        changed("site", 0, "NNN"),
        changed("site", 7, "NNNNNN"),
        changed("mirna", 2, "C"),
    ];
    let scores = probabilities(&app, &changes).await;
    close(&result["probability"], scores[0], "the pair");
    let mask = |strand: &str, width: usize, stop: usize| &result["n_mask"][strand][width - 1][stop - 1];
    close(mask("mirna", 1, 5), scores[0] - scores[1], "one letter");
    close(mask("site", 3, 3), scores[0] - scores[2], "three letters");
    close(mask("site", 5, 3), scores[0] - scores[2], "cut at the 5' end");
    close(mask("site", 6, 13), scores[0] - scores[3], "six letters");
    close(&result["substitution"]["mirna"][2]["C"], scores[0] - scores[4], "a C");
    let length = |strand: &str| pair()[strand].as_str().unwrap().len();
    for strand in ["mirna", "site"] {
        let rows = result["n_mask"][strand].as_array().unwrap();
        let lengths: Vec<usize> = rows.iter().map(|row| row.as_array().unwrap().len()).collect();
        assert_eq!(lengths, (0..6).map(|more| length(strand) + more).collect::<Vec<_>>());
        assert_eq!(result["importance"][strand].as_array().unwrap().len(), length(strand));
        assert_eq!(result["shuffle"][strand].as_array().unwrap().len(), length(strand) - 6);
    }
}

#[tokio::test]
async fn double_mutants_are_those_of_the_folded_pairs() {
    let app = App::ready(&[]);
    let body = json!({"pairs": [pair()], "methods": ["double_mutant"]});
    let result = &explain(&app, body).await[0];
    let folded =
        app.post_to("/v1/duplexes/fold", &json!({"pairs": [pair()]})).await.body["results"][0].clone();
    for field in ["mfe_kcal_per_mol", "dot_bracket", "pairs", "drawing"] {
        assert_eq!(result[field], folded[field]);
    }
    let mutants = result["double_mutants"].as_array().unwrap();
    assert_eq!(mutants.len(), folded["pairs"].as_array().unwrap().len());
    let mutant = &mutants[1];
    let place = |field: &str| mutant[field].as_u64().unwrap() as usize - 1;
    let letter = |field: &str| mutant[field].as_str().unwrap();
    let (mirna, site) = (place("mirna_position"), place("site_position"));
    let mut both = changed("mirna", mirna, letter("mirna_letter"));
    both["site"] = changed("site", site, letter("site_letter"))["site"].clone();
    let single =
        [changed("mirna", mirna, letter("mirna_letter")), changed("site", site, letter("site_letter")), both];
    let scores = probabilities(&app, &single).await;
    for (field, score) in ["mirna_only", "site_only", "both"].into_iter().zip(scores) {
        close(&mutant[field], score, field);
    }
    for missing in ["n_mask", "importance", "substitution", "shuffle"] {
        assert!(result.get(missing).is_none(), "{missing} was not asked for");
    }
}

#[tokio::test]
async fn a_row_is_explained_alike_alone_and_in_company() {
    let app = App::ready(&[]);
    let alone = explain(&app, json!({"pairs": [pair()]})).await[0].clone();
    let mut pairs = vec![changed("site", 3, "GGG"); 3];
    pairs.push(pair());
    let beside = explain(&app, json!({ "pairs": pairs })).await[3].clone();
    for strand in ["mirna", "site"] {
        for (method, place) in [("importance", 3), ("shuffle", 2)] {
            close(&alone[method][strand][place], number(&beside[method][strand][place]), method);
        }
    }
}

#[tokio::test]
async fn methods_and_scale_are_asked_for_in_the_body_or_in_the_url() {
    let app = App::ready(&[]);
    let in_body = json!({"pairs": [pair()], "methods": ["substitution"], "scale": "logit"});
    let in_body = explain(&app, in_body).await[0].clone();
    let url = format!("{EXPLAIN}?methods=substitution&scale=logit");
    let line: Value =
        serde_json::from_str(&app.post_text(&url, "application/x-ndjson", pair().to_string()).await).unwrap();
    assert_near(&line["substitution"], &in_body["substitution"]);
    let logit = |probability: f64| (probability / (1.0 - probability)).ln();
    let scores = probabilities(&app, &[pair(), changed("site", 4, "G")]).await;
    let expected = logit(scores[0]) - logit(scores[1]);
    let effect = number(&in_body["substitution"]["site"][4]["G"]);
    assert!((effect - expected).abs() < 1e-3, "{effect} for {expected}");
    let table =
        format!("mirna,site\n{},{}\n", pair()["mirna"].as_str().unwrap(), pair()["site"].as_str().unwrap());
    let text = app.post_text(&format!("{EXPLAIN}?methods=n_mask"), "text/csv", table).await;
    assert!(text.starts_with("id,probability,interacts,site_type,logit,"), "{text}");
    let twice = app.post_to(&url, &json!({"pairs": [pair()], "scale": "logit"})).await;
    assert_eq!(twice.status, 400, "{}", twice.body);
}

#[tokio::test]
async fn what_cannot_be_explained_is_named() {
    let app = App::ready(&[]);
    for (field, value) in [
        ("methods", json!(["n_mask", "magic"])),
        ("methods", json!([])),
        ("methods", json!("n_mask,")),
        ("methods", json!(7)),
        ("scale", json!("log")),
        ("scale", json!(null)),
    ] {
        let reply = app.post_to(EXPLAIN, &json!({"pairs": [pair()], field: value})).await;
        assert_eq!(reply.status, 422, "{field} {value}: {}", reply.body);
        assert_eq!(reply.body["errors"][0]["pointer"], format!("/{field}"));
    }
    let reply = app.post_to(EXPLAIN, &json!({"pairs": vec![pair(); 101]})).await;
    assert_eq!((reply.status, &reply.body["type"]), (413, &json!("urn:mirador:problem:too-many-rows")));
    let reply = app.post_to(SCORE, &json!({"pairs": [pair()], "methods": ["n_mask"]})).await;
    assert_eq!(reply.status, 400, "a score has no methods: {}", reply.body);
}

#[tokio::test]
async fn a_hairpin_is_explained_by_its_letters_and_its_stem() {
    let app = crate::pre_mirnas::app();
    let hairpin = "GGGUGAGGUAGUAGGUUGUAUAGUUUGGGGCUCUGCCCUGCUAUGGGAUAACUAUACAAUCUACUGUCUUUCCUGA";
    let body = json!({"pre_mirnas": [{"id": "h", "sequence": hairpin}]});
    let reply = app.post_to("/v1/pre-mirnas/explain", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let result = &reply.body["results"][0];
    let classified = app.post_to("/v1/pre-mirnas/classify", &body).await;
    close(
        &result["mirtron_probability"],
        number(&classified.body["results"][0]["mirtron_probability"]),
        "the class",
    );
    for field in ["class", "splice_acceptor", "warnings"] {
        assert_eq!(result[field], classified.body["results"][0][field], "{field}");
    }
    let other = json!({"sequence": "GAUUACA".repeat(12)});
    let company =
        json!({"pre_mirnas": [other, body["pre_mirnas"][0], other], "methods": ["n_mask", "double_mutant"]});
    let beside = app.post_to("/v1/pre-mirnas/explain", &company).await.body["results"][1].clone();
    for place in [0, 20, hairpin.len() - 1] {
        let importance = |result: &Value| number(&result["importance"]["sequence"][place]);
        assert!((importance(result) - importance(&beside)).abs() < 2e-5, "{place}");
    }
    assert_near(&result["double_mutants"], &beside["double_mutants"]);
    assert_eq!(result["importance"]["sequence"].as_array().unwrap().len(), hairpin.len());
    let pairs = result["dot_bracket"].as_str().unwrap().matches('(').count();
    assert_eq!(result["double_mutants"].as_array().unwrap().len(), pairs);
}

/// An application of a random network for expression alone.
async fn explain_gene(body: &Value) -> Reply {
    crate::expression::app().post_to("/v1/expression/explain", body).await
}

#[tokio::test]
async fn a_level_is_explained_by_parts_features_and_mirnas() {
    let promoter = "ACGTTGCA".repeat(11);
    let gene = json!({"promoter": promoter, "tss": 49, "half_life_features": {"cds_gc": 0.5}});
    let reply = explain_gene(&json!({"genes": [gene], "methods": ["n_mask"]})).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let result = &reply.body["results"][0];
    let parts = result["promoter"].as_array().unwrap();
    assert_eq!(
        (parts.len(), &parts[1]["start"], &parts[1]["end"], &parts[16]["end"]),
        (17, &json!(5), &json!(10), &json!(88))
    );
    let app = crate::expression::app();
    let mut masked = gene.clone();
    masked["promoter"] = format!("{}NNNNN{}", &promoter[..5], &promoter[10..]).into();
    let mut unknown = gene.clone();
    unknown["half_life_features"] = json!({});
    let levels = app.post_to("/v1/expression/predict", &json!({"genes": [gene, masked, unknown]})).await.body;
    let level = |row: usize| number(&levels["results"][row]["log10_expression"]);
    close(&parts[1]["n_mask"], level(0) - level(1), "a part");
    close(&result["half_life_features"]["cds_gc"], level(0) - level(2), "a feature");
    assert_eq!(result["mirnas"], json!({}));
    let reply = explain_gene(&json!({"genes": [gene], "methods": ["double_mutant"]})).await;
    assert_eq!(reply.status, 422, "{}", reply.body);
}

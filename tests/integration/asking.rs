//! What the URL and `Accept` ask for: columns by other names, a direction, a format; and what nobody knows is refused.

use axum::http::Request;
use serde_json::{Value, json};

use crate::app::{App, MIRNA, SCORE, SITE, assert_near, pair, score_request};
use crate::public_files::{FASTA, hairpins};
use crate::reading::{CSV, NDJSON, TSV, ask};

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

#[tokio::test]
async fn columns_have_the_callers_names_and_come_back() {
    let app = App::ready(&[]);
    let whole = app.score(&[pair()]).await.body["results"][0]["probability"].clone();
    let url = format!("{SCORE}?column.mirna=noncodingRNA&column.site=gene&keep_columns=true");
    let table = format!("gene,noncodingRNA,label,site\n{SITE},{MIRNA},1,\"a,b\"\n");
    let (status, body) = ask(&app, &url, CSV, "application/json", table.clone()).await;
    let result = &body["results"][0];
    assert_eq!((status, &result["input"]), (200, &json!({"label": "1", "site": "a,b"})));
    assert_near(&result["probability"], &whole);
    let (_, text) = ask(&app, &url, CSV, "", table).await;
    let text = text.as_str().unwrap();
    assert!(
        text.starts_with("id,probability,interacts,site_type,warnings,pairing,input.label,input.site\n"),
        "{text}"
    );
    assert!(text.ends_with(",1,\"a,b\"\n"), "{text}");
    let row = json!({"noncodingRNA": MIRNA, "gene": SITE, "label": 1, "more": {"x": [1, null]}});
    // A name that no column has, for a field that may be left out.
    let (status, body) =
        ask(&app, &format!("{url}&column.id=foo"), CSV, "", format!("gene,noncodingRNA\n{SITE},{MIRNA}\n"))
            .await;
    let told = body["errors"][0]["detail"].as_str().unwrap();
    assert!(status == 400 && told.starts_with("there is no column \"foo\", which column.id"), "{body}");
    let twice = row.to_string().replace("\"label\"", "\"label\":0,\"label\"");
    for (format, body) in [("application/json", format!("{{\"pairs\":[{twice}]}}")), (NDJSON, twice)] {
        let (_, body) = ask(&app, &url, format, "", body).await;
        assert_eq!(body["errors"][0]["code"], "duplicate_field", "{body}");
    }
    let input = json!({"label": 1, "more": {"x": [1, null]}});
    let (_, body) = ask(&app, &url, "application/json", "", json!({"pairs": [row, row]}).to_string()).await;
    assert_eq!(body["results"][1]["input"], input);
    assert_near(&body["results"][1]["probability"], &whole);
    let (_, line) = ask(&app, &url, NDJSON, "", row.to_string()).await;
    assert_eq!(line["input"], input);
    assert_near(&line["probability"], &whole);
    let url = format!("{SCORE}?header=mirna,site,label&keep_columns=true");
    let (status, text) = ask(&app, &url, TSV, "", format!(">{MIRNA}\t>{SITE}\t0\n")).await;
    assert!(status == 200 && text.as_str().unwrap().ends_with("\t0\n"), "{text}");
    let (status, body) = ask(&app, SCORE, CSV, "", format!("mirna,site,label\n{MIRNA},{SITE},1\n")).await;
    let detail = body["errors"][0]["detail"].as_str().unwrap();
    assert!(
        status == 400 && detail.contains("keep_columns=true") && detail.contains("mirna, site, id"),
        "{body}"
    );
}

#[tokio::test]
async fn mirnas_are_turned_round_and_their_rows_say_so() {
    let app = App::ready(&[]);
    let whole = app.score(&[pair()]).await.body["results"][0]["probability"].clone();
    let row = json!({"mirna": backwards(MIRNA), "site": SITE});
    let url = format!("{SCORE}?mirna_direction=3to5");
    for (media_type, body) in [
        ("application/json", json!({"pairs": [row]}).to_string()),
        (NDJSON, row.to_string()),
        (CSV, format!("mirna,site\n{},{SITE}\n", backwards(MIRNA))),
    ] {
        let accept = if media_type == NDJSON { "" } else { "application/json" };
        let (_, body) = ask(&app, &url, media_type, accept, body).await;
        let result = body.get("results").map_or(&body, |results| &results[0]);
        assert_near(&result["probability"], &whole);
        assert!(result["warnings"].to_string().contains("turned round"), "{body}");
    }
    let (_, body) = ask(&app, &url, CSV, "", format!("mirna,site\nXCGUACGUACGUACGUA,{SITE}\n")).await;
    assert!(body["errors"][0]["detail"].as_str().unwrap().contains("position 1 "), "as it was sent: {body}");
}

#[tokio::test]
async fn unknown_parameters_are_refused_everywhere() {
    let app = App::ready(&[]);
    for url in [
        "/v1/target-sites/score?mdoel=dmiso",
        "/v1/target-sites/score?tss=3",
        "/v1/target-sites/score?model=dmiso&model=dmiso",
        "/v1/target-sites/score?keep_columns=maybe",
        "/v1/target-sites/score?mirna_direction=up",
        "/v1/target-sites/score?column.gene=x",
        "/v1/pre-mirnas/classify?mirna_direction=3to5",
        "/v1/expression/predict?tss=-1",
        "/v2/models/dmiso/infer?model=dmiso",
    ] {
        let reply = app.post_to(url, &json!({"pairs": [pair()]})).await;
        assert_eq!(reply.status, 400, "{url} {}", reply.body);
    }
    for url in [
        "/v1/models?page=2",
        "/v1/models/dmiso?x",
        "/health/live?verbose=1",
        "/v2?x=1",
        "/openapi.json?x=1",
        "/service-info?x=1",
        "/metrics?x=1",
        "/?x=1",
    ] {
        assert_eq!(app.get(url).await.status, 400, "{url}");
    }
    let detail = app.post_to("/v1/target-sites/score?mdoel=x", &Value::Null).await.body["detail"].to_string();
    assert!(detail.contains("model, header, keep_columns, column.FIELD, mirna_direction"), "{detail}");
    for url in ["/openapi.json?", "/docs/?x=1"] {
        assert_ne!(app.get(url).await.status, 400, "{url}");
    }
}

#[tokio::test]
async fn the_format_that_is_liked_best_is_sent() {
    let app = App::ready(&[]);
    let json = json!({"pairs": [pair()]}).to_string();
    let table = format!("mirna,site\n{MIRNA},{SITE}\n");
    let line = pair().to_string();
    let got = async |media_type: &str, accept: &[&str], body: &str| {
        let mut request = Request::post(SCORE).header("content-type", media_type);
        for line in accept {
            request = request.header("accept", *line);
        }
        let response = app.open(request.body(body.to_owned().into()).unwrap()).await;
        let sent = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        if response.status() == 200 { sent.unwrap() } else { response.status().as_str().to_owned() }
    };
    const JSON: &str = "application/json";
    for (sent, accept, expected) in [
        (JSON, &["text/csv;q=0.1, application/json"][..], JSON),
        (JSON, &["application/json;q=0.1", "text/csv"], CSV),
        (JSON, &["text/csv;q=0, */*"], JSON),
        (JSON, &["application/json;q=0, */*;q=0.1"], CSV),
        (JSON, &["text/*"], CSV),
        (JSON, &["*/*"], JSON),
        (JSON, &["application/x-ndjson"], NDJSON),
        (JSON, &["TEXT/CSV; Q=0.5"], CSV),
        (JSON, &["text/html"], "406"),
        (JSON, &["application/json;q=0"], "406"),
        (JSON, &["text/tab-separated-values, text/csv"], TSV),
        (CSV, &["*/*"], CSV),
        (CSV, &["text/html, application/json"], JSON),
        (CSV, &["application/x-ndjson"], NDJSON),
        (CSV, &[], CSV),
        (NDJSON, &["application/jsonl"], "application/jsonl"),
        (NDJSON, &["text/csv"], "406"),
        ("application/jsonl", &[], NDJSON),
        ("application/ndjson", &["*/*"], NDJSON),
        ("application/x-jsonlines", &["application/*"], NDJSON),
    ] {
        let body = if sent == JSON {
            &json
        } else if sent == CSV {
            &table
        } else {
            &line
        };
        assert_eq!(got(sent, accept, body).await, expected, "{sent} {accept:?}");
    }
}

#[tokio::test]
async fn an_error_line_carries_the_rows_id() {
    let app = App::ready(&[]);
    let (_, line) = ask(&app, SCORE, NDJSON, "", r#"{"id": "p7", "mirna": "X", "site": 3}"#).await;
    assert_eq!((&line["line"], &line["id"]), (&json!(1), &json!("p7")));
}

#[tokio::test]
async fn a_table_may_be_answered_line_by_line() {
    let app = App::ready(&["--max-rows", "2"]);
    let table = format!("id,mirna,site\na,{MIRNA},{SITE}\n\nb,{MIRNA},X\nc,{MIRNA}\nd,{MIRNA},{SITE}\n");
    let (reply, text) = app.post_as(CSV, &[("accept", NDJSON)], table).await;
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((reply.status, lines.len()), (200, 4), "{text}");
    assert_eq!((&lines[1]["line"], &lines[1]["id"]), (&json!(4), &json!("b")));
    assert_eq!((&lines[2]["line"], &lines[2]["errors"][0]["code"]), (&json!(5), &json!("broken_table")));
    assert_eq!(lines[3]["id"], "d");
    let broken = score_request(&[("content-type", CSV), ("accept", NDJSON)], "mirna,gene\nA,C\n");
    assert_eq!(app.send(broken).await.status, 400);
}

fn lines(text: &Value) -> Vec<Value> {
    let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn rows_of_a_table_are_the_same_in_every_reply() {
    let app = App::ready(&[]);
    let other = "AAAAAAAAAAAAAAA";
    for (query, table) in [
        ("column.site=gene&keep_columns=true", format!("gene,mirna,site\n{other},{MIRNA},{SITE}\n")),
        ("column.site=gene&keep_columns=true", format!("mirna,site,gene\n{MIRNA},{SITE},{other}\n")),
        ("column.mirna=seq&keep_columns=true", format!("seq,mirna,site\n{MIRNA},let-7,{SITE}\n")),
        ("column.id=name&keep_columns=true", format!("name,id,mirna,site\na,7,{MIRNA},{SITE}\n")),
        (
            "column.mirna=mirna.seq&column.site=site.seq&keep_columns=true",
            format!("id,mirna.seq,site.seq,mirna,mirna.name\na,{MIRNA},{SITE},x,y\n"),
        ),
        ("keep_columns=true", format!("X,X.1,X.2,id,id.x,mirnas,mirna,site\n1,2,3,a,4,5,{MIRNA},{SITE}\n")),
        ("keep_columns=true", format!("mirna,site,id,label\n{MIRNA},{SITE},p1,1\n")),
    ] {
        let url = format!("{SCORE}?{query}");
        let (status, whole) = ask(&app, &url, CSV, "application/json", table.clone()).await;
        assert_eq!(status, 200, "{table} {whole}");
        let (_, line) = ask(&app, &url, CSV, NDJSON, table.clone()).await;
        assert!(whole["results"][0]["input"].is_object(), "{table} {whole}");
        assert_near(&line, &whole["results"][0]);
        assert_eq!(line["input"], whole["results"][0]["input"], "{table}");
    }
    let ragged = format!(
        "mirna,site,id,label\n{MIRNA},{SITE},p1,1\n{MIRNA},{SITE}\n{MIRNA},{SITE},p3,1,9\n{MIRNA},{SITE},p4,1\n"
    );
    let url = format!("{SCORE}?keep_columns=true");
    let (status, whole) = ask(&app, &url, CSV, "", ragged.clone()).await;
    assert_eq!((status, whole["errors"].as_array().unwrap().len()), (400, 2), "{whole}");
    let (_, text) = ask(&app, &url, CSV, NDJSON, ragged).await;
    let lines = lines(&text);
    for (place, line) in [(1, 3), (2, 4)] {
        let error = &lines[place]["errors"][0];
        assert_eq!((&lines[place]["line"], &error["code"]), (&json!(line), &json!("broken_table")), "{text}");
    }
    assert_eq!((&lines[2]["id"], &lines[3]["id"]), (&json!("p3"), &json!("p4")));
}

#[tokio::test]
async fn options_that_would_change_nothing_are_refused() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins();
    let pairs = json!({"pairs": [pair()]}).to_string();
    let table = format!("a,b\n{MIRNA},{SITE}\n");
    for (app, url, media_type, body, hint) in [
        (&app, format!("{SCORE}?header=mirna,site"), "application/json", &pairs, "header="),
        (&app, format!("{SCORE}?header=mirna,site"), NDJSON, &pair().to_string(), "header="),
        (&app, format!("{SCORE}?header="), CSV, &table, "header= is empty"),
        (&app, format!("{SCORE}?column.mirna="), CSV, &table, "empty"),
        (&app, format!("{SCORE}?column.mirna=b&column.site=b"), CSV, &table, "the same column"),
        (&app, format!("{SCORE}?keep_columns=maybe"), CSV, &table, "maybe"),
        (&others, "/v1/expression/predict?tss=1".into(), "application/json", &"{}".into(), "tss="),
        (&others, "/v1/expression/predict?tss=1&column.id=x".into(), FASTA, &">a\nACGT\n".into(), "column"),
        (&others, "/v1/pre-mirnas/classify?keep_columns=true".into(), FASTA, &">a\nACGT\n".into(), "keep"),
        (&others, "/v1/pre-mirnas/classify?header=id".into(), FASTA, &">a\nACGT\n".into(), "header="),
    ] {
        for accept in ["", NDJSON] {
            if accept == NDJSON && media_type == "application/json" {
                continue;
            }
            let (status, reply) = ask(app, &url, media_type, accept, body.clone()).await;
            assert!(status == 400 && reply["detail"].as_str().unwrap().contains(hint), "{url} {reply}");
        }
    }
    let promoters = format!("id,promoter\ng,{SITE}\n");
    for accept in ["application/json", NDJSON] {
        let (_, expected) =
            ask(&others, "/v1/expression/predict", CSV, accept, format!("id,promoter,tss\ng,{SITE},3\n"))
                .await;
        let (status, body) =
            ask(&others, "/v1/expression/predict?tss=3", CSV, accept, promoters.clone()).await;
        assert_eq!(status, 200, "{body}");
        assert_near(&body, &expected);
    }
    let both = format!("id,promoter,tss\ng,{SITE},3\n");
    let (status, body) = ask(&others, "/v1/expression/predict?tss=3", CSV, "", both).await;
    assert_eq!((status, &body["errors"][0]["code"]), (400, &json!("duplicate_field")), "{body}");
}

#[tokio::test]
async fn a_direction_that_is_wrong_is_told_to_be_left_out() {
    let app = App::ready(&[]);
    let table = format!("mirna,site\n{MIRNA},{SITE}\n");
    let (_, body) = ask(&app, &format!("{SCORE}?mirna_direction=3to5"), CSV, "application/json", table).await;
    let warnings = body["results"][0]["warnings"].to_string();
    assert!(warnings.contains("leave mirna_direction out"), "{warnings}");
    assert!(!warnings.contains("?mirna_direction"), "{warnings}");
}

#[tokio::test]
async fn lines_have_many_names() {
    let app = App::ready(&[]);
    for name in [NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"] {
        let (reply, text) = app.post_as(name, &[("accept", name)], pair().to_string()).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, name));
        assert!(text.contains("probability"), "{text}");
        let table = format!("mirna,site\n{MIRNA},{SITE}\n");
        let (reply, text) = app.post_as(CSV, &[("accept", name)], table).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, name), "{text}");
    }
}

#[tokio::test]
async fn names_and_fields_are_bounded() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins();
    let url = format!("{SCORE}?keep_columns=true");
    for (more, expected) in [(200, 200), (201, 400)] {
        let names: String = (0..more).map(|name| format!(",c{name}")).collect();
        let cells = ",1".repeat(more);
        let table = format!("mirna,site{names}\n{MIRNA},{SITE}{cells}\n");
        let mut row = pair();
        (0..more).for_each(|name| row[format!("c{name}")] = 1.into());
        let rows = json!({"pairs": [row]}).to_string();
        const JSON: &str = "application/json";
        for (media_type, accept, body) in
            [(CSV, JSON, table.clone()), (CSV, NDJSON, table), (JSON, JSON, rows)]
        {
            let (status, body) = ask(&app, &url, media_type, accept, body).await;
            assert_eq!(status, expected, "{media_type} {accept} {more}");
            assert!(status == 200 || body.to_string().contains("up to 200 columns"), "{body}");
        }
    }
    for (more, expected) in [(50_000, 200), (50_001, 400)] {
        let mirnas: Value = (0..more).map(|name| (name.to_string(), 1.0)).collect();
        let gene = json!({"promoter": SITE, "tss": 3, "mirnas": mirnas});
        let body = json!({"genes": [gene]}).to_string();
        let (status, _) = ask(&others, "/v1/expression/predict", "application/json", "", body).await;
        assert_eq!(status, expected, "{more}");
    }
}

#[tokio::test]
async fn an_id_without_bound_does_not_come_back() {
    let app = App::ready(&[]);
    for (length, comes) in [(256, true), (257, false)] {
        let line = json!({"id": "x".repeat(length), "mirna": "X", "site": SITE}).to_string();
        let (_, line) = ask(&app, SCORE, NDJSON, "", line).await;
        assert_eq!(line.get("id").is_some(), comes, "{line}");
    }
}

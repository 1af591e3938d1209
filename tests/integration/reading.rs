//! What is read of rows as people have them, and what is said of rows that cannot be read.

use axum::body::Body;
use axum::http::Request;
use mirador_models::networks::{premirna_cnn_lstm, xpresso};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SCORE, SITE, assert_near, pair};
use crate::weights::write_model;

pub(crate) const CSV: &str = "text/csv";
pub(crate) const TSV: &str = "text/tab-separated-values";
pub(crate) const NDJSON: &str = "application/x-ndjson";

/// Asks in a format; the reply as JSON, or as text where it is none.
pub(crate) async fn ask(
    app: &App,
    path: &str,
    media_type: &str,
    accept: &str,
    body: impl Into<Body>,
) -> (u16, Value) {
    let mut request = Request::post(path).header("x-request-id", "test").header("content-type", media_type);
    if !accept.is_empty() {
        request = request.header("accept", accept);
    }
    let reply = app.send(request.body(body.into()).unwrap()).await;
    (reply.status, reply.body)
}

/// `[line, pointer, code]` of each error.
fn errors(body: &Value) -> Vec<Value> {
    let errors = body["errors"].as_array().unwrap_or_else(|| panic!("{body}")).iter();
    errors.map(|error| json!([error["line"], error["pointer"], error["code"]])).collect()
}

fn hairpins_and_genes() -> (TempDir, App) {
    let root = TempDir::new().unwrap();
    write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", true);
    write_model(&xpresso::MODEL, root.path(), "public", true);
    let app = App::serving(root.path(), &[]);
    (root, app)
}

#[tokio::test]
async fn a_table_is_refused_with_every_bad_row() {
    let app = App::ready(&[]);
    let table = format!(
        "id,mirna,site\np1,{MIRNA},{SITE}\np2,{MIRNA},\n\np3,{MIRNA},ACGUXACGU\np4,{MIRNA}\np5,{MIRNA},na\n"
    );
    let (status, body) = ask(&app, SCORE, CSV, "", table).await;
    assert_eq!(status, 400, "one entry is of shape");
    let expected = [
        json!([3, "/pairs/1/site", "empty_sequence"]),
        json!([5, "/pairs/2/site", "invalid_letter"]),
        json!([6, "/pairs/3", "broken_table"]),
        json!([7, "/pairs/4/site", "empty_sequence"]),
    ];
    assert_eq!(errors(&body), expected);
    let rows =
        json!([{"mirna": 3, "site": "ACGX"}, pair(), {"mirna": MIRNA, "site": ""}, {"mirna": MIRNA}, 7]);
    let (status, body) = ask(&app, SCORE, "application/json", "", json!({"pairs": rows}).to_string()).await;
    let expected = [
        json!([null, "/pairs/0/mirna", "wrong_type"]),
        json!([null, "/pairs/0/site", "invalid_letter"]),
        json!([null, "/pairs/2/site", "empty_sequence"]),
        json!([null, "/pairs/3", "missing_field"]),
        json!([null, "/pairs/4", "wrong_type"]),
    ];
    assert_eq!((status, errors(&body)), (400, expected.into()));
}

#[tokio::test]
async fn messages_speak_plain_words() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins_and_genes();
    let line = pair().to_string();
    let requests = [
        (
            &app,
            SCORE,
            "application/json",
            r#"{"pairs": [{"mirna": 3, "site": true, "pairing": "x"}, null, "x"]}"#.to_owned(),
            "has to be",
        ),
        (&app, SCORE, "application/json", format!("{line}\n{line}\n"), "application/x-ndjson"),
        (&app, SCORE, "application/json", format!("[{line}]"), r#"{"pairs": [...]}"#),
        (&app, SCORE, "application/json", ">a\nACGU\n".into(), "FASTA"),
        (&app, SCORE, "application/json", "mirna,site\n".into(), "text/csv"),
        (&app, SCORE, NDJSON, format!(r#"{{"pairs": [{line}]}}"#), "application/json"),
        (&app, SCORE, NDJSON, ">a".into(), "FASTA"),
        (&app, SCORE, CSV, format!("{{\"pairs\": [{line}]}}"), "application/json"),
        (&app, SCORE, CSV, line.clone(), "application/x-ndjson"),
        (&app, SCORE, CSV, ">a\nACGU\n".into(), "FASTA"),
        (&app, SCORE, CSV, format!("{MIRNA},{SITE}\n"), "?header="),
        (&app, SCORE, CSV, format!("noncodingRNA,site\n{MIRNA},{SITE}\n"), "keep_columns"),
        (&others, "/v1/pre-mirnas/classify", CSV, ">a\nACGU\n".into(), "text/x-fasta"),
        (&others, "/v1/expression/predict", CSV, "promoter,tss\nACGU,x\n".into(), "a whole number"),
        (
            &others,
            "/v1/expression/predict",
            "application/json",
            r#"{"genes": [{"promoter": "A", "tss": -1, "half_life_features": 3}]}"#.into(),
            "a whole number",
        ),
        (
            &app,
            "/v2/models/dmiso/infer",
            "application/json",
            r#"{"inputs": [{"name": "mirna", "shape": ["x"]}]}"#.into(),
            "whole numbers",
        ),
    ];
    for (app, path, media_type, body, hint) in requests {
        let (_, reply) = ask(app, path, media_type, "", body.clone()).await;
        let text = reply.to_string().replace("\\\"", "\"");
        assert!(text.contains(hint), "{body} {text}");
        for foreign in ["usize", "f64", "struct", "expected a", "invalid type", "enum", "u64"] {
            assert!(!text.contains(foreign), "{foreign}: {text}");
        }
    }
}

#[tokio::test]
async fn only_objects_are_objects() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins_and_genes();
    let list = json!(["p1", MIRNA, SITE]);
    let requests = [
        (&app, SCORE, json!({"pairs": [list]}), "/pairs/0"),
        (&app, SCORE, json!(["dmiso", [pair()]]), ""),
        (
            &others,
            "/v1/expression/predict",
            json!({"genes": [{"promoter": "ACGT", "tss": 0, "half_life_features": [0.7]}]}),
            "/genes/0/half_life_features",
        ),
        (
            &app,
            "/v2/models/dmiso/infer",
            json!({"inputs": [["mirna", "BYTES", [1], {}, [MIRNA]]]}),
            "/inputs/0",
        ),
        (&app, "/v2/models/dmiso/infer", json!([null, {}, []]), ""),
        (&app, "/v2/models/dmiso/infer", json!({"inputs": [], "outputs": [["site_type"]]}), "/outputs/0"),
    ];
    for (app, path, body, pointer) in requests {
        let (status, reply) = ask(app, path, "application/json", "", body.to_string()).await;
        assert_eq!((status, &reply["errors"][0]["pointer"]), (400, &json!(pointer)), "{body} {reply}");
    }
    let (_, line) = ask(&app, SCORE, NDJSON, "", list.to_string()).await;
    assert_eq!(line["errors"][0]["code"], "wrong_type");
}

#[tokio::test]
async fn no_row_is_swallowed_in_silence() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins_and_genes();
    for (media_type, sign) in [(CSV, ","), (TSV, "\t")] {
        let row = |cells: &[&str]| cells.join(sign) + "\n";
        let head = row(&["mirna", "site", "id"]);
        for table in [
            [
                head.as_str(),
                &row(&[MIRNA, SITE, "a"]),
                &row(&[MIRNA, SITE, "\"probe 1"]),
                &row(&[MIRNA, SITE, "p2"]),
            ]
            .concat(),
            [
                head.as_str(),
                &row(&[MIRNA, SITE, "a"]),
                &row(&[MIRNA, SITE, "\"x"]),
                &row(&[MIRNA, SITE, "\"y"]),
            ]
            .concat(),
        ] {
            let (status, body) = ask(&app, SCORE, media_type, "", table).await;
            assert_eq!((status, errors(&body)), (400, vec![json!([3, "", "broken_table"])]), "{body}");
        }
        let quoted =
            [head.as_str(), &row(&[MIRNA, SITE, "5\" arm"]), &row(&[MIRNA, SITE, "\"a\"\"b\nc\""])].concat();
        let (status, body) = ask(&app, SCORE, media_type, "application/json", quoted).await;
        assert_eq!(
            (status, &body["results"][0]["id"], &body["results"][1]["id"]),
            (200, &json!("5\" arm"), &json!("a\"b\nc"))
        );
        let twice =
            [row(&["mirna", "site", "site"]), row(&[MIRNA, SITE, ""]), row(&[MIRNA, "", SITE])].concat();
        let (status, body) = ask(&app, SCORE, media_type, "", twice).await;
        assert_eq!((status, &errors(&body)[0]), (400, &json!([1, "/pairs/0/site", "duplicate_field"])));
    }
    let twice = r#"{"genes": [{"promoter": "ACGT", "tss": 0, "mirnas": {"a": 1, "a": 2}}]}"#;
    let (status, body) = ask(&others, "/v1/expression/predict", "application/json", "", twice).await;
    assert_eq!((status, errors(&body)), (400, vec![json!([null, "/genes/0/mirnas/a", "duplicate_field"])]));
}

#[tokio::test]
async fn marks_blank_rows_and_foreign_separators_are_read() {
    let app = App::ready(&[]);
    let plain = format!("id,mirna,site\na,{MIRNA},{SITE}\nb,{MIRNA},{SITE}\n");
    let (_, expected) = ask(&app, SCORE, CSV, "application/json", plain.clone()).await;
    let utf16: Vec<u8> =
        "\u{feff}".encode_utf16().chain(plain.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let spread = plain.replace("b,", ",,\n , ,\t\n\"\",\"\",\"\"\nb,") + ",,\r\n\r\n";
    for (name, body) in [
        ("mark", format!("\u{feff}{plain}").into_bytes()),
        ("UTF-16", utf16),
        ("semicolons", plain.replace(',', ";").into_bytes()),
        ("tabs", plain.replace(',', "\t").into_bytes()),
        ("sep=", format!("sep=;\r\n{}", plain.replace(',', ";")).into_bytes()),
        ("CRLF", plain.replace('\n', "\r\n").into_bytes()),
        ("blank rows", spread.into_bytes()),
        ("index", plain.replace("id,", ",id,").replace("a,U", "0,a,U").replace("b,U", "1,b,U").into_bytes()),
        ("R's index", plain.replace("a,U", "1,a,U").replace("b,U", "2,b,U").into_bytes()),
    ] {
        let (status, found) = ask(&app, SCORE, CSV, "application/json", body).await;
        assert_eq!(status, 200, "{name} {found}");
        assert_near(&found, &expected);
    }
    let mut latin = plain.clone().into_bytes();
    let place = latin.iter().position(|&byte| byte == b'a').unwrap();
    latin[place] = 0xE9;
    let (status, body) = ask(&app, SCORE, CSV, "", latin.clone()).await;
    assert!(status == 400 && body["detail"].as_str().unwrap().contains("UTF-8"), "{body}");
    let (status, body) = ask(&app, SCORE, "text/csv; charset=windows-1252", "application/json", latin).await;
    assert!(status == 200 || body.to_string().contains('é'), "{body}");
    for (media_type, body) in [
        ("application/json", format!("\u{feff}{}", json!({"pairs": [pair()]}))),
        (NDJSON, format!("\u{feff}{}\n\u{feff}{}\n", pair(), pair())),
        (NDJSON, format!("\u{feff}\n\u{feff}\u{feff}{}\n\u{feff}", pair())),
    ] {
        let (status, body) = ask(&app, SCORE, media_type, "", body).await;
        assert!(status == 200 && !body.to_string().contains("errors"), "{body}");
    }
    let tensor =
        |name: &str, value: &str| json!({"name": name, "datatype": "BYTES", "shape": [1], "data": [value]});
    let body = format!("\u{feff}{}", json!({"inputs": [tensor("mirna", MIRNA), tensor("site", SITE)]}));
    assert_eq!(ask(&app, "/v2/models/dmiso/infer", "application/json", "", body).await.0, 200);
}

#[tokio::test]
async fn cells_are_read_as_excel_r_and_pandas_write_them() {
    let (_root, app) = hairpins_and_genes();
    let path = "/v1/expression/predict";
    let ask = async |table: &str| ask(&app, path, CSV, "application/json", table.to_owned()).await;
    let (_, expected) = ask("promoter,tss,half_life_features.cds_gc\nACGTACGT,5,0.5\nACGTACGT,5,\n").await;
    for missing in ["NA", "NaN", "nan", "NULL", "None", "N/A", "-", "\"NA\"", " "] {
        let (_, found) = ask(&format!(
            "promoter,tss,half_life_features.cds_gc\n\"ACGTACGT\",5.0,.5\nACGTACGT,5,{missing}\n"
        ))
        .await;
        assert_near(&found, &expected);
    }
    let (_, found) = ask("promoter;tss;half_life_features.cds_gc\nACGTACGT;5,0;0,5\nACGTACGT;5;NA\n").await;
    assert_near(&found, &expected);
    let (status, body) = ask("promoter,tss,half_life_features.cds_gc\nACGT,NA,inf\nNA,0,x\n").await;
    assert_eq!(status, 400, "{body}");
    let codes: Vec<&Value> = body["errors"].as_array().unwrap().iter().map(|error| &error["code"]).collect();
    assert_eq!(codes, ["out_of_range", "missing_field", "wrong_type", "empty_sequence"]);
    let app = App::ready(&[]);
    for flag in ["TRUE", "True", "T", "true", "FALSE", "F", "NA"] {
        let (status, body) =
            self::ask(&app, SCORE, CSV, "", format!("mirna,site,pairing\n{MIRNA},{SITE},{flag}\n")).await;
        // dmiso tells no pairings.
        let asked = flag.to_lowercase().starts_with('t');
        assert_eq!(status, if asked { 422 } else { 200 }, "{flag} {body}");
    }
}

#[tokio::test]
async fn reading_ends_at_one_row_too_many() {
    let app = App::ready(&["--max-rows", "3"]);
    // What stands behind the fourth row is never read, so that it may be broken.
    let rows = vec![pair().to_string(); 4].join(",");
    for (media_type, body) in [
        ("application/json", format!(r#"{{"pairs": [{rows}, !"#)),
        (CSV, format!("mirna,site\n{}{MIRNA}\n", format!("{MIRNA},{SITE}\n").repeat(4))),
    ] {
        assert_eq!(ask(&app, SCORE, media_type, "", body).await.0, 413, "{media_type}");
    }
    let wide: String = (0..2000).map(|column| format!("c{column},")).collect();
    let (status, body) =
        ask(&app, &format!("{SCORE}?keep_columns=true"), CSV, "", format!("mirna,site,{wide}x\n")).await;
    assert_eq!((status, &body["errors"][0]["code"]), (400, &json!("broken_table")));
}

//! `POST /v1/target-sites/scan`: sites, scores, formats, bounds.

use std::io::Write;

use axum::http::Request;
use flate2::Compression;
use flate2::write::GzEncoder;
use noodles_bed as bed;
use noodles_gff as gff;
use serde_json::{Value, json};

use crate::app::{App, SCORE, assert_near};
use crate::weights::{self, SITE_EFFECTS};

const SCAN: &str = "/v1/target-sites/scan";
const LET7: &str = "UGAGGUAGUAGGUUGUAUAGUU";
const JSON: &str = "application/json";

fn app(flags: &[&str]) -> App {
    App::serving(weights::scanning(), flags)
}

fn request(mirnas: &[(&str, &str)], transcripts: &[(&str, &str)]) -> Value {
    let list = |entries: &[(&str, &str)]| -> Value {
        entries.iter().map(|(id, sequence)| json!({"id": id, "sequence": sequence})).collect()
    };
    json!({"mirnas": list(mirnas), "transcripts": list(transcripts)})
}

/// Letters without a meaning, always the same.
fn letters(count: usize, mut seed: u64) -> String {
    (0..count)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ['A', 'C', 'G', 'U'][(seed >> 61) as usize % 4]
        })
        .collect()
}

fn starts(reply: &Value) -> Vec<(u64, String)> {
    let sites = reply["sites"].as_array().unwrap().iter();
    sites
        .map(|site| (site["start"].as_u64().unwrap(), site["site_type"].as_str().unwrap().to_owned()))
        .collect()
}

#[tokio::test]
async fn sites_at_either_end_stand_where_they_are() {
    let app = app(&[]);
    let between = "GGGGCGGGCG".repeat(10);
    let transcript = format!("CUACCUCA{between}CUACCUCG{between}AUACCUCA{between}GUACCUC");
    let reply = app.post_to(SCAN, &request(&[("let-7", LET7)], &[("t", &transcript)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let expected = [(1, "8mer"), (109, "7mer-m8"), (217, "7mer-A1"), (325, "6mer")];
    assert_eq!(starts(&reply.body), expected.map(|(start, kind)| (start, kind.to_owned())));
    let score = &reply.body["transcripts"][0];
    assert_near(&score["repression_score"], &json!(SITE_EFFECTS[..4].iter().sum::<f32>()));
    assert_eq!((&score["canonical_sites"], &score["weak_sites"]), (&json!(4), &json!(0)));
    let site = |index: usize| &reply.body["sites"][index];
    assert_eq!((&site(0)["end"], &site(0)["window"]), (&json!(7), &json!([0, 21])));
    assert_eq!((&site(3)["end"], &site(3)["window"]), (&json!(331), &json!([295, 331])));
    assert_eq!(reply.body["repression_model"], json!({"name": "repression", "version": "table"}));
}

/// Every site's probability is that of its window scored alone, and no window that passes is left out.
#[tokio::test]
async fn a_long_transcript_gives_what_its_windows_give_by_hand() {
    let app = app(&[]);
    let mut transcript = letters(10_000, 7);
    for (place, site) in [(0, "CUACCUCA"), (2_477, "CUACCUCG"), (5_020, "AUACCUCA"), (9_992, "CUACCUCA")] {
        transcript.replace_range(place..place + site.len(), site);
    }
    let mut asked = request(&[("let-7", LET7)], &[("t", &transcript)]);
    asked["seedless"] = true.into();
    // Of random weights: half of the windows pass.
    let windows: Vec<usize> = (0..9_950).step_by(25).chain([9_950]).collect();
    let rows: Vec<Value> = windows
        .iter()
        .map(|start| json!({"mirna": LET7, "site": transcript[*start..start + 50], "pairing": true}))
        .collect();
    let by_hand = app.post_to(SCORE, &json!({ "pairs": rows })).await.body["results"].clone();
    let mut sorted: Vec<f64> =
        by_hand.as_array().unwrap().iter().map(|result| result["probability"].as_f64().unwrap()).collect();
    sorted.sort_by(f64::total_cmp);
    let least = sorted[sorted.len() / 2];
    asked["min_probability"] = least.into();
    let reply = app.post_to(SCAN, &asked).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let sites = reply.body["sites"].as_array().unwrap();
    let (canonical, seedless): (Vec<&Value>, Vec<&Value>) =
        sites.iter().partition(|site| site["kind"] == "canonical");
    assert!(canonical.len() > 2 && seedless.len() > 50, "{} and {}", canonical.len(), seedless.len());
    for site in sites {
        let bounds = [0, 1].map(|end| site["window"][end].as_u64().unwrap() as usize);
        let window = &transcript[bounds[0]..bounds[1]];
        let pair = json!({"mirna": LET7, "site": window});
        let alone = app.score(std::slice::from_ref(&pair)).await.body["results"][0].clone();
        assert_near(&site["probability"], &alone["probability"]);
        let fold =
            app.post_to("/v1/duplexes/fold", &json!({"pairs": [pair]})).await.body["results"][0].clone();
        assert_eq!(site["mfe_kcal_per_mol"], fold["mfe_kcal_per_mol"]);
    }
    let range =
        |site: &Value| site["start"].as_u64().unwrap() as usize..site["end"].as_u64().unwrap() as usize;
    for (start, result) in windows.iter().zip(by_hand.as_array().unwrap()) {
        // A hair's breadth: batches differ in the last bits.
        if result["probability"].as_f64().unwrap() < least + 1e-5 {
            continue;
        }
        let window = *start..start + 50;
        let holds = |site: &&Value| window.start <= range(site).start && range(site).end <= window.end;
        if canonical.iter().any(holds) {
            continue;
        }
        let pairing = result["pairing"].as_str().unwrap().split_once('&').unwrap().1;
        let Some(first) = pairing.find(')') else { continue };
        let paired = start + first..start + pairing.rfind(')').unwrap() + 1;
        let covered =
            seedless.iter().any(|site| range(site).start < paired.end && paired.start < range(site).end);
        assert!(covered, "the window from {start} passes and is told of nowhere");
    }
}

#[tokio::test]
async fn what_stands_before_the_utr_is_told_and_not_summed() {
    let app = app(&[]);
    let utr = format!("{}CUACCUCA{}", letters(40, 1), letters(40, 2));
    let coding = format!("{}CUACCUCA{}", letters(60, 3), letters(30, 4));
    let mut asked = request(&[("let-7", LET7)], &[("utr", &utr), ("mrna", &format!("{coding}{utr}"))]);
    asked["transcripts"][1]["cds_end"] = coding.len().into();
    let reply = app.post_to(SCAN, &asked).await;
    let [alone, whole] = [0, 1].map(|index| reply.body["transcripts"][index].clone());
    for score in ["repression_score", "rank_score", "weak_sites"] {
        assert_eq!(alone[score], whole[score], "{score}");
    }
    let before = reply.body["sites"].as_array().unwrap().iter().find(|site| site["start"] == 61).unwrap();
    assert_eq!((&before["repression"], &before["site_type"]), (&Value::Null, &json!("8mer")));
}

#[tokio::test]
async fn a_transcript_is_the_same_alone_and_in_company() {
    let app = app(&[]);
    let all: Vec<(String, String)> =
        (0..7).map(|index| (format!("t{index}"), letters(3_000, index))).collect();
    let named: Vec<(&str, &str)> = all.iter().map(|(id, letters)| (id.as_str(), letters.as_str())).collect();
    let mirnas = [("let-7", LET7), ("miR-1", "UGGAAUGUAAAGAAGUAUGUAU")];
    let together = app.post_to(SCAN, &request(&mirnas, &named)).await.body;
    assert_eq!(together["transcripts"].as_array().unwrap().len(), 14);
    let alone = app.post_to(SCAN, &request(&mirnas[1..], &named[3..4])).await.body;
    assert_near(&alone["transcripts"][0], &together["transcripts"][7]);
}

#[tokio::test]
async fn bed_and_gff3_are_read_by_others() {
    let app = app(&[]);
    let transcript = format!("{}CUACCUCA{}UACCUCA", letters(60, 5), letters(70, 6));
    let asked = request(&[("let-7;a=b", LET7)], &[("t", &transcript)]);
    let sites = app.post_to(SCAN, &asked).await.body["sites"].as_array().unwrap().clone();
    let bed = app.post_text(&format!("{SCAN}?format=bed"), JSON, asked.to_string()).await;
    let mut reader = bed::io::Reader::<6, _>::new(bed.as_bytes());
    let mut record = bed::Record::default();
    let mut read = 0;
    while reader.read_record(&mut record).unwrap() > 0 {
        let site = &sites[read];
        // The crate counts from 1, as its users do.
        assert_eq!(usize::from(record.feature_start().unwrap()) as u64, site["start"].as_u64().unwrap() + 1);
        assert_eq!(usize::from(record.feature_end().unwrap().unwrap()) as u64, site["end"].as_u64().unwrap());
        let score = 1000.0 * site["probability"].as_f64().unwrap();
        assert_eq!(f64::from(record.score().unwrap()), score.round());
        read += 1;
    }
    assert_eq!(read, sites.len());
    let gff3 = app.post_text(&format!("{SCAN}?format=gff3"), JSON, asked.to_string()).await;
    let mut reader = gff::io::Reader::new(gff3.as_bytes());
    let records: Vec<_> = reader.record_bufs().collect::<Result<_, _>>().unwrap();
    assert_eq!(records.len(), sites.len());
    for (record, site) in records.iter().zip(&sites) {
        assert_eq!(usize::from(record.start()) as u64, site["start"].as_u64().unwrap() + 1);
        assert_eq!(usize::from(record.end()) as u64, site["end"].as_u64().unwrap());
        assert_eq!(record.ty(), "miRNA_target_site");
        let mirna = record.attributes().get("miRNA".as_bytes()).unwrap();
        assert_eq!(mirna.as_string().unwrap(), "let-7;a=b");
    }
}

#[tokio::test]
async fn every_format_tells_the_same() {
    let app = app(&[]);
    let transcript = format!("{}CUACCUCA{}", letters(60, 8), letters(70, 9));
    let asked = request(&[("let-7", LET7)], &[("t", &transcript), ("u", &letters(500, 10))]);
    let json = app.post_to(SCAN, &asked).await.body;
    let lines = app.post_text(&format!("{SCAN}?format=ndjson"), JSON, asked.to_string()).await;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[1]["done"], &lines[1]["of"]), (&json!(2), &json!(2)));
    for (line, score) in lines.iter().zip(json["transcripts"].as_array().unwrap()) {
        assert_near(&line["transcript"], score);
    }
    let sites: Vec<Value> = lines.iter().flat_map(|line| line["sites"].as_array().unwrap().clone()).collect();
    assert_near(&sites.into(), &json["sites"]);
    let table = app.post_text(&format!("{SCAN}?format=csv"), JSON, asked.to_string()).await;
    assert_eq!(table.lines().count(), 1 + json["sites"].as_array().unwrap().len());
    let scores = app.post_text(&format!("{SCAN}?format=tsv&sites=false"), JSON, asked.to_string()).await;
    assert!(
        scores.starts_with("mirna\ttranscript\trepression_score\trank_score\t")
            && scores.lines().count() == 3
    );
    let fasta = |entries: &Value| -> String {
        let entries = entries.as_array().unwrap().iter();
        entries
            .map(|entry| {
                format!(">{} more\n{}\n", entry["id"].as_str().unwrap(), entry["sequence"].as_str().unwrap())
            })
            .collect()
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(fasta(&asked["transcripts"]).as_bytes()).unwrap();
    let form = [
        b"--x\r\ncontent-disposition: form-data; name=\"transcripts\"; filename=\"t.fa.gz\"\r\n\r\n".to_vec(),
        gzip.finish().unwrap(),
        b"\r\n--x\r\ncontent-disposition: form-data; name=\"mirnas\"\r\n\r\n".to_vec(),
        fasta(&asked["mirnas"]).into_bytes(),
        b"\r\n--x--\r\n".to_vec(),
    ];
    let sent = Request::post(SCAN).header("content-type", "multipart/form-data; boundary=x");
    let reply = app.send(sent.body(form.concat().into()).unwrap()).await;
    assert_near(&reply.body, &json);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let app = app(&[]);
    let good = || request(&[("a", LET7)], &[("t", "CUACCUCA")]);
    let with = |place: &str, value: Value| {
        let mut asked = good();
        *asked.pointer_mut(place).unwrap() = value;
        asked
    };
    let mut twice = good();
    twice["mirnas"].as_array_mut().unwrap().push(json!({"id": "a", "sequence": LET7}));
    let more = |place: &str, value: Value| {
        let mut asked = good();
        let (outer, name) = place.rsplit_once('/').unwrap();
        asked.pointer_mut(outer).unwrap()[name] = value;
        asked
    };
    for (asked, status, pointer, code, said) in [
        (with("/mirnas/0/id", json!("a b")), 422, "/mirnas/0/id", "invalid_id", "one word"),
        (with("/mirnas/0/id", json!("#a")), 422, "/mirnas/0/id", "invalid_id", "one word"),
        (with("/transcripts/0/id", json!("β-actin")), 422, "/transcripts/0/id", "invalid_id", "ASCII"),
        (with("/mirnas/0/id", json!("")), 422, "/mirnas/0/id", "invalid_id", "one word"),
        (twice, 422, "/mirnas/1/id", "invalid_id", "another"),
        (with("/mirnas/0/sequence", json!("UGAGG")), 422, "/mirnas/0/sequence", "invalid_length", "15 to 30"),
        (
            with("/transcripts/0/sequence", json!("CUX")),
            422,
            "/transcripts/0/sequence",
            "invalid_letter",
            "'X'",
        ),
        (with("/transcripts", json!([])), 422, "/transcripts", "empty_list", "at least one"),
        (
            more("/transcripts/0/cds_end", json!(9)),
            422,
            "/transcripts/0/cds_end",
            "out_of_range",
            "8 letters",
        ),
        (
            more("/transcripts/0/cds_end", json!(-1)),
            400,
            "/transcripts/0/cds_end",
            "wrong_type",
            "whole number",
        ),
        (more("/mirnas/0/name", json!(1)), 400, "/mirnas/0/name", "unknown_field", "\"name\""),
        (more("/min_probability", json!(2)), 422, "/min_probability", "out_of_range", "0 to 1"),
        (more("/seedless", json!("yes")), 400, "/seedless", "wrong_type", "true or false"),
        (with("/mirnas", json!({})), 400, "/mirnas", "wrong_type", "a list"),
        (json!([]), 400, "", "wrong_type", "an object"),
        (json!({"mirnas": []}), 400, "", "missing_field", "transcripts"),
    ] {
        let reply = app.post_to(SCAN, &asked).await;
        let error = &reply.body["errors"][0];
        assert_eq!(
            (reply.status, &error["pointer"], &error["code"]),
            (status, &json!(pointer), &json!(code)),
            "{}",
            reply.body
        );
        assert!(error["detail"].as_str().unwrap().contains(said), "{error}");
    }
    for (url, said) in [
        ("?format=xls", "json, ndjson"),
        ("?min_probability=x", "0 to 1"),
        ("?format=bed&sites=false", "sites"),
        ("?window=3", "window"),
    ] {
        let reply = app.post_to(&format!("{SCAN}{url}"), &good()).await;
        assert!(
            reply.status == 400 && reply.body["detail"].as_str().unwrap().contains(said),
            "{}",
            reply.body
        );
    }
    let reply = app.post_to(&format!("{SCAN}?seedless=true"), &more("/seedless", json!(false))).await;
    assert!(reply.body["detail"].as_str().unwrap().contains("URL and in the body"), "{}", reply.body);
    let twice = good().to_string().replacen('{', r#"{"seedless":true,"seedless":false,"#, 1);
    let reply = app
        .send(Request::post(SCAN).header("content-type", "application/json").body(twice.into()).unwrap())
        .await;
    let error = &reply.body["errors"][0];
    assert_eq!(
        (&error["pointer"], &error["code"]),
        (&json!("/seedless"), &json!("duplicate_field")),
        "{error}"
    );
    let reply = app.post_to(SCAN, &more("/model", json!("repression"))).await;
    assert_eq!((reply.status, &reply.body["type"]), (404, &json!("urn:mirador:problem:unknown-model")));
    assert_eq!(app.post_to(SCAN, &more("/model", Value::Null)).await.status, 200);
    let asked = json!({
        "mirnas": [{"id": 1, "sequence": LET7}, {"sequence": LET7}, {"id": "c", "seq": LET7}, 7],
        "transcripts": [{"id": "t", "sequence": 5, "cds_end": "x"}, {"id": "u", "sequence": "ACGU"}],
        "sites": "no",
    });
    let reply = app.post_to(SCAN, &asked).await;
    let pointers: Vec<&str> = reply.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    let expected = [
        "/mirnas/0/id",
        "/mirnas/1",
        "/mirnas/2/seq",
        "/mirnas/2",
        "/mirnas/3",
        "/transcripts/0/sequence",
        "/transcripts/0/cds_end",
    ];
    assert_eq!((reply.status, &pointers[..]), (400, &expected[..]), "{}", reply.body);
    let reply = app.post_text(SCAN, JSON, r#"{"mirnas": [], "min_probability": NaN}"#).await;
    assert!(reply.contains("NaN, NA and Infinity are not JSON"), "{reply}");
    let lines = app.post_text(SCAN, "text/csv", "mirna,site\n").await;
    assert!(lines.contains("multipart/form-data"), "{lines}");
}

#[tokio::test]
async fn no_more_is_scanned_than_a_scan_may_be_of() {
    let app = app(&[]);
    let many: Vec<Value> =
        (0..1_001).map(|index| json!({"id": format!("t{index}"), "sequence": "CUACCUCA"})).collect();
    let mut asked = request(&[("a", LET7)], &[]);
    asked["transcripts"] = many.into();
    let reply = app.post_to(SCAN, &asked).await;
    assert!(
        reply.status == 413 && reply.body["detail"].as_str().unwrap().contains("1000 transcripts"),
        "{}",
        reply.body
    );
    // A site at every letter.
    let poly = |length: usize, count: usize| {
        let letters = "A".repeat(length);
        let ids: Vec<String> = (0..count).map(|index| format!("t{index}")).collect();
        let named: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), letters.as_str())).collect();
        request(&[("a", &"U".repeat(22))], &named)
    };
    for (asked, said) in [
        (poly(100_000, 1), "mask its repeats"),
        (poly(3_000, 20), "33554432 bytes"),
        (poly(3_000, 70), "200000 windows"),
    ] {
        let reply = app.post_to(SCAN, &asked).await;
        assert!(
            reply.status == 413 && reply.body["detail"].as_str().unwrap().contains(said),
            "{}",
            reply.body
        );
    }
    let mut asked = poly(3_000, 20);
    asked["sites"] = false.into();
    assert_eq!(app.post_to(SCAN, &asked).await.status, 200);
}

/// More than half of the letters masked: a scan looks at the rest.
#[tokio::test]
async fn a_masked_transcript_is_scanned_where_it_is_known() {
    let app = app(&[]);
    let transcript = format!("{}CUACCUCA{}", "N".repeat(500), letters(60, 11));
    let reply = app.post_to(SCAN, &request(&[("a", LET7)], &[("t", &transcript)])).await;
    let (score, site) = (&reply.body["transcripts"][0], &reply.body["sites"][0]);
    assert_eq!(
        (&score["canonical_sites"], &site["start"], &site["probability"]),
        (&json!(1), &json!(501), &Value::Null)
    );
    assert!(score["warnings"][0].as_str().unwrap().contains("fewer than half"), "{score}");
    // A table of sites has no place for it.
    let asked = request(&[("a", LET7)], &[("t", &transcript), ("u", "ACGU")]);
    for (query, warnings) in [
        ("format=csv", Some("1")),
        ("format=bed", Some("1")),
        ("format=gff3", Some("1")),
        ("format=csv&sites=false", None),
        ("format=json", None),
    ] {
        let sent = Request::post(format!("{SCAN}?{query}")).header("content-type", JSON);
        let reply = app.send(sent.body(asked.to_string().into()).unwrap()).await;
        let told = reply.headers.get("x-warnings").map(|value| value.to_str().unwrap());
        assert_eq!((reply.status, told), (200, warnings), "{query}");
    }
}

#[tokio::test]
async fn a_scan_in_lines_ends_in_words_when_its_time_is_over_or_the_server_drains() {
    let app = app(&[]);
    let all: Vec<(String, String)> =
        (0..200).map(|index| (format!("t{index}"), letters(50_000, index))).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(id, letters)| (id.as_str(), letters.as_str())).collect();
    let mut asked = request(&[("a", LET7)], &all);
    asked["seedless"] = true.into();
    asked["sites"] = false.into();
    let sent = |deadline: &str| {
        Request::post(format!("{SCAN}?format=ndjson"))
            .header("content-type", JSON)
            .header("x-deadline-ms", deadline)
            .body(asked.to_string().into())
            .unwrap()
    };
    let last = |body: Value| -> Value {
        let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    };
    let ended = last(app.send(sent("1500")).await.body);
    assert!(
        ended["error"] == "deadline_exceeded" && ended["of"] == 200 && ended["done"].as_u64().unwrap() < 200,
        "{ended}"
    );
    let response = app.open(sent("60000")).await;
    app.state.drain();
    let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    let ended = last(Value::String(String::from_utf8(body.to_vec()).unwrap()));
    assert_eq!(ended["error"], "draining");
}

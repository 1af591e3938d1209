//! Tables that are not quite tables: what is taken for what, and which remedy is named.

use serde_json::{Value, json};

use crate::app::{App, MIRNA, SCORE, SITE, assert_near};
use crate::public_files::{FASTA, hairpins};
use crate::reading::{CSV, NDJSON, ask};

const PREDICT: &str = "/v1/expression/predict";

/// Refused in both replies: the code of the first error, and words of it.
async fn refused(app: &App, url: &str, table: &str, code: &str, hint: &str) {
    for accept in ["", NDJSON] {
        let (_, body) = ask(app, url, CSV, accept, table.to_owned()).await;
        let first = body.as_str().and_then(|text| text.lines().find(|line| line.contains("errors")));
        let body = first.map_or(body.clone(), |line| serde_json::from_str(line).unwrap());
        let error = &body["errors"][0];
        assert_eq!(error["code"], code, "{url} {table} {body}");
        assert!(error["detail"].as_str().unwrap().contains(hint), "{hint}: {url} {table} {body}");
    }
}

#[tokio::test]
async fn a_cell_too_many_is_no_name_of_a_row() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins();
    for table in [
        format!("half_life_features.measured,promoter,tss\n1,2,{SITE},3\n"),
        format!("promoter,tss,half_life_features.measured\n{SITE},3,1,2\n"),
    ] {
        refused(&others, PREDICT, &table, "broken_table", "4 cells").await;
    }
    for table in [
        format!("id,mirna,site\np1,{MIRNA},{SITE},CAACCUACUACCUCA\n"),
        format!("mirna,site\nr1,{MIRNA},{SITE}\nr1,{MIRNA},{SITE}\n"),
        format!("mirna,site\nr1,{MIRNA},{SITE}\n{MIRNA},{SITE}\n"),
        format!("mirna,site\n{SITE},{MIRNA},{SITE}\n"),
    ] {
        refused(&app, SCORE, &table, "broken_table", "cells").await;
    }
    // Shifted by one, each cell would be what it could be.
    let label = format!("label,mirna,site\n1,{MIRNA},{SITE},CAACCUACUACCUCA\n");
    refused(&app, &format!("{SCORE}?keep_columns=true"), &label, "broken_table", "4 cells").await;
    let named = format!("\"mirna\",\"site\"\n\"r1\",\"{MIRNA}\",\"{SITE}\"\n\"r2\",\"{MIRNA}\",\"{SITE}\"\n");
    for accept in ["application/json", NDJSON] {
        let (status, body) = ask(&app, SCORE, CSV, accept, named.clone()).await;
        let text = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
        assert!(status == 200 && text.contains(r#""id":"r1""#) && text.contains(r#""id":"r2""#), "{text}");
    }
    let keep = format!("{SCORE}?keep_columns=true");
    for table in [
        format!("id,mirna,site\n1,a,{MIRNA},{SITE}\n"),
        format!("\"\",\"id\",\"mirna\",\"site\"\n\"1\",\"a\",\"{MIRNA}\",\"{SITE}\"\n"),
    ] {
        let (_, body) = ask(&app, &keep, CSV, "application/json", table).await;
        assert_eq!(body["results"][0]["input"], json!({"row.names": "1"}), "{body}");
    }
    let both = format!(",row.names,mirna,site\n1,x,{MIRNA},{SITE}\n");
    let (_, body) = ask(&app, &keep, CSV, "application/json", both).await;
    assert_eq!(body["results"][0]["input"], json!({"row.names": "x"}), "{body}");
}

#[tokio::test]
async fn no_cell_is_lost_in_silence() {
    let app = App::ready(&[]);
    for query in ["", "?keep_columns=true"] {
        let url = format!("{SCORE}{query}");
        refused(&app, &url, &format!("id,mirna,site,\na,{MIRNA},{SITE},x\n"), "broken_table", "column 4")
            .await;
        let blank = format!("id,mirna,site,,\na,{MIRNA},{SITE},,\n");
        assert_eq!(ask(&app, &url, CSV, "", blank).await.0, 200);
    }
}

#[tokio::test]
async fn marks_in_the_middle_and_ends_of_old_macs_are_read() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins();
    let plain = format!("id,mirna,site\np1,{MIRNA},{SITE}\np2,{MIRNA},{SITE}\n");
    let (_, expected) = ask(&app, SCORE, CSV, "application/json", plain.clone()).await;
    for table in
        [plain.replace("p2", "\u{feff}p2"), plain.replace("p2", "\u{feff}\"p2\""), plain.replace('\n', "\r")]
    {
        let (status, body) = ask(&app, SCORE, CSV, "application/json", table).await;
        assert_eq!(status, 200, "{body}");
        assert_near(&body, &expected);
    }
    let (_, body) = ask(&app, SCORE, CSV, "", format!("mirna,site\r{MIRNA},{SITE}\r{MIRNA},X\r")).await;
    assert_eq!(body["errors"][0]["line"], 3, "{body}");
    // Of several machines: whoever counts, every end of a line is one.
    for [first, second, third] in [["\n", "\r", "\n"], ["\r", "\r\n", "\n"], ["\r", "\n", "\r\n"]] {
        let table = format!("mirna,site,note{first}{MIRNA},{SITE},\"a\nb\"{second}{MIRNA},X,{third}");
        let url = format!("{SCORE}?keep_columns=true");
        let (_, body) = ask(&app, &url, CSV, "application/json", table.clone()).await;
        assert_eq!(body["errors"][0]["line"], 4, "{table:?} {body}");
        let (_, lines) = ask(&app, &url, CSV, NDJSON, table).await;
        assert!(lines.as_str().unwrap().contains(r#"{"line":4,"#), "{lines}");
    }
    for sign in ["\n\u{feff}", "\r"] {
        let file = format!(">a\n{SITE}\n>b\n{SITE}\n");
        let file = match sign {
            "\r" => file.replace('\n', sign),
            _ => file.replace("\n>", "\n\u{feff}>"),
        };
        let (status, body) = ask(&others, &format!("{PREDICT}?tss=3"), FASTA, "", file).await;
        assert_eq!((status, &body["results"][1]["id"]), (200, &json!("b")), "{body}");
    }
    let rows = format!("{0}\r{0}\r", json!({"mirna": MIRNA, "site": SITE}));
    let (_, line) = ask(&app, SCORE, NDJSON, "", rows).await;
    assert!(line["errors"][0]["detail"].as_str().unwrap().contains("CR"), "{line}");
    let (_, line) = ask(&app, SCORE, NDJSON, "", "{\"mirna\": !}").await;
    let detail = line["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("column") && !detail.contains("line 1"), "{line}");
}

#[tokio::test]
async fn whole_numbers_that_may_be_thousands_are_refused() {
    let (_root, app) = hairpins();
    for (sign, tss) in [(",", "1.000"), (";", "1.000"), (";", "1,000"), (",", "12.000"), (",", "1.000.000")] {
        let table = ["promoter", "tss\n"].join(sign) + &[SITE, tss].join(sign) + "\n";
        refused(&app, PREDICT, &table, "wrong_type", "thousands").await;
    }
    for tss in ["3", "3.0", "3.00", "0.000"] {
        let (status, body) = ask(&app, PREDICT, CSV, "", format!("promoter,tss\n{SITE},{tss}\n")).await;
        assert_eq!(status, 200, "{tss} {body}");
    }
}

#[tokio::test]
async fn columns_of_other_names_are_told_the_remedy_once() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins();
    let row = format!("{MIRNA},{SITE}\n");
    for (query, table, code, hint) in [
        ("", format!("noncodingRNA,gene\n{row}{row}"), "unknown_field", "?column.mirna=NAME"),
        ("", format!("miRNA,Site\n{row}{row}"), "unknown_field", "did you mean mirna"),
        ("", format!("{row}{row}"), "unknown_field", "?header="),
        ("", format!("mirna|site\n{row}").replace(',', "|"), "syntax", "|"),
        ("", format!("mirna site\n{row}").replace(',', " "), "syntax", "write.table"),
        ("", format!("\"mirna\" \"site\"\n\"1\" {row}").replace(',', " "), "syntax", "write.table"),
        ("?keep_columns=true", format!("miRNA,site\n{row}"), "missing_field", "?column.mirna=miRNA"),
        ("?column.site=gene", format!("gene,site,mirna\n{SITE},x,{MIRNA}\n"), "unknown_field", "your own"),
        ("?header=mirna,site", format!("mirna,site\n{row}"), "broken_table", "leave ?header= out"),
        ("?header=mirna", row.clone(), "missing_field", "site"),
        ("?header=mirna,site", format!("{MIRNA},{SITE},1\n"), "broken_table", "header= names 2"),
        ("", format!("mirna,site\n{row}mirna,site\n{row}"), "broken_table", "repeats"),
        ("", format!("# from the lab\nmirna,site\n{row}"), "unknown_field", "comments are not read"),
        ("", format!("mirna,site\n{row}# the rest\n{row}"), "broken_table", "comments (#) are not read"),
    ] {
        refused(&app, &format!("{SCORE}{query}"), &table, code, hint).await;
    }
    let (_, body) = ask(&app, SCORE, CSV, "", format!("noncodingRNA,gene\n{}", row.repeat(500))).await;
    assert_eq!(body["errors"].as_array().unwrap().len(), 1, "{body}");
    let table = format!("promoter,tss,measured\n{SITE},3,1\n");
    refused(&others, PREDICT, &table, "unknown_field", "did you mean half_life_features.measured?").await;
    let app = App::ready(&["--max-rows", "1"]);
    let (status, body) = ask(&app, SCORE, CSV, "", format!("mirna,site\n{row}{row}")).await;
    assert!(status == 413 && body["detail"].as_str().unwrap().contains("Accept: application/x-ndjson"));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_told_what_they_are() {
    let app = App::ready(&[]);
    let (_root, others) = hairpins();
    let told = async |app: &App, url: &str, media_type: &str, body: Vec<u8>, hint: &str| {
        let (_, reply): (u16, Value) = ask(app, url, media_type, "", body).await;
        assert!(reply.to_string().contains(hint), "{media_type} {hint}: {reply}");
    };
    for media_type in ["application/json", NDJSON, CSV] {
        told(&app, SCORE, media_type, vec![0x1F, 0x8B, 8, 0, 0, 0], "Content-Encoding: gzip").await;
        told(&app, SCORE, media_type, vec![0x28, 0xB5, 0x2F, 0xFD, 0], "Content-Encoding: zstd").await;
        for (start, hint) in [
            (&b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0"[..], "workbook (xls)"),
            (b"BZh91AY&SY", "bzip2"),
            (b"\xFD7zXZ\0\0\x04", "xz"),
            (b"PAR1\x15\x04PAR1", "Parquet"),
            (b"{\\rtf1\\ansi mirna", "RTF"),
            (b"\xFF\xFE\0\0m\0\0\0", "UTF-32"),
        ] {
            told(&app, SCORE, media_type, start.to_vec(), hint).await;
        }
    }
    let named = format!("PAR1,{MIRNA},{SITE}\nBZh1,{MIRNA},{SITE}\n");
    assert_eq!(ask(&app, &format!("{SCORE}?header=id,mirna,site"), CSV, "", named).await.0, 200);
    let request = |label: &str| format!("{{\"pairs\":[{{\"mirna\":\"{MIRNA}\",\"site\":{label}}}]}}");
    for (label, hint) in [
        ("NaN", "NaN, NA and Infinity are not JSON"),
        ("-Infinity", "NaN, NA and Infinity are not JSON"),
        ("None", "null, true and false"),
        ("'ACGU'", "double quotes"),
    ] {
        told(&app, SCORE, "application/json", request(label).into_bytes(), hint).await;
        told(&app, SCORE, NDJSON, request(label)[10..].trim_end_matches("]}").as_bytes().to_vec(), hint)
            .await;
    }
    let latin = [request("\"x").trim_end_matches("}]}").as_bytes(), b"\xE9\"}]}"].concat();
    told(&app, SCORE, "application/json", latin.clone(), "it is not UTF-8").await;
    told(&app, SCORE, NDJSON, latin[10..latin.len() - 2].to_vec(), "it is not UTF-8").await;
    let utf16: Vec<u8> = request("\"A\"")[10..].encode_utf16().flat_map(u16::to_le_bytes).collect();
    told(&app, SCORE, NDJSON, utf16, "as in UTF-16").await;
    let url = format!("{PREDICT}?tss=1");
    told(&others, &url, FASTA, vec![0x1F, 0x8B, 8, 0], "Content-Encoding: gzip").await;
    told(&others, &url, FASTA, b">\xE9\nACGT\n".to_vec(), "save as UTF-8").await;
    let utf16 = format!("mirna,site\n{MIRNA},{SITE}é\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    told(&app, SCORE, CSV, utf16, "utf-16le").await;
}

/// A sign that also stands inside a name says nothing of what parts the cells.
#[tokio::test]
async fn cells_are_parted_by_the_sign_that_shows_the_fields() {
    let app = App::ready(&[]);
    let expected = ask(&app, SCORE, CSV, "application/json", format!("mirna,site\n{MIRNA},{SITE}\n")).await.1;
    let table = |sign: &str, last: &str| {
        [["mirna", "site", last], [MIRNA, SITE, "3"]].map(|row| row.join(sign) + "\n").concat()
    };
    for (media_type, sign, last) in [
        (CSV, ";", "position, nt"),
        (CSV, ";", "\"position, nt\""),
        (CSV, "\t", "note, x"),
        (CSV, ",", "\"note; x\""),
        ("text/tab-separated-values", ";", "\"a\tb\""),
    ] {
        let url = format!("{SCORE}?keep_columns=true");
        let (status, reply) = ask(&app, &url, media_type, "application/json", table(sign, last)).await;
        assert_eq!(status, 200, "{sign:?} {last:?}: {reply}");
        assert_near(&reply["results"][0]["probability"], &expected["results"][0]["probability"]);
    }
    let (status, reply) =
        ask(&app, &format!("{SCORE}?header=mirna,site"), CSV, "", format!("{MIRNA};{SITE}\n")).await;
    assert_eq!(status, 200, "{reply}");
}

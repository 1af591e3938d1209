//! Public files in one step: made-up rows in each file's format, with the options that docs/formats.md gives for it.

use mirador_models::networks::{premirna_cnn_lstm, xpresso};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SITE, assert_near};
use crate::reading::{CSV, NDJSON, TSV, ask};
use crate::weights::{self, write_model};

const HAIRPIN: &str = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";
const CLASSIFY: &str = "/v1/pre-mirnas/classify";
pub(crate) const FASTA: &str = "text/x-fasta";

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

pub(crate) fn hairpins() -> (TempDir, App) {
    let root = TempDir::new().unwrap();
    write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", true);
    write_model(&xpresso::MODEL, root.path(), "public", true);
    let app = App::serving(root.path(), &[]);
    (root, app)
}

#[tokio::test]
async fn pairs_of_published_sets() {
    let app = App::serving(weights::root(), &[]);
    let expected =
        app.score(&[json!({"mirna": MIRNA, "site": SITE})]).await.body["results"][0]["probability"].clone();
    let turned = reversed(MIRNA);
    for (query, media_type, file, kept) in [
        (
            "column.mirna=noncodingRNA&column.site=gene&keep_columns=true",
            TSV,
            format!(
                "gene\tnoncodingRNA\tnoncodingRNA_name\tfeature\tlabel\tchr\n{SITE}\t{MIRNA}\tmade-up\texon\t1\t1\n"
            ),
            "label",
        ),
        (
            "column.mirna=noncodingRNA&column.site=gene&keep_columns=true",
            TSV,
            format!("noncodingRNA\tgene\tlabel\n{MIRNA}\t{SITE}\t1\n"),
            "label",
        ),
        (
            "column.mirna=miRNA_sequence&column.site=gene_sequence&keep_columns=true",
            CSV,
            format!(
                "\u{feff}gene,miRNA,interaction,gene_sequence,miRNA_sequence\r\nMADE1,made-up,1,{SITE},{MIRNA}\r\n"
            ),
            "interaction",
        ),
        (
            "header=mirna,site,label&mirna_direction=3to5&keep_columns=true",
            TSV,
            format!(">{turned}\t>{SITE}\t0\n"),
            "label",
        ),
        (
            "column.mirna=miRNA%20Seq%20(3'--%3E5')&column.site=Target%20Site&mirna_direction=3to5&keep_columns=true",
            TSV,
            format!(
                "miRNA ID\tmiRNA Seq (3'-->5')\tmRNA Accession Number\tTarget Site\tlabel\nmade-up\t{turned}\tNM_0\t{SITE}\t1\n"
            ),
            "label",
        ),
    ] {
        let url = format!("/v1/target-sites/score?{query}");
        let (status, body) = ask(&app, &url, media_type, "application/json", file).await;
        let result = &body["results"][0];
        assert_eq!(status, 200, "{query} {body}");
        assert_near(&result["probability"], &expected);
        assert!(result["input"][kept].is_string(), "{body}");
    }
}

#[tokio::test]
async fn hairpins_of_published_sets() {
    let (_root, app) = hairpins();
    let (_, whole) = ask(
        &app,
        CLASSIFY,
        "application/json",
        "",
        json!({"pre_mirnas": [{"id": "h", "sequence": HAIRPIN}]}).to_string(),
    )
    .await;
    let expected = &whole["results"][0]["mirtron_probability"];
    let dna = HAIRPIN.replace('U', "T");
    for (query, media_type, file) in [
        (
            "?column.id=hairpin_name&column.sequence=hairpin_seq&keep_columns=true",
            CSV,
            format!(
                "\"\",\"hairpin_name\",\"hairpin_seq\",\"fe\",\"class\"\n\"1\",\"h\",\"{HAIRPIN}\",-34.2,FALSE\n"
            ),
        ),
        ("?header=id,sequence,class&keep_columns=true", CSV, format!("h,{dna},TRUE\n")),
        ("", FASTA, format!(">h MI0000000 made up\n{}\n{}\n", &HAIRPIN[..40], &HAIRPIN[40..])),
        ("", "text/fasta", format!(">h\r\n{}\r\n\r\n", dna.to_lowercase())),
        ("", "application/x-fasta", format!("\n>h\n{HAIRPIN}")),
        // Files of several machines that were joined.
        ("", FASTA, format!(">h x\r{HAIRPIN}\r>other\n{HAIRPIN}\n>third\r\n{HAIRPIN}")),
    ] {
        let (status, body) =
            ask(&app, &format!("{CLASSIFY}{query}"), media_type, "application/json", file).await;
        let result = &body["results"][0];
        assert_eq!((status, &result["id"]), (200, &json!("h")), "{query} {body}");
        assert_near(&result["mirtron_probability"], expected);
        let ids: Vec<&Value> =
            body["results"].as_array().unwrap().iter().map(|result| &result["id"]).collect();
        assert!(ids == ["h"] || ids == ["h", "other", "third"], "{ids:?}");
    }
}

#[tokio::test]
async fn a_fasta_file_is_refused_with_every_bad_record_or_answered_record_by_record() {
    let (_root, app) = hairpins();
    let file = format!(">a\n{HAIRPIN}\n>b\n>\n{HAIRPIN}\n>d short\nACGU\nACGU\n>e\nACGX{HAIRPIN}\n");
    let (status, body) = ask(&app, CLASSIFY, FASTA, "", file.clone()).await;
    let errors: Vec<Value> = body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| json!([error["line"], error["pointer"], error["code"]]))
        .collect();
    let expected = [
        json!([3, "/pre_mirnas/1/sequence", "empty_sequence"]),
        json!([6, "/pre_mirnas/3/sequence", "invalid_length"]),
        json!([9, "/pre_mirnas/4/sequence", "invalid_letter"]),
    ];
    assert_eq!((status, errors), (422, expected.into()), "{body}");
    let (_, text) = ask(&app, CLASSIFY, FASTA, NDJSON, file).await;
    let lines: Vec<Value> =
        text.as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let short: Vec<Value> = lines.iter().map(|line| json!([line["id"], line["line"]])).collect();
    assert_eq!(
        short,
        [json!(["a", null]), json!(["b", 3]), json!([null, null]), json!(["d", 6]), json!(["e", 9])]
    );
    for (body, hint) in
        [("ACGU\n>a\nACGU\n", "starts with a header"), ("@a\nACGU\n+\nIIII\n", "FASTQ"), ("{}", "JSON")]
    {
        let (status, reply) = ask(&app, CLASSIFY, FASTA, "", body).await;
        assert!(status == 400 && reply["detail"].as_str().unwrap().contains(hint), "{reply}");
    }
    assert_eq!(ask(&app, CLASSIFY, FASTA, "", "").await.0, 422, "no record");
    let promoters = format!(">g1 made up\n{SITE}\n{SITE}\n>g2\n{SITE}\n");
    let (status, body) = ask(&app, "/v1/expression/predict?tss=3", FASTA, "", promoters.clone()).await;
    assert_eq!((status, &body["results"][1]["id"]), (200, &json!("g2")), "{body}");
    let (status, body) = ask(&app, "/v1/expression/predict", FASTA, "", promoters.clone()).await;
    assert!(status == 400 && body["detail"].as_str().unwrap().contains("?tss="), "{body}");
    let pairs = App::serving(weights::root(), &[]);
    assert_eq!(ask(&pairs, "/v1/target-sites/score", FASTA, "", promoters).await.0, 415);
}

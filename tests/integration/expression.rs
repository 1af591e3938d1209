//! `POST /v1/expression/predict`: what is read, what is assumed, what is refused.

use std::sync::OnceLock;

use axum::body::Body;
use axum::http::Request;
use mirador::serving::{PredictorConfig, Registry};
use mirador_models::device::Device;
use mirador_models::networks::xpresso;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, Reply};
use crate::weights;

const PREDICT: &str = "/v1/expression/predict";

/// `xpresso@random` only.
pub(crate) fn app() -> App {
    static ROOT: OnceLock<TempDir> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let root = TempDir::new().unwrap();
        weights::write_model(&xpresso::MODEL, root.path(), "random", true);
        root
    });
    let app = App::starting(&[]);
    app.state.start(Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), None).unwrap());
    app
}

async fn predict(app: &App, genes: &[Value]) -> Reply {
    let request =
        Request::post(PREDICT).header("x-request-id", "test").header("content-type", "application/json");
    app.send(request.body(Body::from(json!({ "genes": genes }).to_string())).unwrap()).await
}

#[tokio::test]
async fn a_reply_in_full() {
    let app = app();
    let features = json!({"utr5_length": 2.1, "cds_length": 3.2, "intron_length": 4.0, "utr3_length": 3.1,
                          "utr5_gc": 0.6, "cds_gc": 0.5, "utr3_gc": 0.4, "orf_exon_density": null});
    let gene = json!({"id": "g", "promoter": " acgtRgtaca ", "tss": 9, "half_life_features": features,
                      "mirnas": {"hsa-miR-1-3p": 1.5}});
    let mut reply = predict(&app, &[gene]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("server-timing").starts_with("queue;dur="));
    assert!(reply.body["results"][0]["log10_expression"].take().as_f64().unwrap().is_finite());
    insta::assert_json_snapshot!(reply.body, @r#"
    {
      "model": {
        "name": "xpresso",
        "version": "random"
      },
      "results": [
        {
          "id": "g",
          "log10_expression": null,
          "warnings": [
            "promoter: 1 of 10 letters is unknown (R at position 5)",
            "promoter: positions -7000 to -10 were not sent and read as N",
            "promoter: positions 1 to 3499 were not sent and read as N",
            "promoter: training saw positions -7000 to 3499 of every gene; a level from less than half of them says little",
            "half_life_features: not given, the mean of the training genes was assumed: orf_exon_density",
            "mirnas: not read by this version: hsa-miR-1-3p"
          ]
        }
      ]
    }
    "#);
}

#[tokio::test]
async fn a_gene_has_one_level_whatever_stands_beside_it() {
    let app = app();
    let gene = json!({"promoter": "ACGTTGCA".repeat(11), "tss": 49});
    let level = |reply: &Reply, row: usize| reply.body["results"][row]["log10_expression"].as_f64().unwrap();
    let alone = level(&predict(&app, std::slice::from_ref(&gene)).await, 0);
    let mut rows = vec![json!({"promoter": "GATTACA".repeat(1500), "tss": 7000}); 40];
    rows[33] = gene;
    assert!((level(&predict(&app, &rows).await, 33) - alone).abs() < 1e-5);
}

#[tokio::test]
async fn every_bad_value_is_named() {
    let app = app();
    let rows = [
        json!({"promoter": "ACGT", "tss": 4}),
        json!({"promoter": "ACGX", "tss": 0, "half_life_features": {"cds_gc": 1e9}, "mirnas": {"a/b": -1e300}}),
        json!({"promoter": "A".repeat(20_001), "tss": 0, "id": "x".repeat(257)}),
    ];
    let reply = predict(&app, &rows).await;
    assert_eq!(reply.status, 422);
    let errors = reply.body["errors"].as_array().unwrap();
    let found: Vec<Value> = errors.iter().map(|error| json!([error["pointer"], error["code"]])).collect();
    assert_eq!(
        Value::from(found),
        json!([
            ["/genes/0/tss", "out_of_range"],
            ["/genes/1/promoter", "invalid_letter"],
            ["/genes/1/half_life_features/cds_gc", "out_of_range"],
            ["/genes/1/mirnas/a~1b", "out_of_range"],
            ["/genes/2/id", "id_too_long"],
            ["/genes/2/promoter", "invalid_length"],
        ])
    );
}

#[tokio::test]
async fn each_number_has_a_unit_and_a_range() {
    let app = app();
    for (name, outside, inside, said) in [
        ("measured", 720.0, 5.9, "a z-score over genes, from -6 to 6; 720 looks like minutes or hours"),
        ("measured", -6.1, -6.0, "a z-score over genes, from -6 to 6"),
        ("utr5_length", 210.0, 2.32, "log10(nt + 0.1), from -1 to 4.5; 210 nt are 2.32"),
        ("cds_length", 1182.0, -1.0, "log10(nt + 0.1), from -1 to 5.1; 1182 nt are 3.07"),
        ("intron_length", 20_000.0, 6.4, "log10(nt + 0.1), from -1 to 6.5; 20000 nt are 4.30"),
        ("utr3_length", -2.0, 4.5, "log10(nt + 0.1), from -1 to 4.6; a z-score is not read here"),
        ("utr5_gc", 61.0, 0.61, "a share, from 0 to 1; not percent: 61 % is 0.61"),
        ("cds_gc", 1.1, 1.0, "a share, from 0 to 1; not percent: 1.1 % is 0.011"),
        ("utr3_gc", -0.1, 0.0, "a share, from 0 to 1"),
        ("orf_exon_density", 6.0, 0.8, "log10(exons per kb + 0.1), from -1 to 2; 6 exons per kb are 0.79"),
    ] {
        let gene = |value: f64| json!({"promoter": "ACGT", "tss": 0, "half_life_features": {name: value}});
        let reply = predict(&app, &[gene(inside)]).await;
        assert_eq!(reply.status, 200, "{name} {inside}: {}", reply.body);
        let reply = predict(&app, &[gene(outside)]).await;
        let error = &reply.body["errors"][0];
        assert_eq!((reply.status, error["code"].as_str()), (422, Some("out_of_range")));
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.ends_with(said) && detail.contains(&outside.to_string()), "{detail}");
    }
    let gene = |level: f64| json!({"promoter": "ACGT", "tss": 0, "mirnas": {"hsa-miR-1-3p": level}});
    for (level, status) in [(1.0, 200), (-1.0, 200), (7.0, 200), (800.0, 422), (-5.0, 422)] {
        assert_eq!(predict(&app, &[gene(level)]).await.status, status, "{level}");
    }
    let reply = predict(&app, &[json!({"promoter": "ACGT", "tss": 7_676_594})]).await;
    assert_eq!(
        reply.body["errors"][0]["detail"],
        "the start of transcription, 7676594, lies outside the promoter of 4 nt; it is an index in `promoter`, from 0 to \
         3, not a place in the genome"
    );
}

#[tokio::test]
async fn malformed_genes() {
    let app = app();
    for (gene, pointer, code) in [
        (json!({"promoter": "ACGT", "tss": -1}), "/genes/0/tss", "wrong_type"),
        (json!({"promoter": "ACGT"}), "/genes/0", "missing_field"),
        (
            json!({"promoter": "ACGT", "tss": 0, "half_life_features": {"length": 1}}),
            "/genes/0/half_life_features/length",
            "unknown_field",
        ),
    ] {
        let reply = predict(&app, &[gene]).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.body["errors"][0]["pointer"], pointer);
        assert_eq!(reply.body["errors"][0]["code"], code);
    }
}

/// Known letters elsewhere say nothing: what counts is what the network reads.
#[tokio::test]
async fn a_promoter_has_to_be_known_where_it_is_read() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/weights"));
    let app = App::serving(root, &[]);
    let gene = |promoter: String| json!({"promoter": promoter, "tss": 49});
    let reply = predict(&app, &[gene("N".repeat(100) + &"ACGGT".repeat(40))]).await;
    let error = &reply.body["errors"][0];
    assert_eq!((reply.status, &error["pointer"]), (422, &json!("/genes/0/promoter")), "{}", reply.body);
    assert_eq!(error["code"], "too_little_known");
    let enough = "N".repeat(40) + &"ACGGT".repeat(40);
    assert_eq!(predict(&app, &[gene(enough)]).await.status, 200);
}

/// The default reads 60, 86 or 300 nt, says what was not sent, and explains itself within the limit of one request.
#[tokio::test]
async fn the_default_reads_what_there_is_of_a_promoter() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/weights"));
    let app = App::serving(root, &[]);
    let letters: String = "ACGGTCATTGCAGGCGTA".repeat(17)[..300].to_owned();
    let gene = |from: usize, to: usize| json!({"promoter": &letters[from..to], "tss": 249 - from, "half_life_features": {"measured": 0.1}});
    let genes = [gene(0, 300), gene(200, 286), gene(200, 260), gene(220, 260)];
    let reply = predict(&app, &genes).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.body["model"], json!({"name": "promoter", "version": "windows"}));
    let warnings = |row: usize| reply.body["results"][row]["warnings"].as_array().unwrap().clone();
    assert_eq!(warnings(0), Vec::<Value>::new());
    assert_eq!(warnings(1).len(), 2, "{:?}", warnings(1));
    assert_eq!(warnings(2)[1], "promoter: positions 11 to 50 were not sent and read as N");
    assert_eq!(
        warnings(3)[2],
        "promoter: training saw positions -49 to 10 of every gene at least; a level from fewer says little"
    );
    let explained = app.post_to("/v1/expression/explain", &json!({"genes": [gene(0, 300)]})).await;
    assert_eq!(explained.status, 200, "{}", explained.body);
    let result = &explained.body["results"][0];
    assert_eq!(result["promoter"].as_array().unwrap().len(), 50);
    assert!(result["promoter"][0]["shuffle"].is_number());
    assert!(result["half_life_features"]["measured"].is_number());
}

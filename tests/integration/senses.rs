//! A pair or a hairpin in the wrong sense is answered and warned of; one in the right sense is not.

use mirador_models::networks::premirna_cnn_lstm;
use mirna::Rna;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SITE};
use crate::weights::write_model;

const MIR_1: &str = "UGGAAUGUAAAGAAGUAUGUAU";
/// Pairs with miR-1's seed and its 3' end.
const MIR_1_SITE: &str = "GACAUACUUGAACUUUACAUUCCAGCUA";

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn complement(text: &str) -> String {
    text.parse::<Rna>().unwrap().iter().map(|base| base.complement().letter()).collect()
}

async fn warnings(app: &App, mirna: &str, site: &str) -> Vec<String> {
    let reply = app.score(&[json!({"mirna": mirna, "site": site})]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let warnings = reply.body["results"][0]["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn each_wrong_sense_is_said_and_the_right_one_is_not() {
    let app = App::ready(&[]);
    assert!(warnings(&app, MIR_1, MIR_1_SITE).await.is_empty());
    assert!(warnings(&app, MIRNA, SITE).await.is_empty());
    assert!(warnings(&app, MIRNA, &"GAUUACA".repeat(7)).await.is_empty());
    let (mirna_back, site_back) = (reversed(MIR_1), reversed(MIR_1_SITE));
    let (mirna_pairs, site_pairs) = (complement(MIR_1), complement(MIR_1_SITE));
    for (mirna, site, said) in [
        (
            mirna_back.as_str(),
            MIR_1_SITE,
            "mirna: read 3'→5' this pair would have an 8mer; sequences are 5'→3' (in a table: ?mirna_direction=3to5)",
        ),
        (MIR_1, &site_back, "site: read 3'→5' this pair would have an 8mer; sequences are 5'→3'"),
        (MIR_1, &reversed(&site_pairs), "site: with its reverse complement this pair would have an 8mer; "),
        (MIR_1, &site_pairs, "site: with its complement this pair would have an 8mer; "),
        (
            &reversed(&mirna_pairs),
            MIR_1_SITE,
            "mirna: with its reverse complement this pair would have an 8mer; ",
        ),
        (&mirna_pairs, MIR_1_SITE, "mirna: with its complement this pair would have an 8mer; "),
        (SITE, MIRNA, "mirna and site: swapped, this pair would have an 8mer"),
        ("GACCUGACUUGAACUUUACAUUCCAGCUA", MIR_1, "mirna and site: swapped, this pair would have an 8mer"),
    ] {
        let found = warnings(&app, mirna, site).await;
        assert!(found.len() == 1 && found[0].starts_with(said), "{said}: {found:?}");
    }
}

#[tokio::test]
async fn a_site_in_the_place_of_the_mirna_is_asked_about() {
    let app = App::ready(&[]);
    let reply = app.score(&[json!({"mirna": MIR_1_SITE.repeat(2), "site": MIR_1})]).await;
    let detail = &reply.body["errors"][0]["detail"];
    assert_eq!(*detail, "the sequence has 56 nt; 15 to 30 nt are accepted; are miRNA and site swapped?");
    let reply = app.score(&[json!({"mirna": MIR_1_SITE.repeat(2), "site": MIR_1_SITE.repeat(2)})]).await;
    assert_eq!(reply.body["errors"][0]["detail"], "the sequence has 56 nt; 15 to 30 nt are accepted");
}

#[tokio::test]
async fn a_mirtron_from_the_other_strand_is_warned_of() {
    let root = TempDir::new().unwrap();
    write_model(&premirna_cnn_lstm::MODEL, root.path(), "grouped", true);
    let app = App::serving(root.path(), &[]);
    let mirtron = "GUGAGGGCAUGCAGGCCUGGAUGGGGCAGCUGGGAUGGUCCAAAAGGGUGGCCUCACCAGCCCUGUGUUCCCUAG";
    let rows = json!([{"sequence": mirtron}, {"sequence": reversed(&complement(mirtron))}]);
    let reply = app.post_to("/v1/pre-mirnas/classify", &json!({ "pre_mirnas": rows })).await;
    let said = |row: usize| -> Vec<Value> {
        let warnings = reply.body["results"][row]["warnings"].as_array().unwrap().iter();
        warnings
            .filter(|warning| warning.as_str().unwrap().starts_with("sequence: the reverse"))
            .cloned()
            .collect()
    };
    assert_eq!((said(0).len(), said(1).len()), (0, 1), "{}", reply.body);
}

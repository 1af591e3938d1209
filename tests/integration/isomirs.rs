//! miRNAs by name, and isomiRs beside their miRNA.

use mirna::mirbase::Mirbase;
use serde_json::json;

use crate::app::{App, MIRNA, SCORE, SITE, assert_near};

fn knowing() -> App {
    let app = App::ready(&[]);
    let text = format!(">hsa-let-7a-5p MIMAT0000062 Homo sapiens let-7a-5p\n{MIRNA}\n");
    app.state.know(Mirbase::parse(&text).unwrap());
    app
}

#[tokio::test]
async fn a_known_name_stands_for_its_letters() {
    let app = knowing();
    let named = |mirna: &str| json!({"mirna": mirna, "site": SITE});
    let reply = app.score(&[named("hsa-let-7a-5p"), named(" MIMAT0000062"), named(MIRNA)]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let [by_name, by_accession, by_letters] = [0, 1, 2].map(|row| &reply.body["results"][row]);
    assert_near(&by_name["probability"], &by_letters["probability"]);
    assert_near(&by_accession["probability"], &by_letters["probability"]);
    assert_eq!(by_name["warnings"], json!([format!("mirna: hsa-let-7a-5p is {MIRNA}")]));
    assert_eq!(by_letters["warnings"], json!([]));
    let unknown = app.score(&[named("hsa-miR-21-5p")]).await;
    assert_eq!(unknown.status, 422);
    let backwards: String = MIRNA.chars().rev().collect();
    let reply = app.score(&[named(&backwards)]).await;
    let warnings = reply.body["results"][0]["warnings"].to_string();
    assert!(warnings.contains("mirna: read backwards it is hsa-let-7a-5p"), "{warnings}");
}

#[tokio::test]
async fn an_isomir_is_told_from_its_reference() {
    let app = knowing();
    let read = format!("{}A", &MIRNA[1..]);
    let row = |reference: &str| json!({"mirna": read, "site": SITE, "reference_mirna": reference});
    let reply = app.score(&[row(MIRNA), row("hsa-let-7a-5p")]).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let expected = json!({
        "type": ["5p_deletion", "3p_addition"], "variant": "iso_5p:-1,iso_3p:+1", "changes": "iso_5p:u,iso_3p:A",
    });
    assert_eq!(reply.body["results"][0]["isomir"], expected);
    assert_eq!(reply.body["results"][1]["isomir"], expected);
    let table = format!("mirna,site,reference_mirna\n{read},{SITE},{MIRNA}\n{read},{SITE},\n");
    let text = app.post_text(SCORE, "text/csv", table).await;
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].ends_with(",pairing,isomir.type,isomir.variant,isomir.changes"), "{text}");
    assert!(
        rows[1].ends_with(r#",5p_deletion; 3p_addition,"iso_5p:-1,iso_3p:+1","iso_5p:u,iso_3p:A""#),
        "{text}"
    );
    assert!(rows[2].ends_with(",,,,"), "{text}");
    let other = app.score(&[row("ACGUACGUACGUACGUACGU")]).await;
    assert_eq!(other.status, 200, "a score is not refused for it: {}", other.body);
    assert!(other.body["results"][0]["warnings"].to_string().contains("no isomiR"), "{}", other.body);
}

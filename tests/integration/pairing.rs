//! pairmap tells which letters pair, and other models say that they do not.

use mirador_models::networks::pairmap;
use serde_json::json;
use tempfile::TempDir;

use crate::app::{App, MIRNA, SITE, pair};
use crate::weights;

fn pairmap_app(root: &TempDir) -> App {
    weights::write_model(&pairmap::MODEL, root.path(), "balanced", true);
    weights::write(root.path(), "balanced", false);
    App::serving(root.path(), &[])
}

#[tokio::test]
async fn tells_which_letters_pair() {
    let root = TempDir::new().unwrap();
    let app = pairmap_app(&root);
    let site = format!("GGCAGG{SITE}GGAU");
    let reply = app.score(&[json!({"mirna": MIRNA, "site": site, "pairing": true}), pair()]).await;
    assert_eq!(reply.status, 200, "{:?}", reply.body);
    let expected = format!("{}&......{}....", "(".repeat(22), ")".repeat(22));
    assert_eq!(reply.body["results"][0]["pairing"], expected);
    assert!(reply.body["results"][1].get("pairing").is_none());
}

#[tokio::test]
async fn a_model_that_knows_no_pairing_says_so() {
    let root = TempDir::new().unwrap();
    let app = pairmap_app(&root);
    let row = json!({"mirna": MIRNA, "site": SITE, "pairing": true});
    let reply = app.post(json!({"model": "dmiso", "pairs": [pair(), row]}).to_string()).await;
    assert_eq!(reply.status, 422);
    let error = &reply.body["errors"][0];
    assert_eq!((&error["pointer"], &error["code"]), (&json!("/pairs/1/pairing"), &json!("unsupported")));
    assert_eq!(error["detail"], "dmiso@balanced does not tell pairings; use pairmap");
}

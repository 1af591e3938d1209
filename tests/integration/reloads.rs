//! SIGHUP: what can be used is served from then on, what cannot leaves the old where it was, and neither is a secret.

use std::fs;

use mirador::serving::{PredictorConfig, Registry};
use mirador_models::device::Device;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Server, get, score};
use crate::weights;

fn unusable(server: &Server) -> bool {
    get(&server.address, "/metrics").contains("mirador_weights_folders_unusable 1")
}

/// Only the weights, whose digest and settings stand where they stood.
#[test]
fn damaged_weights_are_told_and_the_old_ones_go_on() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let file = root.path().join("dmiso/balanced/model.safetensors");
    let whole = fs::read(&file).unwrap();
    let mut server = Server::serving(root.path(), &[]);
    server.until_ready();
    for damaged in [&whole[..whole.len() / 2], &b""[..], &[&whole[..whole.len() - 1], b"?"].concat()] {
        fs::write(&file, damaged).unwrap();
        server.signal("-HUP");
        server.wait_until(|server| unusable(server));
        server.wait_until(|server| server.log().contains("this weights folder cannot be served"));
        assert!(score(&server.address, 1).starts_with("HTTP/1.1 200"));
        assert!(get(&server.address, "/health/ready").starts_with("HTTP/1.1 200"));
        fs::write(&file, &whole).unwrap();
        server.signal("-HUP");
        server.wait_until(|server| !unusable(server));
    }
    fs::remove_file(&file).unwrap();
    server.signal("-HUP");
    server.wait_until(|server| unusable(server));
    assert!(score(&server.address, 1).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_new_card_is_read() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let mut server = Server::serving(root.path(), &[]);
    server.until_ready();
    fs::write(root.path().join("dmiso/balanced/CARD.md"), "# A second thought\n").unwrap();
    server.signal("-HUP");
    server.wait_until(|server| get(&server.address, "/v1/models/dmiso").contains("A second thought"));
}

/// One bit of one weight: the golden outputs stay what they are.
#[test]
fn weights_are_what_their_digest_says() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let file = root.path().join("dmiso/balanced/model.safetensors");
    let mut bytes = fs::read(&file).unwrap();
    // The last weight's lowest bit.
    let place = bytes.len() - 4;
    bytes[place] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), None).err().unwrap();
    assert!(error.to_string().contains("SHA-256 is "), "{error}");
}

#[test]
fn golden_outputs_have_to_be_reproduced() {
    let root = TempDir::new().unwrap();
    weights::write(root.path(), "balanced", true);
    let file = root.path().join("dmiso/balanced/golden.json");
    let mut golden: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    golden["cases"][1]["output"] = 9.0.into();
    fs::write(&file, golden.to_string()).unwrap();
    let error = Registry::load(root.path(), &[Device::Cpu], &PredictorConfig::default(), None).err().unwrap();
    assert!(error.to_string().starts_with("golden case 1"), "{error}");
}

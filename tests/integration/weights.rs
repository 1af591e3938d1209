//! A weights root with small random networks, written by the code that writes trained ones.

use std::path::Path;
use std::sync::OnceLock;

use mirador_models::device::Device;
use mirador_models::networks::dmiso;
use mirador_models::{Identity, Model, Options, Replica, write_folder};
use serde_json::json;
use tempfile::TempDir;

/// `dmiso@balanced`, the default, and `dmiso@paper`; written once for all tests.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<TempDir> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = TempDir::new().unwrap();
        write(root.path(), "balanced", true);
        write(root.path(), "paper", false);
        root
    })
    .path()
}

/// Writes `root/dmiso/<version>/`.
pub(crate) fn write(root: &Path, version: &str, default: bool) {
    write_model(&dmiso::MODEL, root, version, default);
}

/// Writes `root/<model>/<version>/`.
pub(crate) fn write_model(model: &Model, root: &Path, version: &str, default: bool) {
    tch::manual_seed(version.len() as i64); // versions differ
    let options = Options::new();
    let replica = Replica::new(model, &options, Device::Cpu).unwrap();
    let identity =
        Identity { model: model.name, version, default, default_version: default, options: &options };
    let metrics = json!({ "test": { "auroc": 0.5 } });
    let card = format!("# {}@{version}\n\nRandom, for tests.\n", model.name);
    write_folder(root, &identity, &replica, &metrics, &card).unwrap();
}

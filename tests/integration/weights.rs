//! A weights root with small random networks, written by the code that writes trained ones.

use std::path::Path;
use std::sync::OnceLock;

use mirador_models::device::Device;
use mirador_models::networks::{dmiso, pairmap, repression};
use mirador_models::{Identity, Model, Options, Replica, write_folder};
use serde_json::json;
use tch::Tensor;
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

/// `pairmap@balanced` with random letters' worth, and a table of repression that people can add up; written once.
pub(crate) fn scanning() -> &'static Path {
    static ROOT: OnceLock<TempDir> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = TempDir::new().unwrap();
        write_model(&pairmap::MODEL, root.path(), "balanced", true);
        let table = Replica::new(&repression::MODEL, &Options::new(), Device::Cpu).unwrap();
        let mut sites = table.store.variables().remove("sites").unwrap();
        tch::no_grad(|| sites.copy_(&Tensor::from_slice(&SITE_EFFECTS)));
        write_replica(&repression::MODEL, root.path(), "table", true, &table);
        root
    })
    .path()
}

/// What a site of each class adds, in the order of `SiteClass::ALL`; nothing else counts.
pub(crate) const SITE_EFFECTS: [f32; 6] = [1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125];

/// Writes `root/dmiso/<version>/`.
pub(crate) fn write(root: &Path, version: &str, default: bool) {
    write_model(&dmiso::MODEL, root, version, default);
}

/// Writes `root/<model>/<version>/`.
pub(crate) fn write_model(model: &Model, root: &Path, version: &str, default: bool) {
    tch::manual_seed(version.len() as i64); // versions differ
    let options = Options::new();
    let replica = Replica::new(model, &options, Device::Cpu).unwrap();
    write_replica(model, root, version, default, &replica);
}

fn write_replica(model: &Model, root: &Path, version: &str, default: bool, replica: &Replica) {
    let options = Options::new();
    let identity =
        Identity { model: model.name, version, default, default_version: default, options: &options };
    let metrics = json!({ "test": { "auroc": 0.5 } });
    let card = format!("# {}@{version}\n\nRandom, for tests.\n", model.name);
    write_folder(root, &identity, replica, &metrics, &card).unwrap();
}

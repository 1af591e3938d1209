//! On files of others, which are not part of the project: `make test-published` where they are.

use std::path::Path;

use mirador_models::WeightsDir;
use mirador_models::tasks::Input;
use mirador_models::tasks::target_site::Pair;
use mirador_train::data::sources::{Hejret2023, Labelled, Tally, klimentova2022};
use mirador_train::experiments::target_sites::augment::{CUT, cut};
use mirador_train::stats::ranking::auroc;
use mirna::Rna;
use mirna::seed::SiteType;
use mirna::sense::{Turn, Turned};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Device;

/// The two bias-corrected tests.
fn fair_tests() -> [Vec<Labelled>; 2] {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let hejret = Hejret2023::read(&data, &mut Tally::default()).unwrap().test;
    [hejret, klimentova2022(&data).unwrap()]
}

/// Sites of 20 to 50 nt, mixed, as clients send them: a network that was trained on 50 nt alone fell to AUROC .79 and .69. These
/// weights have .862 and .725; the aim of .87 and .75 is missed, see `reports/pairmap.md`.
#[test]
#[ignore = "needs the public files"]
fn short_sites_are_told_apart_as_well() {
    let weights = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../weights");
    let dirs = WeightsDir::scan(&weights).unwrap();
    let dir = dirs.iter().find(|dir| dir.config.model == "pairmap" && dir.config.default).unwrap();
    let replica = dir.load(Device::Cpu).unwrap();
    for (rows, least) in fair_tests().iter().zip([0.85, 0.72]) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let cut = |(pair, _): &Labelled| cut(pair, rng.random_range(CUT), 0.5).into();
        let scores = replica.score(&rows.iter().map(cut).collect::<Vec<Input>>());
        let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
        let area = auroc(&rows.iter().map(|(_, label)| *label).collect::<Vec<bool>>(), &scores);
        assert!(area >= least, "AUROC {area:.4}, at least {least} is asked for");
    }
}

/// The metrics that [`Turned::of`] states, on the public tests.
#[test]
#[ignore = "needs the public files"]
fn few_right_pairs_are_warned_of_and_most_backward_ones_are() {
    let turned = |mirna: &Rna, site: &Rna| Turned::of(mirna, site, SiteType::best(mirna, site));
    for rows in fair_tests() {
        let wrongly = rows.iter().filter(|(pair, _)| turned(&pair.mirna, &pair.site).is_some()).count();
        assert!(wrongly * 100 <= rows.len() + rows.len() / 5, "{wrongly} of {} right pairs", rows.len());
        let seeded = |pair: &Pair| SiteType::best(&pair.mirna, &pair.site) >= SiteType::SevenMerA1;
        let backward: Vec<(Rna, Rna)> = rows
            .iter()
            .filter(|(pair, positive)| *positive && seeded(pair))
            .map(|(pair, _)| Turn::MirnaReversed.apply(&pair.mirna, &pair.site))
            .collect();
        let seen = backward.iter().filter(|(mirna, site)| turned(mirna, site).is_some()).count();
        assert!(seen * 10 >= backward.len() * 9, "{seen} of {} backward pairs", backward.len());
    }
}

#[test]
#[ignore = "needs the published weights"]
fn the_published_file_becomes_a_folder_that_can_be_served() {
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/reference/dmiso.safetensors");
    let root = tempfile::tempdir().unwrap();
    let status = std::process::Command::new(env!("CARGO_BIN_EXE_mirador-train"))
        .args(["import", "--model", "dmiso"])
        .arg(published)
        .arg("--weights-dir")
        .arg(root.path())
        .status()
        .unwrap();
    assert!(status.success());
    let folder = WeightsDir::open(&root.path().join("dmiso/published")).unwrap();
    folder.golden().unwrap().verify(&folder.load(Device::Cpu).unwrap()).unwrap();
    assert!(!folder.config.default && folder.card().unwrap().contains("Not trained here"));
}

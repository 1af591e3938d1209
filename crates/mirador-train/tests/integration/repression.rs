//! Over-expression experiments, made up: from tables to a weights folder, by the program.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

use flate2::Compression;
use flate2::write::GzEncoder;
use mirador_models::WeightsDir;
use mirna::{Base, Rna};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tch::Device;

const GENES: usize = 400;

fn letters(length: usize, rng: &mut ChaCha8Rng) -> Vec<Base> {
    (0..length).map(|_| *[Base::A, Base::C, Base::G, Base::U].choose(rng).unwrap()).collect()
}

/// Four miRNAs; every fourth gene has an 8mer of one and goes down with it.
struct MadeUp {
    mirnas: Vec<Rna>,
    utrs: Vec<Rna>,
    /// By miRNA and gene.
    changes: Vec<Vec<f64>>,
}

impl MadeUp {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mirnas: Vec<Rna> = (0..4).map(|_| letters(22, &mut rng).into_iter().collect()).collect();
        let utr = |gene: usize, rng: &mut ChaCha8Rng| {
            let mut utr = letters(rng.random_range(150..900), rng);
            let mut site = Rna::from(&mirnas[gene % 4][..8]).reverse_complement().to_vec();
            site[7] = Base::A;
            let at = rng.random_range(0..utr.len());
            utr.splice(at..at, site);
            utr.into_iter().collect()
        };
        let utrs: Vec<Rna> = (0..GENES).map(|gene| utr(gene, &mut rng)).collect();
        let change = |mirna: usize, gene: usize, rng: &mut ChaCha8Rng| {
            let noise = rng.random_range(-0.3..0.3);
            if gene % 4 == mirna { noise - 1.0 } else { noise }
        };
        let changes =
            (0..4).map(|mirna| (0..GENES).map(|gene| change(mirna, gene, &mut rng)).collect()).collect();
        Self { mirnas, utrs, changes }
    }

    fn fasta(&self) -> String {
        self.utrs.iter().enumerate().map(|(gene, utr)| format!(">G{gene} gene{gene}\n{utr}\n")).collect()
    }

    /// The files as they are published; an outlier and a knock-out stand beside the others, and a gene is not tested.
    fn write_public(&self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        let packed = |name: &str, text: &str| {
            let file = fs::File::create(folder.join(name)).unwrap();
            GzEncoder::new(file, Compression::fast()).write_all(text.as_bytes()).unwrap();
        };
        packed("utrs.fa.gz", &self.fasta());
        let kinds =
            [("OE", -1, "ok"), ("OE", -1, "weak"), ("OE", -1, "ok"), ("KO", 1, "ok"), ("OE", -1, "outlier")];
        let mut list =
            String::from("id\tmirna\tsequence\tgroup\ttype\trepression_sign\tgse\tcell_line\tflag\n");
        for (at, (kind, sign, flag)) in kinds.into_iter().enumerate() {
            let mirna = &self.mirnas[at % 4];
            list += &format!("E{at}\tmiR-{at}\t{mirna}\tmiR-{at}\t{kind}\t{sign}\tS{at}\tHeLa\t{flag}\n");
        }
        fs::write(folder.join("experiments.tsv"), list).unwrap();
        let table = |value: &dyn Fn(usize, usize) -> String| {
            let row = |gene: usize| {
                let values: Vec<String> = (0..kinds.len()).map(|at| value(at, gene)).collect();
                format!("G{gene}\t{}\n", values.join("\t"))
            };
            let rows: String = (0..GENES + 1).map(row).collect();
            format!("gene\tE0\tE1\tE2\tE3\tE4\n{rows}")
        };
        let change = |at: usize, gene: usize| match self.changes[at % 4].get(gene) {
            Some(_) if gene == 7 => String::new(),
            Some(change) => change.to_string(),
            None => "0".into(),
        };
        packed("lfc.tsv.gz", &table(&change));
        packed("lfc_centred.tsv.gz", &table(&change));
        packed("fdr.tsv.gz", &table(&|_, _| "0.001".into()));
    }
}

fn trainer(root: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador-train"));
    command.args(["--device", "cpu"]).args(arguments).current_dir(root).output().unwrap()
}

fn succeed(root: &Path, arguments: &[&str]) -> String {
    let output = trainer(root, arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn write_recipe(root: &Path, dataset: &str) {
    let recipe = json!({
        "model": "repression", "version": "tiny", "default": true, "default_although": "a made-up experiment", "default_version": true,
        "notes": ["A note."],
        "data": { "repression": { "dataset": dataset } },
        "fit": { "ridge": 1.0, "ridge_sites": 1.0, "clip": 5.0, "curve": [1, 2, 9], "draws": 2, "seed": 1 },
    });
    fs::create_dir_all(root.join("recipes/repression")).unwrap();
    fs::write(root.join("recipes/repression/tiny.json"), recipe.to_string()).unwrap();
}

#[test]
fn public_tables_become_weights_that_can_be_served() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    MadeUp::new().write_public(&root.join("public/functional"));
    write_recipe(root, "repression");
    let printed = succeed(root, &["prepare", "repression", "--data", "public"]);
    for line in [
        "400 genes with a 3'UTR",
        "1 experiments are outliers: not read",
        "1 genes of the tables have no 3'UTR: dropped",
        "3 over-expression experiments of 3 seed groups",
        "1 knock-out experiments of 1 seed groups",
        "4 times a gene was not tested in an experiment",
        "400 genes in data/repression.tsv",
        "SHA-256 ",
    ] {
        assert!(printed.contains(line), "{line:?} is not in {printed}");
    }
    let train = ["train", "--model", "repression", "--version", "tiny", "--data", "public"];
    succeed(root, &train);
    let folder = root.join("weights/repression/tiny");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let metrics: Value = serde_json::from_str(&read("metrics.json")).unwrap();
    let value = |at: &str| metrics.pointer(at).and_then(Value::as_f64).unwrap_or_else(|| panic!("{at}"));
    assert!(value("/model/metrics/1/value") > 0.95, "an 8mer tells which genes go down");
    assert!(value("/weights/0/site") > 1.0, "in standard deviations");
    assert_eq!(value("/measured_on/with_classes"), 3.0);
    let points = metrics["learning_curve"].as_array().unwrap();
    assert_eq!(points.iter().map(|point| point["groups"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(points[0]["spearman"].as_array().unwrap().len(), 2);
    let baselines = metrics["baselines"].as_array().unwrap();
    assert!(baselines.iter().any(|baseline| baseline["name"] == "3'UTR length"));
    let card = read("CARD.md");
    for part in
        ["A note.", "mirador-train train --model repression --version tiny", "- 400 genes with a 3'UTR"]
    {
        assert!(card.contains(part), "{part:?} is not in {card}");
    }
    assert_eq!(read("recipe.json"), fs::read_to_string(root.join("recipes/repression/tiny.json")).unwrap());
    let weights = WeightsDir::open(&folder).unwrap();
    assert!(weights.config.default && weights.config.decision_threshold.is_none());
    weights.golden().unwrap().verify(&weights.load(Device::Cpu).unwrap()).unwrap();

    let before = (read("config.json"), read("metrics.json"));
    succeed(root, &train);
    assert_eq!(before, (read("config.json"), read("metrics.json")), "the same rows give the same");
}

#[test]
fn tables_of_ones_own_stand_alone_or_beside_the_public_ones() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let made_up = MadeUp::new();
    made_up.write_public(&root.join("public/functional"));
    fs::write(root.join("utrs.fa"), made_up.fasta()).unwrap();
    let mut list = String::from("id\tmirna\tsequence\ttable\n");
    for (at, mirna) in made_up.mirnas.iter().enumerate() {
        list += &format!("own {at}\tmiR-own-{at}\t{mirna}\t{at}.tsv\n");
        let lines = made_up.changes[at].iter().enumerate();
        let lines: String = lines.map(|(gene, change)| format!("G{gene}\t{change}\t0.001\n")).collect();
        fs::write(root.join(format!("{at}.tsv")), format!("gene\tlogFC\tFDR\n{lines}")).unwrap();
    }
    fs::write(root.join("list.tsv"), list).unwrap();
    let own = ["prepare", "repression", "--experiments", "list.tsv", "--out", "data/own.tsv"];
    let alone = succeed(root, &[&own[..], &["--utrs", "utrs.fa"]].concat());
    assert!(alone.contains("4 over-expression experiments of 4 seed groups"), "{alone}");
    write_recipe(root, "own");
    succeed(root, &["train", "--model", "repression", "--version", "tiny", "--data", "nowhere"]);
    let beside = succeed(root, &[&own[..], &["--data", "public"]].concat());
    // A miRNA of one's own joins the public group of its seed.
    assert!(beside.contains("7 over-expression experiments of 4 seed groups"), "{beside}");

    fs::write(root.join("2.tsv"), "gene\tlogFC\tFDR\nG1\t-1\t0.1\nG2\tmuch\t0.1\n").unwrap();
    let output = trainer(root, &own);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    let wrong = trainer(root, &[&own[..], &["--utrs", "utrs.fa"]].concat());
    let wrong = String::from_utf8_lossy(&wrong.stderr).into_owned();
    for part in ["list.tsv, row 3", "2.tsv, row 2", "log2_fold_change", "\"much\""] {
        assert!(wrong.contains(part), "{part:?} is not in {wrong}");
    }
    assert!(error.contains("functional/utrs.fa.gz"), "without public files: {error}");
}

//! The trainer as a program: a killed run ends with the same weights, and what it wrote can be evaluated.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mirador::models::sha256;
use mirador::rna::{Base, Rna};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const LETTERS: [Base; 4] = [Base::A, Base::C, Base::G, Base::U];

fn letters(length: usize, rng: &mut ChaCha8Rng) -> Rna {
    (0..length).map(|_| *LETTERS.choose(rng).unwrap()).collect()
}

/// Made-up pairs: each site holds the complement of its miRNA's 5' half.
fn write_dataset(path: &Path, positives: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mirnas: Vec<Rna> = (0..40).map(|_| letters(22, &mut rng)).collect();
    let mut text = "source\tsplit\tcluster\tmirna\tsite\tlabel\n".to_owned();
    let mut row = |split: &str, cluster: usize, label: u8, rng: &mut ChaCha8Rng| {
        let mirna = mirnas.choose(rng).unwrap();
        let half = Rna::from(&mirna[..11]).reverse_complement();
        let middle = if label == 1 { half } else { letters(11, rng) };
        let start = rng.random_range(5..30);
        let (left, right) = (letters(start, rng), letters(39 - start, rng));
        text += &format!("made_up\t{split}\t{cluster}\t{mirna}\t{left}{middle}{right}\t{label}\n");
    };
    for cluster in 0..positives {
        row(["train", "train", "train", "validation", "left_out"][cluster % 5], cluster, 1, &mut rng);
    }
    for cluster in 0..200 {
        row("test", cluster, (cluster % 2) as u8, &mut rng);
    }
    fs::write(path, text).unwrap();
}

fn write_recipe(weights: &Path) {
    let stage = |examples: bool, made_up: usize, epochs: usize| {
        json!({ "rows": { "examples": examples, "made_up": made_up, "teacher": 0.3, "shifted": 0.5, "cropped": 0.5 },
                "epochs": epochs, "patience": 0, "batch": 64, "learning_rate": 0.004, "schedule": "cosine",
                "l1": 1e-5, "mean_decay": 0.9 })
    };
    let recipe = json!({
        "model": "dmiso", "version": "tiny", "default": true, "default_version": true,
        "options": { "dropout": [0.1, 0.1, 0.1] }, "protocol": "bias_free",
        "shared_stages": [stage(false, 600, 2)], "seeds": [1], "stages": [stage(true, 100, 1), stage(true, 0, 2)],
    });
    let folder = weights.join("dmiso/tiny");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("recipe.json"), recipe.to_string()).unwrap();
}

fn trainer(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador-train"));
    command.args(["--device", "cpu", "--weights-dir", "weights"]).args(arguments);
    command.current_dir(root).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const TRAIN: [&str; 9] =
    ["train", "--model", "dmiso", "--version", "tiny", "--dataset", "data.tsv", "--data", "nowhere"];

fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn epochs_done(root: &Path) -> usize {
    let state = fs::read_to_string(root.join("runs/dmiso/tiny/seed-1/state.json")).unwrap_or_default();
    serde_json::from_str::<Value>(&state).map_or(0, |state| state["history"].as_array().map_or(0, Vec::len))
}

#[test]
fn a_killed_run_resumes_and_ends_with_the_same_weights() {
    let roots = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for root in &roots {
        write_dataset(&root.path().join("data.tsv"), 800);
        write_recipe(&root.path().join("weights"));
    }
    let [through, killed] = roots.each_ref().map(|root| root.path());
    succeed(trainer(through, &TRAIN));

    let mut child = trainer(killed, &TRAIN).spawn().unwrap();
    let start = Instant::now();
    while epochs_done(killed) < 2 {
        assert!(start.elapsed() < Duration::from_secs(120), "the run does not get on");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    let done = epochs_done(killed);
    assert_eq!(done, 2, "killed within the last stage");
    let printed = succeed(trainer(killed, &TRAIN));
    assert_eq!(
        printed.matches("; validation ").count(),
        3 - done,
        "only what was missing was trained: {printed}"
    );

    let digest = |root: &Path| sha256(&root.join("weights/dmiso/tiny/model.safetensors")).unwrap();
    assert_eq!(digest(through), digest(killed));

    let metrics = fs::read_to_string(through.join("weights/dmiso/tiny/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    for floor in metrics["training_audit"].as_array().unwrap() {
        let name = floor["probe"].as_str().unwrap();
        if ["miRNA only", "exact site only", "site 5-mers (naive Bayes)"].contains(&name) {
            let area = floor["figures"][0]["value"].as_f64().unwrap();
            assert!((area - 0.5).abs() < 1e-9, "{name} tells the label of a permuted set: {area}");
        }
    }

    let model = ["evaluate", "--model", "dmiso", "data.tsv", "--only", "split=test", "--json"];
    let figures: Value = serde_json::from_str(&succeed(trainer(through, &model))).unwrap();
    assert_eq!(figures["rows"], 200);
    let floors = ["audit", "--train", "data.tsv", "data.tsv", "--only", "split=test"];
    assert!(succeed(trainer(through, &floors)).contains("aligner"));
}

#[test]
fn a_wrong_row_is_named() {
    let root = tempfile::tempdir().unwrap();
    let data =
        "mirna\tsite\tlabel\nUGAGGUAGUAGGUUGUAUAGUU\tAACUAUACAACC\t1\nUGAGGUAGXAGGUUGUAU\tAACUAUACAACC\t1\n";
    fs::write(root.path().join("data.tsv"), data).unwrap();
    let output = trainer(root.path(), &["audit", "--train", "data.tsv", "data.tsv"]).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    for part in ["data.tsv, row 2", "mirna", "'X'", "position 9"] {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[test]
fn cuda_that_is_not_there_is_an_error_that_says_why() {
    let root = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mirador-train"))
        .args(["--device", "cuda:99", "speed", "--model", "dmiso"])
        .current_dir(root.path())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("cuda:99") && error.contains("--device cpu"), "{error}");
}

//! The trainer as a program: a killed run ends with the same weights, and what it wrote can be evaluated.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mirador_models::sha256;
use mirna::{Base, Rna};
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

/// Epochs of the last stage: enough for a run to be killed within it.
const LAST: usize = 12;

/// `dmiso@tiny`, and `dmiso@next` which starts from it.
fn write_recipes(root: &Path) {
    let stage = |examples: bool, synthetic: usize, epochs: usize| {
        json!({ "rows": { "examples": examples, "synthetic": synthetic, "teacher": 0.3, "shifted": 0.5, "cropped": 0.5 },
                "epochs": epochs, "batch": 64, "learning_rate": 0.004, "schedule": "cosine", "l1": 1e-5,
                "mean_decay": 0.9 })
    };
    let recipe = |version: &str| {
        json!({
            "model": "dmiso", "version": version, "default": version == "tiny", "default_version": version == "tiny",
            "options": { "dropout": [0.1, 0.1, 0.1] },
            "data": { "target_sites": { "dataset": "data", "split": "bias_free" } },
            "seeds": [1],
        })
    };
    let mut tiny = recipe("tiny");
    tiny["shared_stages"] = json!([stage(false, 600, 2)]);
    tiny["stages"] = json!([stage(true, 100, 1), stage(true, 0, LAST)]);
    let mut next = recipe("next");
    next["start_from"] = json!("dmiso@tiny");
    next["stages"] = json!([stage(true, 0, 1)]);
    let folder = root.join("recipes/dmiso");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("tiny.json"), tiny.to_string()).unwrap();
    fs::write(folder.join("next.json"), next.to_string()).unwrap();
}

fn trainer(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador-train"));
    command.args(["--device", "cpu", "--weights-dir", "weights"]).args(arguments);
    command.current_dir(root).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

const TRAIN: [&str; 9] =
    ["train", "--model", "dmiso", "--version", "tiny", "--dataset", "data.tsv", "--data", "nowhere"];

/// What it prints and how it gets on.
fn succeed(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8(said).unwrap()).concat();
    assert!(output.status.success(), "{said}");
    said
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
        write_recipes(root.path());
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
    assert!(done <= LAST, "killed within the last stage");
    let printed = succeed(trainer(killed, &TRAIN));
    assert_eq!(
        printed.matches("; validation ").count(),
        1 + LAST - done,
        "only what was missing was trained: {printed}"
    );

    let digest = |root: &Path| sha256(&root.join("weights/dmiso/tiny/model.safetensors")).unwrap();
    assert_eq!(digest(through), digest(killed));

    let metrics = fs::read_to_string(through.join("weights/dmiso/tiny/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    for baseline in metrics["training_audit"].as_array().unwrap() {
        let name = baseline["name"].as_str().unwrap();
        if ["miRNA only", "exact site only", "site 5-mers (naive Bayes)"].contains(&name) {
            let area = baseline["metrics"][0]["value"].as_f64().unwrap();
            assert!((area - 0.5).abs() < 1e-9, "{name} tells the label of a permuted set: {area}");
        }
    }

    let model = ["evaluate", "--model", "dmiso", "data.tsv", "--only", "split=test", "--json"];
    let metrics: Value = serde_json::from_str(&succeed(trainer(through, &model))).unwrap();
    assert_eq!(metrics["rows"], 200);
    let baselines = ["audit", "--train", "data.tsv", "data.tsv", "--only", "split=test"];
    assert!(succeed(trainer(through, &baselines)).contains("aligner"));
}

#[test]
fn what_a_recipe_starts_from_is_trained_first() {
    let root = tempfile::tempdir().unwrap();
    write_dataset(&root.path().join("data.tsv"), 800);
    write_recipes(root.path());
    let before = fs::read(root.path().join("recipes/dmiso/next.json")).unwrap();
    let train = TRAIN.map(|argument| if argument == "tiny" { "next" } else { argument });
    let printed = succeed(trainer(root.path(), &train));
    assert!(printed.contains("dmiso@next starts from dmiso@tiny, which is trained first"), "{printed}");

    let tiny = sha256(&root.path().join("weights/dmiso/tiny/model.safetensors")).unwrap();
    let folder = root.path().join("weights/dmiso/next");
    let metrics: Value =
        serde_json::from_str(&fs::read_to_string(folder.join("metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["started"], json!([{ "version": "dmiso@tiny", "sha256": tiny }]));
    assert!(
        fs::read_to_string(folder.join("CARD.md")).unwrap().contains("Training starts from `dmiso@tiny`")
    );
    assert_eq!(
        fs::read(root.path().join("recipes/dmiso/next.json")).unwrap(),
        before,
        "inputs are not rewritten"
    );
    let again = succeed(trainer(root.path(), &train));
    assert!(!again.contains("trained first") && !again.contains("; validation "), "all is there: {again}");

    let tiny = root.path().join("recipes/dmiso/tiny.json");
    let changed = fs::read_to_string(&tiny).unwrap().replace(r#""seeds":[1]"#, r#""seeds":[2]"#);
    fs::write(&tiny, changed).unwrap();
    fs::remove_dir_all(root.path().join("runs/dmiso/next")).unwrap();
    let after = succeed(trainer(root.path(), &train));
    assert!(after.contains("trained first"), "its start is of another recipe: {after}");
}

#[test]
fn seeds_can_be_added_while_the_shipped_one_stays() {
    let root = tempfile::tempdir().unwrap();
    write_dataset(&root.path().join("data.tsv"), 200);
    write_recipes(root.path());
    let path = root.path().join("recipes/dmiso/tiny.json");
    let mut recipe: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    recipe["seeds"] = json!([1, 2]);
    // Trains by the recipe; gives what it printed, the shipped seed, and the seeds from the worst by validation on.
    let mut train = |shipped_seed: Value| {
        recipe["shipped_seed"] = shipped_seed;
        fs::write(&path, recipe.to_string()).unwrap();
        let printed = succeed(trainer(root.path(), &TRAIN));
        let metrics = fs::read(root.path().join("weights/dmiso/tiny/metrics.json")).unwrap();
        let metrics: Value = serde_json::from_slice(&metrics).unwrap();
        let runs = metrics["seeds"].as_array().unwrap();
        let shipped = runs[metrics["shipped"].as_u64().unwrap() as usize]["seed"].clone();
        let score =
            |run: &Value| run["history"][run["best"].as_u64().unwrap() as usize]["score"].as_f64().unwrap();
        let mut runs = runs.clone();
        runs.sort_by(|a, b| score(a).total_cmp(&score(b)));
        (printed, shipped, runs.iter().map(|run| run["seed"].clone()).collect::<Vec<_>>())
    };
    let weights = || sha256(&root.path().join("weights/dmiso/tiny/model.safetensors")).unwrap();
    let (_, shipped, seeds) = train(Value::Null);
    assert_eq!(shipped, seeds[1], "the best by validation");
    let best = weights();
    let (printed, shipped, seeds) = train(seeds[0].clone());
    assert_eq!(shipped, seeds[0]);
    assert!(!printed.contains("; validation "), "nothing is trained again: {printed}");
    assert_ne!(weights(), best);
    let card = fs::read_to_string(root.path().join("weights/dmiso/tiny/CARD.md")).unwrap();
    assert!(card.contains("a version's weights stay"), "{card}");
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

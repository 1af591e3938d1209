//! Pre-training as a program: a killed run ends with the same weights.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mirador_models::networks::deepmirnatar;
use mirador_models::{Options, Replica, Tensors, sha256};
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tch::Device;

fn letters(length: usize, rng: &mut ChaCha8Rng) -> String {
    (0..length).map(|_| *['A', 'C', 'G', 'T'].choose(rng).unwrap()).collect()
}

/// Made-up files in the places and the shape of the public ones.
fn write_public_files(data: &Path) {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let [utrs, pairs] =
        ["lanagarmire+MirMark", "zaku1521+DeepmiRNATar"].map(|name| data.join("target_sites").join(name));
    fs::create_dir_all(&utrs).unwrap();
    fs::create_dir_all(&pairs).unwrap();
    let transcripts: String =
        (0..60).map(|index| format!(">{index}\n{}\n", letters(300, &mut rng))).collect();
    fs::write(utrs.join("utrs.fa"), transcripts).unwrap();
    for (set, mark) in [("train", ""), ("valid", "\u{feff}"), ("test", "\u{feff}")] {
        let mut text = format!("{mark}gene,miRNA,interaction,gene_sequence,miRNA_sequence\r\n");
        for row in 0..40 {
            let name = if row % 4 == 0 { "hsa--11" } else { "hsa-miR-1" };
            let length = rng.random_range(20..41);
            text += &format!(
                "GENE,{name},{},{},{}\r\n",
                row % 2,
                letters(length, &mut rng),
                letters(22, &mut rng)
            );
        }
        fs::write(pairs.join(format!("{set}.csv")), text).unwrap();
    }
}

fn pretrain(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador-train"));
    command.args(["--device", "cpu", "pretrain", "--data", "data"]);
    command.current_dir(root).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap_or_default()).unwrap_or_default()
}

#[test]
fn a_killed_pre_training_resumes_and_ends_with_the_same_weights() {
    let roots = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for root in &roots {
        write_public_files(&root.path().join("data"));
        let recipes = root.path().join("recipes/deepmirnatar");
        fs::create_dir_all(&recipes).unwrap();
        let settings = r#"{"passes": 1, "batch": 3, "layers": 1, "mask_run": 4}"#;
        fs::write(recipes.join("pretrained.json"), settings).unwrap();
    }
    let [through, killed] = roots.each_ref().map(|root| root.path());
    let succeed = |root: &Path| {
        let output = pretrain(root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    succeed(through);

    let mut child = pretrain(killed).spawn().unwrap();
    let state = killed.join("runs/deepmirnatar/pretraining/state.json");
    let start = Instant::now();
    while read(&state)["step"] != 200 {
        assert!(start.elapsed() < Duration::from_secs(120), "the run does not get on");
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it could be killed");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap(); // SIGKILL
    child.wait().unwrap();
    succeed(killed);

    let file = |root: &Path| root.join("runs/deepmirnatar/pretrained.safetensors");
    assert_eq!(sha256(&file(through)).unwrap(), sha256(&file(killed)).unwrap());
    let report = read(&through.join("runs/deepmirnatar/pretrained.json"));
    assert!(report["steps"].as_u64().unwrap() > 200 && report["word2vec"]["sentences"] == 40);
    assert!(report["held_out"]["words"].as_u64().unwrap() > 0);
    let options: Options = serde_json::from_str(r#"{"bert": {"layers": 1}}"#).unwrap();
    let replica = Replica::new(&deepmirnatar::MODEL, &options, Device::Cpu).unwrap();
    Tensors::read(&file(through)).unwrap().load_part_into(&replica.store).unwrap();
}

//! Commands without a server: the same answers, in files.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::app::{App, MIRNA, SITE, assert_near, pair};
use crate::weights;

const LET7: &str = "UGAGGUAGUAGGUUGUAUAGUU";

fn mirador(folder: &Path, weights: &Path, words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    command.current_dir(folder).args(words.split_whitespace()).arg("--weights-dir").arg(weights);
    command.output().unwrap()
}

fn scan(folder: &Path, words: &str) -> Output {
    let all = format!("scan --mirnas mirnas.fa --transcripts transcripts.fa {words}");
    mirador(folder, weights::scanning(), &all)
}

fn done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn refused(output: &Output, said: &str) {
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && words.contains(said), "{words}");
}

/// Two miRNAs, and transcripts in five blocks.
fn files() -> TempDir {
    let folder = TempDir::new().unwrap();
    let mirnas = format!(
        ">hsa-let-7a-5p MIMAT0000062 x\n{LET7}\n>hsa-miR-1-3p MIMAT0000416\nUGGAAUGUAAAGAAGUAUGUAU\n"
    );
    fs::write(folder.path().join("mirnas.fa"), mirnas).unwrap();
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let mut text = String::new();
    for index in 0..300 {
        let length = 20 + next() % 900;
        let mut letters: String = (0..length).map(|_| ['A', 'C', 'G', 'T'][next() % 4]).collect();
        if index % 3 == 0 {
            letters.insert_str(next() % length, "CTACCTCA");
        }
        text.push_str(&format!(">ENST{index:05}.1|ENSG{:05}.2|GENE{}\n", index / 2, index / 2));
        letters
            .as_bytes()
            .chunks(60)
            .for_each(|line| text.push_str(&format!("{}\n", str::from_utf8(line).unwrap())));
    }
    fs::write(folder.path().join("transcripts.fa"), text).unwrap();
    folder
}

#[test]
fn shards_behind_each_other_are_the_whole() {
    let files = files();
    let folder = files.path();
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    for (format, end) in [("tsv", "tsv"), ("ndjson", "ndjson"), ("gff3", "gff3")] {
        done(&scan(folder, &format!("--format {format} --out all.{end} --seedless --min-probability 0.5")));
        let mut together = Vec::new();
        for shard in 1..=4 {
            let words = format!("--format {format} --out {shard}.{end} --shard {shard}/4 --threads {shard}");
            done(&scan(folder, &format!("{words} --seedless --min-probability 0.5")));
            together.extend(read(&format!("{shard}.{end}")));
        }
        assert!(together == read(&format!("all.{end}")) && !together.is_empty(), "{format}");
    }
}

/// What a run that was killed leaves: whole blocks, perhaps part of another, and a manifest behind both.
#[test]
fn a_killed_run_goes_on_where_it_was() {
    let files = files();
    let folder = files.path();
    done(&scan(folder, "--out whole.tsv"));
    let whole = fs::read(folder.join("whole.tsv")).unwrap();
    let words = "--out resumed.tsv --threads 1";
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    let all = format!("scan --mirnas mirnas.fa --transcripts transcripts.fa {words}");
    command.current_dir(folder).args(all.split_whitespace()).arg("--weights-dir").arg(weights::scanning());
    let mut child = command.spawn().unwrap();
    let manifest = folder.join("resumed.tsv.part.json");
    let blocks = || {
        let text = fs::read(&manifest).ok()?;
        serde_json::from_slice::<Value>(&text).ok()?["blocks"].as_u64()
    };
    while blocks().is_none_or(|blocks| blocks == 0) && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if manifest.is_file() {
        let part = folder.join("resumed.tsv.part");
        let begun = fs::read(&part).unwrap();
        fs::write(&part, [&begun[..], b"torn"].concat()).unwrap();
        refused(&scan(folder, "--out resumed.tsv --seedless"), "other files, models or settings");
        done(&scan(folder, words));
    }
    assert!(fs::read(folder.join("resumed.tsv")).unwrap() == whole);
    assert!(!manifest.exists());
    refused(&scan(folder, words), "exists already");
    // A manifest whose file is gone, or holds less than it says, is worth nothing.
    for left in [None, Some("torn")] {
        fs::remove_file(folder.join("resumed.tsv")).unwrap();
        let said = json!({"fingerprint": "of another scan", "blocks": 3, "bytes": 9_999});
        fs::write(&manifest, said.to_string()).unwrap();
        if let Some(text) = left {
            fs::write(folder.join("resumed.tsv.part"), text).unwrap();
        }
        done(&scan(folder, words));
        assert!(fs::read(folder.join("resumed.tsv")).unwrap() == whole);
    }
}

/// More shards than blocks: most are empty, and one line of names is enough.
#[test]
fn shards_of_a_short_file_are_the_whole_too() {
    let files = files();
    let folder = files.path();
    let text = fs::read_to_string(folder.join("transcripts.fa")).unwrap();
    let short: String = text.split_inclusive('>').take(4).collect();
    fs::write(folder.join("transcripts.fa"), short.trim_end_matches('>')).unwrap();
    done(&scan(folder, "--out all.tsv"));
    let mut together = Vec::new();
    for shard in 1..=5 {
        done(&scan(folder, &format!("--out {shard}.tsv --shard {shard}/5")));
        together.extend(fs::read(folder.join(format!("{shard}.tsv"))).unwrap());
    }
    assert!(together == fs::read(folder.join("all.tsv")).unwrap());
}

/// Errors that only the scanning meets: a packed file that is torn.
#[test]
fn a_torn_file_ends_the_scan_and_is_named() {
    let files = files();
    let folder = files.path();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &fs::read(folder.join("transcripts.fa")).unwrap()).unwrap();
    let packed = gzip.finish().unwrap();
    fs::write(folder.join("transcripts.fa"), &packed[..packed.len() / 2]).unwrap();
    refused(&scan(folder, "--out out.tsv"), "transcripts.fa, behind line");
    refused(&scan(folder, "--out out.tsv.gz"), "leave the .gz out");
}

#[test]
fn what_was_assumed_is_told_where_the_table_has_no_place_for_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::write(path.join("mirnas.fa"), ">a\nUGAGGUAGUAGGUUGUAUAGUU\n>b\nUGAGGUAGUAGGUUGUANNGUU\n").unwrap();
    let masked: String = (0..30).map(|index| format!(">t{index}\n{}\n", "N".repeat(200))).collect();
    fs::write(path.join("transcripts.fa"), format!("{masked}>whole\n{SITE}\n")).unwrap();
    for format in ["tsv", "csv", "bed", "gff3", "funmirbench"] {
        let output = scan(path, &format!("--format {format} --out {format}"));
        done(&output);
        let told = String::from_utf8_lossy(&output.stderr);
        let line = |start: &str| told.lines().any(|line| line.starts_with(start));
        assert!(line("mirador: b: sequence: ") && line("mirador: t0: sequence: fewer than half"), "{told}");
        assert!(line("mirador: and 11 more warnings"), "{told}");
    }
    for (words, out) in [("--format ndjson", "lines"), ("--scores-only", "scores")] {
        let output = scan(path, &format!("{words} --out {out}"));
        done(&output);
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::read_to_string(path.join(out)).unwrap().contains("fewer than half"));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_can_be_read_only_once_is_refused() {
    let files = files();
    let output = mirador(
        files.path(),
        weights::scanning(),
        "scan --mirnas mirnas.fa --transcripts /dev/stdin --out out.tsv",
    );
    refused(&output, "no file of its own");
}

#[tokio::test]
async fn a_file_is_scanned_as_the_server_scans() {
    let files = files();
    let folder = files.path();
    done(&scan(folder, "--format ndjson --out lines.ndjson"));
    let text = fs::read_to_string(folder.join("transcripts.fa")).unwrap();
    let transcripts: Vec<Value> = text
        .split('>')
        .skip(1)
        .map(|record| {
            let (header, letters) = record.split_once('\n').unwrap();
            json!({"id": header, "sequence": letters.replace('\n', "")})
        })
        .collect();
    let app = App::serving(weights::scanning(), &[]);
    let mirnas = json!([{"id": "hsa-let-7a-5p", "sequence": LET7}, {"id": "hsa-miR-1-3p", "sequence": "UGGAAUGUAAAGAAGUAUGUAU"}]);
    let served = app
        .post_to("/v1/target-sites/scan", &json!({"mirnas": mirnas, "transcripts": transcripts}))
        .await
        .body;
    let lines = fs::read_to_string(folder.join("lines.ndjson")).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 600);
    for (line, score) in lines.iter().zip(served["transcripts"].as_array().unwrap()) {
        assert_near(&line["transcript"], score);
    }
    let sites: Vec<Value> = lines.iter().flat_map(|line| line["sites"].as_array().unwrap().clone()).collect();
    assert_near(&sites.into(), &served["sites"]);
}

#[test]
fn a_gene_has_the_score_of_its_best_transcript() {
    let files = files();
    let folder = files.path();
    done(&scan(folder, "--format funmirbench --out genes.tsv"));
    done(&scan(folder, "--scores-only --out scores.tsv"));
    let genes = fs::read_to_string(folder.join("genes.tsv")).unwrap();
    let mut lines = genes.lines();
    assert_eq!(lines.next(), Some("Ensembl_ID\tGene_Name\tmiRNA_ID\tmiRNA_Name\tScore"));
    assert_eq!(lines.clone().count(), 150 * 2);
    let scores = fs::read_to_string(folder.join("scores.tsv")).unwrap();
    let rank = |transcript: usize, mirna: &str| -> f64 {
        let start = format!("{mirna}\tENST{transcript:05}.1|");
        let line = scores.lines().find(|line| line.starts_with(&start)).unwrap();
        line.split('\t').nth(3).unwrap().parse().unwrap()
    };
    for line in lines.step_by(17) {
        let cells: Vec<&str> = line.split('\t').collect();
        let gene: usize = cells[0].strip_prefix("ENSG").unwrap().parse().unwrap();
        assert_eq!(cells[1], format!("GENE{gene}"));
        assert!(cells[2].starts_with("MIMAT00"));
        let best = rank(2 * gene, cells[3]).max(rank(2 * gene + 1, cells[3]));
        assert_eq!(cells[4].parse::<f64>().unwrap(), best);
    }
    refused(&scan(folder, "--format funmirbench --out part.tsv --shard 1/2"), "whole");
    refused(&scan(folder, "--format bed --out part.bed --scores-only"), "--scores-only");
}

#[test]
fn what_is_wrong_with_a_file_is_told_before_the_scan() {
    let files = files();
    let folder = files.path();
    let transcripts = folder.join("transcripts.fa");
    let text = fs::read_to_string(&transcripts).unwrap();
    fs::write(&transcripts, format!("{text}>ENST00000.1|ENSG00000.2|GENE0\nACGU\n>x\nACXGU\n")).unwrap();
    let lines = text.lines().count();
    let output = scan(folder, "--out out.tsv");
    refused(&output, &format!("line {}: another record has the same id", lines + 1));
    refused(&output, &format!("line {}: letter 'X' at position 3", lines + 3));
    assert!(!folder.join("out.tsv").exists() && !folder.join("out.tsv.part").exists());
    fs::write(&transcripts, ">x\nACGU\n>x\nACGU\n").unwrap();
    let output = scan(folder, "--out out.tsv");
    refused(&output, "line 3: x is the id of another");
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("line 3").count(), 1, "told once");
    fs::write(&transcripts, "ACGU\n").unwrap();
    refused(&scan(folder, "--out out.tsv"), "transcripts.fa: line 1: a FASTA file starts with a header");
    fs::write(&transcripts, "").unwrap();
    refused(&scan(folder, "--out out.tsv"), "no record");
    fs::write(&transcripts, ">x\nACGU\n").unwrap();
    refused(&scan(folder, "--out out.tsv --model repression"), "there is: pairmap@balanced");
    let usage = scan(folder, "--out out.tsv --shard 5/4");
    refused(&usage, "i/n");
}

#[tokio::test]
async fn rows_are_answered_as_the_server_answers() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let app = App::ready(&[]);
    let expected = app.score(&[pair()]).await.body["results"][0]["probability"].clone();
    let score = |words: &str| mirador(path, weights::root(), &format!("score {words}"));
    fs::write(path.join("pairs.csv"), format!("noncodingRNA,gene,label\n{MIRNA},{SITE},1\n")).unwrap();
    let columns = "--set column.mirna=noncodingRNA --set column.site=gene --set keep_columns=true";
    done(&score(&format!("--input pairs.csv --out scores.ndjson {columns}")));
    let line: Value = serde_json::from_str(&fs::read_to_string(path.join("scores.ndjson")).unwrap()).unwrap();
    assert_near(&line["probability"], &expected);
    assert_eq!(line["input"]["label"], "1");
    done(&score(&format!("--input pairs.csv --out scores.tsv {columns}")));
    let table = fs::read_to_string(path.join("scores.tsv")).unwrap();
    assert!(table.starts_with("id\tprobability\t") && table.lines().count() == 2, "{table}");
    // One bad row: a table is refused whole, lines tell each for itself.
    let bad = format!("mirna,site\n{MIRNA},{SITE}\n{MIRNA},ACGUXACGU\n");
    fs::write(path.join("bad.csv"), &bad).unwrap();
    refused(&score("--input bad.csv --out bad.tsv"), "bad.csv: line 3, site: letter 'X'");
    assert!(!path.join("bad.tsv").exists());
    let output = score("--input bad.csv --out bad.ndjson");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(fs::read_to_string(path.join("bad.ndjson")).unwrap().lines().count(), 2);
    refused(&score(&format!("--input pairs.csv --out pairs.csv {columns}")), "exists already");
    refused(&score("--input pairs.xlsx --out x.csv"), "csv, tsv");
    refused(&score("--input none.csv --out x.csv"), "none.csv");
    refused(&score("--input bad.csv --out x.csv.gz"), "leave the .gz out");
    refused(&score("--input bad.ndjson --out x.csv"), "end the name of x.csv in .ndjson");
    refused(&score("--input pairs.fa --out x.csv"), "holds no pairs");
}

#[cfg(target_os = "linux")]
#[test]
fn what_comes_through_a_pipe_is_read_whole() {
    let folder = TempDir::new().unwrap();
    std::os::unix::fs::symlink("/dev/stdin", folder.path().join("pairs.csv")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    command.current_dir(folder.path()).args(["score", "--input", "pairs.csv", "--out", "out.csv"]);
    command.arg("--weights-dir").arg(weights::root()).stdin(Stdio::piped());
    let mut running = command.spawn().unwrap();
    running
        .stdin
        .take()
        .unwrap()
        .write_all(format!("id,mirna,site\nfirst,{MIRNA},{SITE}\n").as_bytes())
        .unwrap();
    assert!(running.wait().unwrap().success());
    let table = fs::read_to_string(folder.path().join("out.csv")).unwrap();
    assert!(table.contains("\nfirst,"), "{table}");
}

#[test]
fn a_result_is_of_one_run() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("pairs.csv"), format!("mirna,site\n{MIRNA},{SITE}\n")).unwrap();
    let other = fs::File::create(folder.path().join("out.csv.part")).unwrap();
    other.lock().unwrap();
    let score = || mirador(folder.path(), weights::root(), "score --input pairs.csv --out out.csv");
    refused(&score(), "another run is writing it");
    other.unlock().unwrap();
    done(&score());
}

#[test]
fn a_result_has_the_format_of_its_name() {
    let files = files();
    for (name, begins) in
        [("a.csv", "mirna,"), ("a.bed", "ENST"), ("a.gff3", "##gff-version 3"), ("a.jsonl", "{\"")]
    {
        done(&scan(files.path(), &format!("--out {name}")));
        let text = fs::read_to_string(files.path().join(name)).unwrap();
        assert!(text.starts_with(begins), "{name}: {}", &text[..60]);
    }
    refused(&scan(files.path(), "--out -"), "results go to a file");
}

#[test]
fn ends_of_lines_and_encodings_change_no_scan() {
    let files = files();
    let folder = files.path();
    done(&scan(folder, "--out plain.tsv"));
    let plain = fs::read_to_string(folder.join("transcripts.fa")).unwrap();
    let half = plain.len() / 2;
    let mixed = [plain[..half].replace('\n', "\r"), plain[half..].replace('\n', "\r\n")].concat();
    let utf16: Vec<u8> = format!("\u{feff}{plain}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in
        [("mac", plain.replace('\n', "\r").into_bytes()), ("mixed", mixed.into()), ("utf16", utf16)]
    {
        fs::write(folder.join("transcripts.fa"), bytes).unwrap();
        done(&scan(folder, &format!("--out {name}.tsv")));
        let [found, expected] =
            [name, "plain"].map(|name| fs::read(folder.join(format!("{name}.tsv"))).unwrap());
        assert!(found == expected, "{name}");
    }
}

#[test]
fn only_the_models_that_are_asked_for_are_loaded() {
    let folder = TempDir::new().unwrap();
    let check = |models: &str| mirador(folder.path(), weights::root(), &format!("check --models {models}"));
    let output = check("dmiso@paper");
    done(&output);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    refused(&check("dmiso,nothing"), "nothing");
    fs::write(folder.path().join("pairs.csv"), format!("mirna,site\n{MIRNA},{SITE}\n")).unwrap();
    let score = |models: &str| {
        let words = format!("score --input pairs.csv --out out.csv --models {models}");
        mirador(folder.path(), weights::root(), &words)
    };
    refused(&score("nothing"), "nothing");
    done(&score("dmiso"));
    refused(&scan(files().path(), "--out x.tsv --models pairmap"), "--models leaves no model of repression");
}

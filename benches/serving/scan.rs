//! What a scan of a transcriptome costs: `mirador scan` on 18,000 made-up 3'UTRs of human lengths.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::made_up::MadeUp;
use super::{Failure, Run, WEIGHTS};

const TRANSCRIPTS: u64 = 18_000;
/// Letters between two windows that are looked at.
const STRIDE: f64 = 25.0;

/// Notes the seconds of a canonical scan, and the windows a second of a seedless one.
pub(crate) fn scan(run: &mut Run) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("mirnas.fa"), ">let-7a\nUGAGGUAGUAGGUUGUAUAGUU\n")?;
    let letters = transcripts(&folder.path().join("transcripts.fa"))?;
    let nothing = seconds(folder.path(), "mirnas.fa", "start.tsv", &[])?;
    run.note("scan, start and the loading of two models: s", nothing);
    let canonical = seconds(folder.path(), "transcripts.fa", "sites.tsv", &[])?;
    run.note("scan, 1 miRNA x 18,000 3'UTRs, canonical sites: s", canonical);
    let flags = ["--seedless", "--scores-only"];
    let seedless = seconds(folder.path(), "transcripts.fa", "scores.tsv", &flags)?;
    run.note("scan, the same with seedless windows: s", seedless);
    run.note("scan, windows/s of it without the start", letters / STRIDE / (seedless - nothing));
    Ok(())
}

fn seconds(folder: &Path, transcripts: &str, out: &str, flags: &[&str]) -> Result<f64, Failure> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirador"));
    command.current_dir(folder).args(["scan", "--device", "cpu", "--weights-dir", WEIGHTS]);
    command.args(["--mirnas", "mirnas.fa", "--transcripts", transcripts, "--out", out]).args(flags);
    let started = Instant::now();
    let status = command.status()?;
    if !status.success() {
        return Err(format!("mirador scan: {status}").into());
    }
    Ok(started.elapsed().as_secs_f64())
}

/// Writes 3'UTRs whose lengths spread as human ones do (median some 1,100 nt, a tenth above 4,000); returns their letters.
fn transcripts(path: &Path) -> Result<f64, Failure> {
    let (mut random, mut text, mut all) = (MadeUp(18), String::new(), 0.0);
    for transcript in 0..TRANSCRIPTS {
        // The sum of four draws stands in for a normal one.
        let normal = ((0..4).map(|_| random.next()).sum::<f64>() - 2.0) * 3.0_f64.sqrt();
        let length = (7.0 + normal).exp().clamp(60.0, 20_000.0) as usize;
        all += length as f64;
        text.push_str(&format!(">t{transcript}\n{}\n", random.letters(length)));
    }
    fs::write(path, text)?;
    Ok(all)
}

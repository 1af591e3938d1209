//! Folds what it reads from standard input, one line at a time, and writes a table: what tests/vienna/check.py compares.
//!
//! `fold duplex`: two sequences a line → energy, pairs. `fold mfe`: energy, structure. `fold partition`: ensemble energy,
//! probabilities of pairs. `fold accessible WINDOW SPAN LENGTH`: probability that each stretch is unpaired. `fold time
//! REPEATS`: two sequences a line → microseconds a hybrid.

use std::error::Error;
use std::io::{BufWriter, Write, stdin, stdout};
use std::time::Instant;

use mirna::Rna;
use mirna::fold::{Accessibility, Duplexes, Partition, fold};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let lines = stdin().lines().collect::<Result<Vec<_>, _>>()?;
    let sequences = |line: &str| line.split_whitespace().map(str::parse).collect::<Result<Vec<Rna>, _>>();
    let rows = lines.iter().map(|line| sequences(line)).collect::<Result<Vec<_>, _>>()?;
    let mut out = BufWriter::new(stdout().lock());
    match words[..] {
        ["duplex"] => duplexes(&rows, &mut out)?,
        ["time", repeats] => time(&rows, repeats.parse()?, &mut out)?,
        ["mfe"] => {
            for row in &rows {
                let folded = fold(&row[0]);
                writeln!(out, "{:.2}\t{}", folded.energy, folded.structure)?;
            }
        }
        ["partition"] => {
            for row in &rows {
                let partition = Partition::of(&row[0]).ok_or("out of range")?;
                let pairs: Vec<_> =
                    partition.pairs(1e-6).map(|(i, j, pair)| format!("{i}-{j}:{pair:.6e}")).collect();
                writeln!(out, "{:.6}\t{}", partition.energy(), pairs.join(","))?;
            }
        }
        ["accessible", window, span, letters] => {
            let (window, span, letters) = (window.parse()?, span.parse()?, letters.parse()?);
            for row in &rows {
                let folded = Accessibility::of(&row[0], window, span).ok_or("out of range")?;
                let unpaired = folded.unpaired(letters);
                let unpaired: Vec<_> = unpaired.iter().map(|unpaired| format!("{unpaired:.6e}")).collect();
                writeln!(out, "{}", unpaired.join("\t"))?;
            }
        }
        _ => return Err("say duplex, mfe, partition, accessible WINDOW SPAN LETTERS or time REPEATS".into()),
    }
    Ok(())
}

fn duplexes(rows: &[Vec<Rna>], out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut room = Duplexes::new();
    for row in rows {
        match room.fold(&row[0], &row[1]) {
            Some(found) => {
                let pairs: Vec<_> = found.pairs.iter().map(|(i, j)| format!("{i}-{j}")).collect();
                writeln!(out, "{:.2}\t{}", found.energy, pairs.join(","))?;
            }
            None => writeln!(out, "none\t")?,
        }
    }
    Ok(())
}

fn time(rows: &[Vec<Rna>], repeats: usize, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut room = Duplexes::new();
    for what in ["energy", "structure"] {
        let mut sum = 0.0;
        let start = Instant::now();
        for row in (0..repeats).flat_map(|_| rows) {
            sum += match what {
                "energy" => room.energy(&row[0], &row[1]).unwrap_or(0.0),
                _ => room.fold(&row[0], &row[1]).map_or(0.0, |found| found.energy),
            };
        }
        let each = start.elapsed().as_secs_f64() * 1e6 / (repeats * rows.len()) as f64;
        writeln!(out, "{what}\t{each:.2} us\tmean {:.3} kcal/mol", sum / (repeats * rows.len()) as f64)?;
    }
    Ok(())
}

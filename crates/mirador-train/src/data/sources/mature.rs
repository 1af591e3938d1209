//! miRBase's mature miRNAs (`mature.fa`).

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use mirna::Rna;
use mirna::mirbase::Mirbase;

use crate::data::tsv::open;

const FILE: &str = "reference_sequences/BioGeMT+FuNmiRBench/mature.fa";

/// Records of a FASTA file, which may be packed: the whole header line without `>`, and the letters joined.
pub fn read_fasta(path: &Path) -> Result<Vec<(String, String)>> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).with_context(|| path.display().to_string())?;
    let mut records: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix('>'), records.last_mut()) {
            (Some(header), _) => records.push((header.trim().to_owned(), String::new())),
            (None, Some((_, letters))) => letters.push_str(line.trim()),
            (None, None) => {}
        }
    }
    Ok(records)
}

/// The human mature miRNAs.
pub fn human_mirbase(data: &Path) -> Result<Mirbase> {
    let path = data.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("public file {}", path.display()))?;
    let records = text.split('>').filter(|record| record.starts_with("hsa-"));
    let human: String = records.map(|record| format!(">{record}")).collect();
    Mirbase::parse(&human).with_context(|| path.display().to_string())
}

/// The human mature miRNAs, sorted, without repeats.
pub fn human_mature(data: &Path) -> Result<Vec<Rna>> {
    let mut mirnas: Vec<Rna> =
        human_mirbase(data)?.matures().iter().map(|mature| mature.rna.clone()).collect();
    mirnas.sort();
    mirnas.dedup();
    Ok(mirnas)
}

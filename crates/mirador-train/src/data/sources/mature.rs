//! miRBase's mature miRNAs (`mature.fa`).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use mirna::Rna;

const FILE: &str = "reference_sequences/BioGeMT+FuNmiRBench/mature.fa";

/// Records of a FASTA file: the whole header line without `>`, and the letters joined.
pub fn read_fasta(path: &Path) -> Result<Vec<(String, String)>> {
    let text = fs::read_to_string(path).with_context(|| format!("public file {}", path.display()))?;
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

/// The human mature miRNAs, sorted, without repeats.
pub fn human_mature(data: &Path) -> Result<Vec<Rna>> {
    let mut mirnas = read_fasta(&data.join(FILE))?
        .into_iter()
        .filter(|(header, _)| header.starts_with("hsa-"))
        .map(|(header, letters)| letters.parse().with_context(|| header))
        .collect::<Result<Vec<Rna>>>()?;
    mirnas.sort();
    mirnas.dedup();
    Ok(mirnas)
}

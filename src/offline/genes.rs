//! The table of genes that FuNmiRBench reads: Ensembl id, gene, miRBase accession, miRNA and score, a gene by its best
//! transcript.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::scan::Scanned;

/// A gene as the header of its transcript names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gene {
    id: String,
    name: String,
}

impl Gene {
    /// Out of a header: `>ENSG… symbol …`, or fields between `|` as BioMart writes them. The first word that begins with
    /// ENSG is the gene, without its version; where there is none, the first word of all. The symbol is the next that is
    /// no Ensembl id.
    pub(super) fn of(header: &str) -> Self {
        let words: Vec<&str> = header
            .split(|letter: char| letter == '|' || letter.is_whitespace())
            .filter(|word| !word.is_empty())
            .collect();
        let place = words.iter().position(|word| word.starts_with("ENSG")).unwrap_or(0);
        let id = words.get(place).copied().unwrap_or_default();
        let is_symbol = |word: &&&str| !word.starts_with("ENS") && !word.contains('=');
        let name = words.iter().skip(place + 1).find(is_symbol).copied().unwrap_or_default();
        Self { id: id.split('.').next().unwrap_or(id).to_owned(), name: name.to_owned() }
    }
}

/// A miRNA as the header of its letters names it: `>hsa-let-7a-5p MIMAT0000062 …`.
#[derive(Clone, Debug)]
pub(super) struct MirnaName {
    pub name: String,
    pub accession: String,
}

impl MirnaName {
    pub(super) fn of(header: &str) -> Self {
        let mut words = header.split_whitespace();
        let name = words.next().unwrap_or_default().to_owned();
        let accession = words.find(|word| word.starts_with("MIMAT")).unwrap_or_default().to_owned();
        Self { name, accession }
    }
}

/// The best score of each gene and miRNA.
#[derive(Default)]
pub(super) struct Genes {
    best: BTreeMap<(Gene, usize), f64>,
}

impl Genes {
    /// Takes a block: the genes of its transcripts, and what was found, so many miRNAs on each.
    pub(super) fn add(&mut self, genes: &[Gene], mirnas: usize, found: &[Scanned]) {
        for (index, Scanned { score, .. }) in found.iter().enumerate() {
            let key = (genes[index / mirnas].clone(), index % mirnas);
            let best = self.best.entry(key).or_insert(f64::NEG_INFINITY);
            *best = best.max(score.rank_score);
        }
    }

    /// The table.
    pub(super) fn table(&self, mirnas: &[MirnaName]) -> Result<Vec<u8>> {
        let mut table = csv::WriterBuilder::new().delimiter(b'\t').from_writer(Vec::new());
        table.write_record(["Ensembl_ID", "Gene_Name", "miRNA_ID", "miRNA_Name", "Score"])?;
        for ((gene, mirna), score) in &self.best {
            let MirnaName { name, accession } = &mirnas[*mirna];
            table.write_record([&gene.id, &gene.name, accession, name, &score.to_string()])?;
        }
        Ok(table.into_inner()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn genes_are_named_by_their_headers() {
        for (header, id, name) in [
            ("ENSG00000103494 RPGRIP1L entrez=23322", "ENSG00000103494", "RPGRIP1L"),
            ("ENST00000379253.7|ENSG00000103494.15|RPGRIP1L", "ENSG00000103494", "RPGRIP1L"),
            ("NM_001127897", "NM_001127897", ""),
        ] {
            assert_eq!(Gene::of(header), Gene { id: id.into(), name: name.into() });
        }
        let MirnaName { name, accession } =
            MirnaName::of("hsa-let-7a-5p MIMAT0000062 Homo sapiens let-7a-5p");
        assert_eq!((name.as_str(), accession.as_str()), ("hsa-let-7a-5p", "MIMAT0000062"));
    }
}

//! The table of genes that FuNmiRBench reads: Ensembl id, gene, miRBase accession, miRNA and score, a gene by its best
//! transcript.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use crate::scan::Scanned;

/// A gene as the header of its transcript names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gene {
    /// Without its version.
    id: String,
    /// Empty where the header has none.
    symbol: String,
}

/// What stands before a symbol in the headers of Ensembl (`gene_symbol:`), NCBI (`[gene=`) and others.
const SYMBOLS: [&str; 4] = ["gene_symbol", "gene_name", "symbol", "gene"];

impl Gene {
    /// Out of a header: words, or fields between `|` as BioMart and GENCODE write them, some with a label
    /// (`gene:ENSG…`). The first Ensembl gene is the gene; where there is none, the first word of all.
    pub(super) fn of(header: &str) -> Self {
        let parts = header.split(|letter: char| letter == '|' || letter.is_whitespace());
        let words: Vec<&str> =
            parts.map(|word| word.trim_matches(['[', ']'])).filter(|word| !word.is_empty()).collect();
        let place = words.iter().position(|word| is_ensembl_gene(value_of(word)));
        let first = place.map_or(words.first().copied(), |place| Some(value_of(words[place])));
        let id = first.unwrap_or_default();
        let labelled = words.iter().find_map(|word| {
            let (label, value) = word.split_once([':', '='])?;
            (SYMBOLS.contains(&label) && !value.is_empty() && !value.starts_with("ENS")).then_some(value)
        });
        // RefSeq: `NM_003270.4 Homo sapiens tetraspanin 6 (TSPAN6), transcript variant 1, mRNA`.
        let in_brackets = || {
            let word = words.iter().find(|word| word.starts_with('(') && word.ends_with("),"))?;
            word.strip_prefix('(')?.strip_suffix("),")
        };
        let after = || words.iter().skip(place.unwrap_or(0) + 1).copied().find(|word| may_be_symbol(word));
        // Without an Ensembl gene, what stands behind the first word may be a description.
        let symbol = labelled.or_else(in_brackets).or_else(|| place.and_then(|_| after()));
        // A dot belongs to the names of other genes: RP11-34P13.7.
        let has_version =
            place.is_some() || ["NM_", "NR_", "XM_", "XR_"].iter().any(|start| id.starts_with(start));
        let id = if has_version { id.split('.').next().unwrap_or(id) } else { id };
        Self { id: id.to_owned(), symbol: symbol.unwrap_or_default().to_owned() }
    }
}

/// `gene:ENSG…` without its label.
fn value_of(word: &str) -> &str {
    match word.split_once([':', '=']) {
        Some(("gene" | "gene_id", value)) => value,
        _ => word,
    }
}

/// `ENSG00000000003`, `ENSMUSG00000067377.1`.
fn is_ensembl_gene(word: &str) -> bool {
    let species =
        word.strip_prefix("ENS").map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_uppercase()));
    species.is_some_and(|number| {
        let letters = word.len() - number.len();
        word[..letters].ends_with('G') && number.starts_with(|digit: char| digit.is_ascii_digit())
    })
}

/// Not a number, a label's value, or the id of a transcript, of HAVANA, or GENCODE's name of a transcript (`TSPAN6-201`).
fn may_be_symbol(word: &str) -> bool {
    let of_transcript = word
        .rsplit_once('-')
        .is_some_and(|(_, number)| number.len() == 3 && number.bytes().all(|digit| digit.is_ascii_digit()));
    word.starts_with(|letter: char| letter.is_ascii_alphanumeric())
        && !word.bytes().all(|byte| byte.is_ascii_digit() || b".:;,+-".contains(&byte))
        && !["ENS", "OTTHUM", "OTTMUS"].iter().any(|start| word.starts_with(start))
        && !word.contains([':', '='])
        && !of_transcript
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
    /// By the gene's id alone: what else a header says differs between the transcripts of one gene.
    best: BTreeMap<(String, usize), f64>,
    symbols: HashMap<String, String>,
}

impl Genes {
    /// Takes a block: the genes of its transcripts, and what was found, so many miRNAs on each.
    pub(super) fn add(&mut self, genes: &[Gene], mirnas: usize, found: &[Scanned]) {
        for (index, Scanned { score, .. }) in found.iter().enumerate() {
            let Gene { id, symbol } = &genes[index / mirnas];
            let best = self.best.entry((id.clone(), index % mirnas)).or_insert(f64::NEG_INFINITY);
            *best = best.max(score.rank_score);
            if !symbol.is_empty() {
                self.symbols.entry(id.clone()).or_insert_with(|| symbol.clone());
            }
        }
    }

    /// The table.
    pub(super) fn table(&self, mirnas: &[MirnaName]) -> Result<Vec<u8>> {
        let mut table = csv::WriterBuilder::new().delimiter(b'\t').from_writer(Vec::new());
        table.write_record(["Ensembl_ID", "Gene_Name", "miRNA_ID", "miRNA_Name", "Score"])?;
        for ((gene, mirna), score) in &self.best {
            let MirnaName { name, accession } = &mirnas[*mirna];
            let symbol = self.symbols.get(gene).map_or("", String::as_str);
            table.write_record([gene, symbol, accession, name, &score.to_string()])?;
        }
        Ok(table.into_inner()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::TranscriptScore;

    #[test]
    fn genes_are_named_by_their_headers() {
        for (header, id, symbol) in [
            ("ENSG00000103494 RPGRIP1L entrez=23322", "ENSG00000103494", "RPGRIP1L"),
            ("ENST00000379253.7|ENSG00000103494.15|RPGRIP1L", "ENSG00000103494", "RPGRIP1L"),
            // BioMart, with the start of the 3'UTR before the symbol.
            ("ENSG00000000003|ENST00000373020|100627108|TSPAN6", "ENSG00000000003", "TSPAN6"),
            ("ENSG00000000003|ENST00000373020|100627108;100628000|-|TSPAN6", "ENSG00000000003", "TSPAN6"),
            (
                "ENST00000373020.9|ENSG00000000003.16|OTTHUMG00000022002.2|OTTHUMT00000057480.1|TSPAN6-201|TSPAN6|3768|",
                "ENSG00000000003",
                "TSPAN6",
            ),
            (
                "ENST00000373020.9 cdna chromosome:GRCh38:X:100627108:100636806:-1 gene:ENSG00000000003.16 \
                 gene_biotype:protein_coding transcript_biotype:protein_coding gene_symbol:TSPAN6 description:tetraspanin 6",
                "ENSG00000000003",
                "TSPAN6",
            ),
            (
                "ENSMUST00000087557.12 cdna gene:ENSMUSG00000067377.7 gene_symbol:Tspan6",
                "ENSMUSG00000067377",
                "Tspan6",
            ),
            ("ENSG00000241553.14_PAR_Y|HLA-DRB1", "ENSG00000241553", "HLA-DRB1"),
            ("NM_003270.4 [gene=TSPAN6] [db_xref=GeneID:7105]", "NM_003270", "TSPAN6"),
            (
                "NM_003270.4 Homo sapiens tetraspanin 6 (TSPAN6), transcript variant 1, mRNA",
                "NM_003270",
                "TSPAN6",
            ),
            ("NM_001127897", "NM_001127897", ""),
            ("RP11-34P13.7", "RP11-34P13.7", ""),
            ("Y74C9A.3 cdc-42", "Y74C9A.3", ""),
        ] {
            assert_eq!(Gene::of(header), Gene { id: id.into(), symbol: symbol.into() }, "{header}");
        }
        let MirnaName { name, accession } =
            MirnaName::of("hsa-let-7a-5p MIMAT0000062 Homo sapiens let-7a-5p");
        assert_eq!((name.as_str(), accession.as_str()), ("hsa-let-7a-5p", "MIMAT0000062"));
    }

    #[test]
    fn a_gene_has_one_row_whatever_else_its_transcripts_headers_say() {
        let found = |rank_score: f64| Scanned {
            score: TranscriptScore {
                mirna: "let-7a".into(),
                transcript: "t".into(),
                repression_score: 0.0,
                rank_score,
                canonical_sites: 0,
                weak_sites: 0,
                seedless_sites: None,
                best_probability: None,
                warnings: Vec::new(),
            },
            sites: Vec::new(),
        };
        let headers = ["ENSG1|ENST1|-", "ENSG1|ENST2|1000|TSPAN6", "ENSG1|ENST3|2000|TSPAN6"];
        let mut genes = Genes::default();
        genes.add(&headers.map(Gene::of), 1, &[0.5, 2.0, 1.0].map(found));
        let table = genes.table(&[MirnaName::of("let-7a MIMAT0000062")]).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert_eq!(table.lines().skip(1).collect::<Vec<_>>(), ["ENSG1\tTSPAN6\tMIMAT0000062\tlet-7a\t2"]);
    }
}

//! Human promoters, levels and half-lives of Xpresso's genes, and miRTarBase's records of which miRNA targets which
//! gene. Traps: the promoter is known for some genes only and in three lengths; miRTarBase holds other species, weak
//! evidence and records that a miRNA does *not* target a gene.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::tasks::expression::{Gene, HalfLifeFeature, PROMOTER_LENGTHS};
use mirna::Rna;
use serde::Deserialize;

use super::Tally;
use crate::data::tsv;

const PROMOTERS: &str = "expression/derived/human_promoter_expression.tsv";
const TARGETS: &str = "expression/cbaiming+miRTarDS/miRTarBase_SE_WR.csv";

#[derive(Deserialize)]
struct Promoter {
    ensg: String,
    symbol: String,
    split: String,
    chrom_hg38: String,
    y_median56_log10: f32,
    xpresso_promoter_only_pred: Option<f64>,
    halflife_scaled_saluki: Option<f32>,
    seq60_m49_p10: String,
    seq86_m49_p36: String,
    seq300_m249_p50: String,
}

/// A gene of Xpresso's list.
pub struct XpressoGene {
    /// Ensembl id without version.
    pub ensg: String,
    /// May be empty.
    pub symbol: String,
    /// Without `chr`.
    pub chromosome: String,
    /// Part of the data: train, valid or test.
    pub split: String,
    /// The gene's longest known promoter; no miRNAs.
    pub gene: Gene,
    /// The published network's prediction.
    pub published: Option<f64>,
    /// log10 of the expression.
    pub level: f32,
}

/// Genes with a promoter: the longest one, with the index of the start of transcription in it.
pub fn human_promoters(data: &Path, tally: &mut Tally) -> Result<Vec<XpressoGene>> {
    let all = tsv::read(&data.join(PROMOTERS), |row: Promoter| {
        let promoters = [(&row.seq300_m249_p50, 249), (&row.seq86_m49_p36, 49), (&row.seq60_m49_p10, 49)];
        let Some((letters, tss)) = promoters.into_iter().find(|(letters, _)| !letters.is_empty()) else {
            return Ok(None);
        };
        let promoter = Rna::trusted(letters, PROMOTER_LENGTHS)?;
        let measured = row.halflife_scaled_saluki.map(|value| (HalfLifeFeature::Measured, value));
        let half_life = measured.into_iter().collect();
        Ok(Some(XpressoGene {
            ensg: row.ensg,
            symbol: row.symbol,
            chromosome: row.chrom_hg38,
            split: row.split,
            gene: Gene { promoter, tss, half_life, mirnas: BTreeMap::new() },
            published: row.xpresso_promoter_only_pred,
            level: row.y_median56_log10,
        }))
    })?;
    tally.count(all.len(), "genes of Xpresso's list with a level");
    let genes: Vec<XpressoGene> = all.into_iter().flatten().collect();
    tally.count(genes.len(), "of them have a promoter (300, 86 or 60 nt); the others are dropped");
    let known = genes.iter().filter(|row| row.gene.half_life[HalfLifeFeature::Measured].is_some()).count();
    tally.count(known, "of these have a measured half-life");
    Ok(genes)
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(rename = "miRNA")]
    mirna: String,
    #[serde(rename = "Species (miRNA)")]
    mirna_species: String,
    #[serde(rename = "Target Gene")]
    gene: String,
    #[serde(rename = "Species (Target Gene)")]
    gene_species: String,
    #[serde(rename = "Support Type")]
    support: String,
    #[serde(rename = "References (PMID)")]
    paper: String,
}

/// By gene symbol, each miRNA with strong functional evidence and minus the number of papers that have it: it stands
/// in for TargetScan's score. A pair that some papers found not to be functional counts by the others.
pub fn mirtarbase(data: &Path, tally: &mut Tally) -> Result<HashMap<String, BTreeMap<String, f32>>> {
    let path = data.join(TARGETS);
    let mut reader =
        csv::Reader::from_path(&path).with_context(|| format!("{} cannot be read", path.display()))?;
    let mut papers: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let (mut foreign, mut others) = (0, 0);
    for record in reader.deserialize() {
        let Evidence { mirna, mirna_species, gene, gene_species, support, paper } =
            record.with_context(|| path.display().to_string())?;
        if (mirna_species.as_str(), gene_species.as_str()) != ("hsa", "hsa") {
            foreign += 1;
        } else if support != "Functional MTI" {
            others += 1;
        } else {
            papers.entry((gene, mirna)).or_default().insert(paper);
        }
    }
    tally.count(foreign, "records of miRTarBase of other species: not read");
    tally.count(others, "human records of miRTarBase that are weak or say that there is no effect: not read");
    tally.count(papers.len(), "human pairs of a miRNA and a gene with strong functional evidence");
    let mut targets: HashMap<String, BTreeMap<String, f32>> = HashMap::new();
    for ((gene, mirna), papers) in papers {
        targets.entry(gene).or_default().insert(mirna, -(papers.len() as f32));
    }
    Ok(targets)
}

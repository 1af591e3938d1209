//! Human promoters, levels and half-lives of Xpresso's genes, levels in five tumours of TCGA, and miRTarBase's records of
//! which miRNA targets which gene. Traps: the promoter is known for some genes only and in three lengths; a tumour's level is
//! the mean of 20 samples where the miREx paper has hundreds, and unknown where the gene's symbol was not found; miRTarBase
//! holds other species, weak evidence and records that a miRNA does *not* target a gene.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use mirador_models::tasks::expression::{Gene, HalfLifeFeature, PROMOTER_LENGTHS};
use mirna::Rna;
use serde::Deserialize;

use super::Tally;
use crate::data::tsv;

const PROMOTERS: &str = "expression/derived/human_promoter_expression.tsv";
const TUMOURS: &str = "expression/derived/tcga_mean_counts_log10_5subtypes.tsv";
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

/// A gene's levels, each log10(mean count over samples + [`PSEUDO_COUNT`]).
#[derive(Deserialize)]
struct Tumours {
    ensg: String,
    #[serde(rename = "log10mean_LUAD")]
    luad: Option<f32>,
    #[serde(rename = "log10mean_LUSC")]
    lusc: Option<f32>,
    #[serde(rename = "log10mean_KIRC")]
    kirc: Option<f32>,
    #[serde(rename = "log10mean_BRCA")]
    brca: Option<f32>,
    #[serde(rename = "log10mean_UCEC")]
    ucec: Option<f32>,
}

/// What stands under the logarithm beside a mean count.
const PSEUDO_COUNT: f32 = 0.1;

/// A tissue by its name in files, with the level of each gene in it that has one, by Ensembl id.
pub type Tissue = (&'static str, HashMap<String, f32>);

/// The five tumours, and `lung`, which is the mean count of both tumours of the lung.
pub fn tumour_levels(data: &Path) -> Result<Vec<Tissue>> {
    let rows: Vec<Tumours> = tsv::read(&data.join(TUMOURS), Ok)?;
    let tissue = |name, level: fn(&Tumours) -> Option<f32>| {
        (name, rows.iter().filter_map(|row| Some((row.ensg.clone(), level(row)?))).collect())
    };
    Ok(vec![
        tissue("luad", |row| row.luad),
        tissue("lusc", |row| row.lusc),
        tissue("lung", |row| Some(mean_level(row.luad?, row.lusc?))),
        tissue("kirc", |row| row.kirc),
        tissue("brca", |row| row.brca),
        tissue("ucec", |row| row.ucec),
    ])
}

/// The level of the mean count of two levels.
fn mean_level(a: f32, b: f32) -> f32 {
    let count = |level: f32| 10_f32.powf(level) - PSEUDO_COUNT;
    ((count(a) + count(b)) / 2.0 + PSEUDO_COUNT).log10()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_is_taken_of_counts() {
        assert!((mean_level(2.0, 2.0) - 2.0).abs() < 1e-6);
        // 0 and 19.8 counts.
        assert!((mean_level(-1.0, 19.9_f32.log10()) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_tissue_holds_the_genes_that_have_a_level() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TUMOURS);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let header = ["LUAD", "LUSC", "KIRC", "BRCA", "UCEC"].map(|name| format!("log10mean_{name}"));
        let text = format!("ensg\tsymbol\tsplit\t{}\nE1\tA\ttrain\t1\t\t2\t3\t4\n", header.join("\t"));
        std::fs::write(&path, text).unwrap();
        let levels: Vec<(&str, Option<f32>)> = tumour_levels(folder.path())
            .unwrap()
            .into_iter()
            .map(|(name, levels)| (name, levels.get("E1").copied()))
            .collect();
        let known = [("luad", Some(1.0)), ("lusc", None), ("lung", None), ("kirc", Some(2.0))];
        assert_eq!(levels[..4], known);
        assert_eq!(levels[4..], [("brca", Some(3.0)), ("ucec", Some(4.0))]);
    }
}

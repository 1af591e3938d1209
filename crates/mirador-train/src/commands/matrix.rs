//! `mirador-train matrix`: miRNAs against genes. Every window of every 3'UTR is scored for every miRNA.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use mirador_models::Replica;
use mirador_models::tasks::target_site::Pair;
use mirador_models::tasks::{DECISION_THRESHOLD, Input, Task, probability};
use mirna::Rna;
use mirna::sites::{SiteClass, seed_sites};
use tch::Device;

use crate::data::sources::{Functional, FunctionalGene, GeneLabel, deepmirnatar_genes, human_mirbase};
use crate::results;
use crate::results::matrix::{Matrix, Named, Said};

/// Letters of a window: those of most sites that DeepmiRNATar was trained on.
const WINDOW: usize = 40;
/// Letters from one window to the next: a site of 20 nt stands whole in one.
const STEP: usize = 20;

/// Whether a miRNA is known to bind a gene, by both.
type Known = Vec<Vec<Option<bool>>>;

/// What `matrix` takes.
#[derive(Args, Debug)]
pub(super) struct Against {
    /// Name of the result: it goes to matrices/NAME.json below --reports
    name: String,
    /// miRBase's names, comma-separated
    #[arg(long, value_delimiter = ',', required = true)]
    mirnas: Vec<String>,
    /// Symbols of genes whose 3'UTR is among the public files, comma-separated
    #[arg(long, value_delimiter = ',', required = true)]
    genes: Vec<String>,
    /// Networks of target sites, name@version, comma-separated
    #[arg(long, value_delimiter = ',', required = true)]
    networks: Vec<String>,
    /// Folder of the public files
    #[arg(long, default_value = "../shared/data")]
    data: PathBuf,
    /// Root of the reports
    #[arg(long, default_value = "reports")]
    reports: PathBuf,
}

impl Against {
    /// Scores and writes the result.
    pub(super) fn run(self, weights: Option<&Path>, device: Device) -> Result<()> {
        let mirbase = human_mirbase(&self.data)?;
        let mirna = |name: &String| -> Result<Rna> {
            Ok(mirbase.find(name).with_context(|| format!("miRBase has no {name}"))?.rna.clone())
        };
        let mirnas: Vec<Rna> = self.mirnas.iter().map(mirna).collect::<Result<_>>()?;
        let all = Functional::genes(&self.data)?;
        let gene = |symbol: &String| -> Result<&FunctionalGene> {
            all.iter().find(|gene| gene.symbol == *symbol).with_context(|| format!("no 3'UTR of {symbol}"))
        };
        let genes: Vec<&FunctionalGene> = self.genes.iter().map(gene).collect::<Result<_>>()?;
        let mut networks = Vec::new();
        for name in &self.networks {
            let found = super::find_weights(weights, name)?;
            let replica = found.load(device)?;
            ensure!(replica.encoder.task() == Task::TargetSite, "{name} does not score target sites");
            networks.push(said(found.config.id().to_string(), &replica, &mirnas, &genes));
        }
        let strong = |mirna: &Rna, gene: &FunctionalGene| {
            seed_sites(mirna, &gene.utr).filter(|site| site.class <= SiteClass::SevenMerA1).count()
        };
        let (known, trained) = self.known()?;
        let matrix = Matrix {
            command: self.command(),
            window: [WINDOW, STEP],
            mirnas: self.mirnas.iter().zip(&mirnas).map(|(name, mirna)| named(name, mirna)).collect(),
            genes: genes.iter().map(|gene| named(&gene.symbol, &gene.utr)).collect(),
            known,
            trained,
            seeds: mirnas
                .iter()
                .map(|mirna| genes.iter().map(|gene| strong(mirna, gene)).collect())
                .collect(),
            networks,
        };
        results::write(&Matrix::path(&self.reports, &self.name), &matrix)
    }

    /// What DeepmiRNATar's data know of each pair; and its training rows of each miRNA, the positive ones apart.
    fn known(&self) -> Result<(Known, Vec<[usize; 2]>)> {
        let train = deepmirnatar_genes(&self.data, "train")?;
        let rows_of = |mirna: &String| {
            let rows = train.iter().filter(|row| row.mirna == *mirna);
            [rows.clone().count(), rows.filter(|row| row.label()).count()]
        };
        let trained = self.mirnas.iter().map(rows_of).collect();
        let mut rows = train.clone();
        for set in ["valid", "test"] {
            rows.extend(deepmirnatar_genes(&self.data, set)?);
        }
        let of = |mirna: &String, gene: &String| {
            let labels = rows.iter().filter(|row| row.mirna == *mirna && row.gene == *gene);
            labels.map(GeneLabel::label).reduce(|any, label| any || label)
        };
        let of_mirna = |mirna: &String| self.genes.iter().map(|gene| of(mirna, gene)).collect();
        Ok((self.mirnas.iter().map(of_mirna).collect(), trained))
    }

    /// The command that gives this result.
    fn command(&self) -> String {
        let Self { name, mirnas, genes, networks, .. } = self;
        format!(
            "mirador-train matrix {name} --mirnas {} --genes {} --networks {}",
            mirnas.join(","),
            genes.join(","),
            networks.join(",")
        )
    }
}

fn named(name: &str, letters: &Rna) -> Named {
    Named { name: name.to_owned(), length: letters.len() }
}

/// Windows from the first letter on, the last one flush with the end.
fn windows(utr: &Rna) -> Vec<Rna> {
    let last = utr.len().saturating_sub(WINDOW);
    let starts = (0..last).step_by(STEP).chain([last]);
    starts.map(|start| Rna::from(&utr[start..(start + WINDOW).min(utr.len())])).collect()
}

fn said(network: String, replica: &Replica, mirnas: &[Rna], genes: &[&FunctionalGene]) -> Said {
    let sites: Vec<Vec<Rna>> = genes.iter().map(|gene| windows(&gene.utr)).collect();
    let (mut best, mut called) = (Vec::new(), Vec::new());
    for mirna in mirnas {
        let (mut best_of, mut called_of) = (Vec::new(), Vec::new());
        for windows in &sites {
            let pair = |site: &Rna| Pair { mirna: mirna.clone(), site: site.clone() }.into();
            let inputs: Vec<Input> = windows.iter().map(pair).collect();
            let probabilities: Vec<f64> =
                replica.score(&inputs).into_iter().map(|logit| f64::from(probability(logit))).collect();
            best_of.push(probabilities.iter().copied().fold(0.0, f64::max));
            called_of.push(probabilities.iter().filter(|&&p| p >= DECISION_THRESHOLD).count());
        }
        best.push(best_of);
        called.push(called_of);
    }
    Said { network, best, called, windows: sites.iter().map(Vec::len).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_the_end() {
        let utr: Rna = "ACGU".repeat(30).parse().unwrap();
        let found = windows(&utr);
        assert_eq!(found.len(), 5);
        assert_eq!(found[4], Rna::from(&utr[80..]));
        let short: Rna = "ACGUACGUAC".parse().unwrap();
        assert_eq!(windows(&short), [short]);
    }
}

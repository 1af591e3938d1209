//! miRNAs against genes: what networks say of the windows of each 3'UTR, beside seed matches and what a data set knows.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// `reports/matrices/<name>.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Matrix {
    /// What was run.
    pub command: String,
    /// Letters of a window, and letters from one window to the next.
    pub window: [usize; 2],
    /// The rows.
    pub mirnas: Vec<Named>,
    /// The columns.
    pub genes: Vec<Named>,
    /// Whether DeepmiRNATar's data hold a site of the gene for the miRNA, as positive or as negatives only; none where they
    /// do not hold the pair.
    pub known: Vec<Vec<Option<bool>>>,
    /// DeepmiRNATar's training rows of each miRNA, and the positive ones among them.
    pub trained: Vec<[usize; 2]>,
    /// 7mer and 8mer sites.
    pub seeds: Vec<Vec<usize>>,
    /// What each network says.
    pub networks: Vec<Said>,
}

/// A miRNA or a gene.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Named {
    /// Name of the miRNA or gene.
    pub name: String,
    /// Number of its letters.
    pub length: usize,
}

/// What one network says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Said {
    /// The version.
    pub network: String,
    /// The highest probability of any window.
    pub best: Vec<Vec<f64>>,
    /// Windows at or above the decision threshold.
    pub called: Vec<Vec<usize>>,
    /// Windows of each gene.
    pub windows: Vec<usize>,
}

/// Cells of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Cells {
    /// `true`: known targets; `false`: known from negatives only; none: not in the data.
    pub known: Option<bool>,
    /// How many.
    pub cells: usize,
    /// Mean of the highest probability.
    pub best: f64,
    /// Cells with a window at or above the threshold.
    pub called: usize,
    /// Mean share of the windows at or above the threshold.
    pub windows_called: f64,
    /// Cells with a 7mer or 8mer site.
    pub with_seed: usize,
}

impl Matrix {
    /// Where one is kept below a folder of reports.
    pub fn path(reports: &Path, name: &str) -> PathBuf {
        reports.join("matrices").join(format!("{name}.json"))
    }

    /// What a network says of the cells of each kind, leaving out kinds that no cell is of.
    pub fn by_kind(&self, said: &Said) -> Vec<Cells> {
        let all: Vec<(usize, usize)> = (0..self.mirnas.len())
            .flat_map(|mirna| (0..self.genes.len()).map(move |gene| (mirna, gene)))
            .collect();
        let of_kind = |known: Option<bool>| {
            let cells: Vec<(usize, usize)> =
                all.iter().copied().filter(|&(mirna, gene)| self.known[mirna][gene] == known).collect();
            let mean = |of: &dyn Fn(usize, usize) -> f64| {
                cells.iter().map(|&(mirna, gene)| of(mirna, gene)).sum::<f64>() / cells.len() as f64
            };
            let count = |of: &dyn Fn(usize, usize) -> bool| {
                cells.iter().filter(|&&(mirna, gene)| of(mirna, gene)).count()
            };
            Cells {
                known,
                cells: cells.len(),
                best: mean(&|mirna, gene| said.best[mirna][gene]),
                called: count(&|mirna, gene| said.called[mirna][gene] > 0),
                windows_called: mean(&|mirna, gene| {
                    said.called[mirna][gene] as f64 / said.windows[gene].max(1) as f64
                }),
                with_seed: count(&|mirna, gene| self.seeds[mirna][gene] > 0),
            }
        };
        [Some(true), Some(false), None].map(of_kind).into_iter().filter(|kind| kind.cells > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart_by_what_is_known() {
        let named = |name: &str| Named { name: name.to_owned(), length: 100 };
        let said = Said {
            network: "a@b".into(),
            best: vec![vec![0.9, 0.2], vec![0.8, 0.6]],
            called: vec![vec![2, 0], vec![1, 1]],
            windows: vec![4, 2],
        };
        let matrix = Matrix {
            command: String::new(),
            window: [40, 20],
            mirnas: vec![named("m"), named("n")],
            genes: vec![named("g"), named("h")],
            known: vec![vec![Some(true), None], vec![Some(true), None]],
            trained: vec![[3, 1]; 2],
            seeds: vec![vec![1, 0], vec![0, 0]],
            networks: Vec::new(),
        };
        let kinds = matrix.by_kind(&said);
        assert_eq!(kinds.len(), 2);
        let [targets, others] = &kinds[..] else { panic!() };
        assert_eq!((targets.known, targets.cells, targets.called, targets.with_seed), (Some(true), 2, 2, 1));
        assert!((targets.best - 0.85).abs() < 1e-12 && (targets.windows_called - 0.375).abs() < 1e-12);
        assert_eq!((others.known, others.called), (None, 1));
    }
}

//! Xpresso, AllMirna, AbsCorr and miREx on the promoter windows and features that are public.

use anyhow::Result;

use super::page::Page;
use super::{Runs, floors, header, network, printed};
use crate::stats::correlation::pearson;

const TESTS: [&str; 2] = ["test_86nt", "test_300nt"];
const VERSIONS: [(&str, &str, &str); 8] = [
    ("xpresso", "public_windows", "the backbone"),
    ("xpresso", "any_record", "the backbone and one extra column: has the gene any miRTarBase record?"),
    ("allmirna", "public_windows", "every miRNA with 30 targets or more"),
    ("abscorr", "public_windows", "ten miRNAs by the correlation with the residual's size"),
    ("mirex", "public_windows", "ten miRNAs by the correlation with the residual"),
    ("mirex", "permuted", "the control: a target matrix with the same row and column sums"),
    ("xpresso", "windows_300", "300 nt, trained on the genes that have them"),
    ("xpresso", "longest_windows", "300, 86 or 60 nt, whatever is public of a gene"),
];

pub fn report(runs: &mut Runs) -> Result<()> {
    let mut page = Page::new(&runs.reports, "mirex", "miREx on Xpresso")?;
    page.paragraph(
        "**This is no reproduction of r² .59.** The papers read 10,500 nt round the start of transcription and eight \
         features of the transcript; public are windows of 86 and 300 nt (N elsewhere), and measured half-lives of \
         some genes. miRNA targets are miRTarBase's functional pairs, which follow how much a gene was studied: see \
         the floor *any record of a miRNA* and the permuted matrix. The level is not a tumour's mRNA, as in the miREx paper (LUAD and LUSC of TCGA), but the median over 56 Roadmap epigenomes.",
    );
    page.heading("What was published");
    page.table(
        &["", "squared Pearson, test genes"],
        &[
            printed("Xpresso, human, 10.5 kb and half-life features", &[".590"]),
            printed("the same, promoter only", &[".504"]),
            printed("half-life only", &[".170"]),
            printed("miREx, AllMirna, AbsCorr", &["bars only, no table"]),
        ],
    );
    page.paragraph(
        "The released code of miREx takes residuals from training, validation and test genes of the run with the best *test* R², and repeats runs whose test R² is under .01; the paper says neither. Here residuals are out-of-fold predictions inside training and \
         validation, runs are chosen by validation loss, and test genes are measured once.",
    );
    let mut bars = Vec::new();
    let mut backbone = None;
    for (model, version, title) in VERSIONS {
        let Some(finished) = runs.get(model, version)? else { continue };
        page.heading(&format!("`{model}@{version}`: {title}"));
        for test in TESTS {
            let Some(set) = finished.set(test) else { continue };
            page.paragraph(&format!(
                "**{test}** ({} genes, {} seeds)",
                set.model.rows,
                finished.report.seeds.len()
            ));
            let shipped = set.model.figures.iter().map(|figure| figure.value.to_string());
            let mut rows =
                vec![[format!("**{model}**, best seed by validation")].into_iter().chain(shipped).collect()];
            rows.push(network("mean (range) of all seeds", &finished, set));
            rows.extend(floors(set));
            page.table(&header(&finished, ""), &rows);
        }
        if let Some(set) = finished.set(TESTS[0]) {
            let runs = finished.by_run(&set.name, 0);
            bars.push((format!("{model}@{version}"), runs.iter().sum::<f64>() / runs.len().max(1) as f64));
            match &backbone {
                None => backbone = Some(runs),
                Some(backbone) => {
                    if let Some(text) = paired(backbone, &runs) {
                        page.paragraph(&text);
                    }
                }
            }
        }
        page.training_curves(
            &format!("{model}-{version}"),
            &format!("{model}@{version}: training"),
            &finished,
        )?;
    }
    page.bars("pearson", "Mean over seeds, 86-nt test genes", "squared Pearson", 0.0, &bars)?;
    page.write(&runs.missing)
}

/// The mean difference to the backbone's runs, in standard errors.
fn paired(backbone: &[f64], runs: &[f64]) -> Option<String> {
    let differences: Vec<f64> = backbone.iter().zip(runs).map(|(a, b)| b - a).collect();
    let count = differences.len() as f64;
    if count < 3.0 {
        return None;
    }
    let mean = differences.iter().sum::<f64>() / count;
    let variance = differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (count - 1.0);
    let error = (variance / count).sqrt();
    let together = pearson(&backbone[..differences.len()], &runs[..differences.len()]);
    Some(format!(
        "Against the backbone, its {count} runs and these paired by their place in the list of seeds (a seed whose \
         network died was replaced, so about half of the pairs share theirs): {mean:+.4} ± {error:.4} (standard \
         error), t = {:.2}; within pairs the figures correlate by {together:.2}.",
        mean / error
    ))
}

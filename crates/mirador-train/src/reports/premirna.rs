//! The CNN-LSTM for pre-miRNAs and Zheng's network beside the rule that a mirtron ends in YAG.

use anyhow::Result;

use super::page::Page;
use super::runs::Finished;
use super::{Runs, floors, header, network, printed};

const TESTS: [(&str, &str); 4] = [
    ("held_out", "the full sequence"),
    ("held_out_last_5_masked", "the last five letters as N"),
    ("held_out_mature_arms", "trimmed to the mature arms"),
    ("held_out_yag_wrong", "only rows where the YAG rule is wrong"),
];
const VERSIONS: [(&str, &str, &str); 8] = [
    ("premirna_cnn_lstm", "paper", "the paper's protocol: five stratified folds"),
    (
        "premirna_cnn_lstm",
        "all_epochs",
        "the same folds, no early stop: the epoch with the best validation accuracy",
    ),
    ("premirna_cnn_lstm", "grouped", "family-grouped folds"),
    ("premirna_cnn_lstm", "end_masked", "family-grouped folds, the last five letters never seen"),
    ("premirna_cnn_lstm", "positions", "the LSTM along the hairpin's 21 positions"),
    ("premirna_cnn_lstm", "maxpool", "halving by max pooling in place of strides"),
    ("premirna_cnn_zheng", "folds", "Zheng's network, five stratified folds"),
    ("premirna_cnn_zheng", "published_split", "Zheng's network on Zheng's split"),
];

pub fn report(runs: &mut Runs) -> Result<()> {
    let mut page = Page::new(
        &runs.reports,
        "premirna_cnn_lstm",
        "CNN-LSTM for pre-miRNAs (Tasdelen & Sen, Sci Rep 2021)",
    )?;
    page.paragraph(
        "1,124 hairpins: 417 mirtrons (the positive class) and 707 canonical pre-miRNAs. Held-out rows are scored by \
         the network that did not train on them.",
    );
    page.heading("What was published");
    page.table(
        &["", "accuracy", "MCC", "sensitivity", "specificity", "F1"],
        &[
            printed(
                "CNN-LSTM, mean ± SD of five folds",
                &[".943 ± .014", ".880 ± .028", ".935 ± .016", ".948 ± .029", ".925 ± .016"],
            ),
            printed("Zheng's CNN, one 1 : 1 test of 401", &[".920", ".845", ".871", ".970", ".916"]),
            printed("*ends in YAG, all 1,124*", &[".926", ".842", ".902", ".941", ".901"]),
            printed("*ends in YAG, Zheng's 401*", &[".915", ".832", ".881", ".950", ".912"]),
        ],
    );
    page.paragraph(
        "The paper calls its SDs over folds a 95 % confidence interval. Its Table 5 compares five-fold means at 1 : 1.7 \
         with Zheng's single 1 : 1 test, which is not like for like.",
    );
    let mut bars = Vec::new();
    for (model, version, title) in VERSIONS {
        let Some(finished) = runs.get(model, version)? else { continue };
        page.heading(&format!("`{model}@{version}`: {title}"));
        for (test, shown) in TESTS {
            let Some(set) = finished.set(test) else { continue };
            page.paragraph(&format!("**{shown}** ({} rows)", set.model.rows));
            let pooled = set.model.figures.iter().map(|figure| figure.value.to_string());
            let mut rows = vec![[format!("**{model}**, pooled")].into_iter().chain(pooled).collect()];
            rows.push(spread(&finished, test));
            rows.extend(network_range(&finished, set));
            rows.extend(floors(set));
            page.table(&header(&finished, ""), &rows);
        }
        for (test, shown) in &TESTS[..2] {
            if let Some(set) = finished.set(test) {
                let mcc = set.model.figures.get(1).map_or(f64::NAN, |figure| figure.value.value);
                bars.push((format!("{version}, {}", shown.trim_start_matches("the ")), mcc));
            }
        }
        page.training_curves(
            &format!("{model}-{version}"),
            &format!("{model}@{version}: training"),
            &finished,
        )?;
        if let Some(set) = finished.scores("held_out") {
            page.class_curves(
                &format!("{model}-{version}-held-out"),
                &format!("{model}@{version}"),
                set,
                &["length < 70", "logistic regression, 7 features of the sequence"],
            )?;
        }
    }
    page.bars("mcc", "MCC of held-out rows", "MCC", 0.0, &bars)?;
    page.write(&runs.missing)
}

/// Mean ± SD over the runs (each fold of each seed), as the paper gives it over its folds.
fn spread(finished: &Finished, test: &str) -> Vec<String> {
    let columns = header(finished, "").len() - 1;
    let figure = |index: usize| {
        let runs = finished.by_run(test, index);
        let count = runs.len() as f64;
        let mean = runs.iter().sum::<f64>() / count;
        if runs.len() < 2 {
            return format!("{mean:.3}");
        }
        let squares: f64 = runs.iter().map(|run| (run - mean).powi(2)).sum();
        format!("{mean:.3} ± {:.3}", (squares / (count - 1.0)).sqrt())
    };
    let title = match finished.by_run(test, 0).len() {
        0 | 1 => "the one run".to_owned(),
        runs => format!("mean ± SD of the {runs} runs (folds × seeds)"),
    };
    [title].into_iter().chain((0..columns).map(figure)).collect()
}

fn network_range(finished: &Finished, set: &crate::results::report::SetReport) -> Option<Vec<String>> {
    (finished.report.seeds.len() > 1).then(|| network("mean (range) of all runs", finished, set))
}

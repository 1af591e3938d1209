//! miTAR on its two data sets and on both together.

use anyhow::Result;

use super::page::Page;
use super::{Runs, floors, header, printed, this_network};
use crate::data::target_sites::published::PARCLIP;
use crate::stats::metrics::AtThreshold;

/// Version, title, tests beside the random fifth.
const VERSIONS: [(&str, &str, &[&str]); 4] = [
    ("deepmirtar", "DeepMirTar (the paper's miTAR1)", &["random_fifth"]),
    ("miraw", "miRAW (the paper's miTAR2)", &["random_fifth", "miraw_independent"]),
    ("paper", "both together", &["random_fifth", "deepmirtar_independent", "miraw_rest"]),
    ("balanced", "bias-free training", &["left_out_families"]),
];

pub fn report(runs: &mut Runs) -> Result<()> {
    let mut page = Page::new(&runs.reports, "mitar", "miTAR (Gu et al., BMC Bioinformatics 2021)")?;
    page.paragraph(
        "Random splits of 64 % training, 16 % validation (accuracy chooses the epoch) and 20 % test, as in the paper, \
         of another random order. Accuracy at .5.",
    );
    page.heading("What was published");
    page.paragraph(
        "Weights of the authors, run here: `mitar2` on miRAW's independent set: accuracy .9695 (2,000 rows), AUROC \
         .9923; of the 48 PAR-CLIP pairs `mitar1` calls 36 (the published figure), `mitar2` 35, `mitar` 45. Reported \
         for miTAR by the DeepmiRNATar paper on its own split: AUROC .9481, accuracy .9394. The paper's own tables are \
         not among the sources at hand.",
    );
    let mut bars = Vec::new();
    for (version, title, tests) in VERSIONS {
        let Some(finished) = runs.get("mitar", version)? else { continue };
        page.heading(&format!("`mitar@{version}`: {title}"));
        for test in tests.iter().chain(&["hejret2023_test", "klimentova2022_test"]) {
            let Some(set) = finished.set(test) else { continue };
            let accuracy =
                set.model.classes.as_ref().map_or(f64::NAN, |classes| classes.at_threshold.accuracy);
            page.paragraph(&format!("**{test}** ({} rows); accuracy {accuracy:.4}", set.model.rows));
            let mut rows = vec![this_network(&finished, set)];
            rows.extend(floors(set));
            page.table(&header(&finished, ""), &rows);
        }
        if let Some(set) = finished.set("hejret2023_test") {
            bars.push((
                format!("mitar@{version}"),
                set.model.figures.first().map_or(f64::NAN, |f| f.value.value),
            ));
        }
        if let Some(parclip) = finished.scores(PARCLIP) {
            let at = AtThreshold::new(&parclip.labels(), parclip.network(), 0.5);
            let specificity = finished.set("random_fifth").and_then(|set| set.model.classes.as_ref());
            let beside = specificity.map_or(String::new(), |classes| {
                format!(" Its specificity on the random fifth is {:.3}.", classes.at_threshold.specificity)
            });
            page.paragraph(&format!(
                "PAR-CLIP: {:.0} of 48 called positive (they are all positive: \"always yes\" calls 48).{beside}",
                at.sensitivity * 48.0
            ));
        }
        page.training_curves(
            &format!("{version}-training"),
            &format!("mitar@{version}: training"),
            &finished,
        )?;
        if let Some(set) = finished.scores("random_fifth") {
            page.class_curves(
                version,
                &format!("mitar@{version}"),
                set,
                &["miRNA only", "aligner, no training"],
            )?;
        }
    }
    page.bars("hejret", "On Hejret 2023, bias-corrected", "AUROC", 0.4, &bars)?;
    page.heading("What explains the figures");
    page.table(
        &["", "what it reads"],
        &[
            printed(
                "DeepMirTar",
                &["negatives are mock miRNAs: to tell real from mock is enough (see *miRNA only*)"],
            ),
            printed(
                "miRAW",
                &["most miRNAs have one label nearly throughout, and the test has the training miRNAs"],
            ),
            printed("bias-free", &["neither sequence alone tells the label; the labels are in part the untrained aligner's (`teacher` in the recipe)"]),
        ],
    );
    page.write(&runs.missing)
}

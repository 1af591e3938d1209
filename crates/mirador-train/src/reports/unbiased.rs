//! Every target-site model and version on the two tests whose short cuts are gone, beside the published tools.

use anyhow::Result;
use mirador_models::WeightsDir;
use mirador_models::tasks::Task;

use super::page::Page;
use super::runs::read;
use super::{Runs, printed};
use crate::data::target_sites::prepare::{HEJRET_TEST, KLIMENTOVA_TEST};
use crate::results::report::{Report, SetReport};

pub fn report(runs: &mut Runs) -> Result<()> {
    let mut page = Page::new(&runs.reports, "unbiased", "Target sites without short cuts")?;
    page.paragraph(
        "miRBench's bias-corrected tests (Hejret 2023: 965 pairs; Klimentova 2022: 954): every miRNA is as often \
         positive as negative. Average precision / AUROC with 95 % intervals (1,000 bootstraps over site clusters). \
         Published tools: from their row-by-row scores where those are public, else their published average \
         precision. The aligner is untrained.",
    );
    let mut rows = Vec::new();
    let mut first = None;
    for dir in WeightsDir::scan(&runs.roots.weights)? {
        if dir.model()?.task != Task::TargetSite {
            continue;
        }
        let report = read(&dir.path.join("metrics.json"))?;
        let name = format!("**{}@{}**", dir.config.model, dir.config.version);
        let of =
            |test: &str| report.set(test).map_or("not measured".into(), |set| figures(&set.model.figures));
        rows.push(vec![name, of(HEJRET_TEST), of(KLIMENTOVA_TEST)]);
        first = first.or(Some(report));
    }
    rows.extend(first.iter().flat_map(beside));
    page.table(&["", "Hejret 2023", "Klimentova 2022"], &rows);
    page.write(&runs.missing)
}

/// Floors and published tools, which are the same for every network.
fn beside(report: &Report) -> Vec<Vec<String>> {
    let sets = [HEJRET_TEST, KLIMENTOVA_TEST].map(|name| report.set(name));
    let floor = |name: &str| {
        let of = |set: &Option<&SetReport>| -> String {
            let found = set.and_then(|set| set.floors.iter().find(|floor| floor.probe == name));
            found.map_or("–".into(), |floor| figures(&floor.figures))
        };
        vec![format!("*{name}*"), of(&sets[0]), of(&sets[1])]
    };
    let mut rows = vec![floor("aligner, no training"), floor("seed class")];
    let tools = sets[1].map(|set| set.published.iter().map(|tool| tool.tool.clone()).collect::<Vec<_>>());
    for name in tools.unwrap_or_default() {
        let of = |set: &Option<&SetReport>| -> String {
            let found = set.and_then(|set| set.published.iter().find(|tool| tool.tool == name));
            found.map_or("–".into(), |tool| match &tool.measured {
                Some(measured) => figures(measured),
                None => format!("{:.3} / –", tool.average_precision),
            })
        };
        rows.push(vec![name.clone(), of(&sets[0]), of(&sets[1])]);
    }
    // Published with the benchmark; neither its rows nor its scores are public.
    rows.push(printed("the benchmark's CNN, 2.5 million pairs", &[".842 / –", ".843 / –"]));
    rows.push(printed("the same, 4,084 pairs", &[".827 / –", ".781 / –"]));
    rows
}

/// Average precision / AUROC.
fn figures(figures: &[crate::stats::metrics::Figure]) -> String {
    match figures {
        [auroc, average_precision, ..] => format!("{} / {}", average_precision.value, auroc.value),
        _ => "–".into(),
    }
}

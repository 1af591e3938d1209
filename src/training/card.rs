//! `CARD.md`: a version's data, figures and floors, for a person to read.

use std::fmt::Write;

use anyhow::Result;

use super::audit::Floor;
use super::recipe::{Protocol, Recipe};
use super::report::{Report, SetReport, mean_and_range};
use crate::models::find;

/// The card's Markdown.
pub fn card(recipe: &Recipe, report: &Report) -> Result<String> {
    let mut text = String::new();
    let name = format!("{}@{}", recipe.model, recipe.version);
    let description = find(&recipe.model).map_or("", |model| model.description);
    writeln!(text, "# {name}\n\n{description}\n")?;
    writeln!(text, "{}\n", protocol(recipe.protocol))?;
    for note in &recipe.notes {
        writeln!(text, "{note}\n")?;
    }
    writeln!(text, "## Figures\n")?;
    writeln!(
        text,
        "Value (95 % interval, 1,000 bootstraps over site clusters) of the shipped weights, seed {}, \
        chosen by validation average precision. Floors are fitted on the training rows and scored on the same rows \
        as the network.\n",
        report.shipped_seed
    )?;
    for set in &report.sets {
        write_set(&mut text, set)?;
    }
    writeln!(
        text,
        "## All seeds\n\nAverage precision / AUROC. Validation figures are means over the sources and choose the \
         epoch within the last stage, and the seed.\n"
    )?;
    if let Some(last) = report.shared.last() {
        writeln!(
            text,
            "The first {} epochs were trained once, for all seeds (seed 0; validation {:.3} / {:.3} at their end). \
             The spread below is therefore that of the last stages only.\n",
            report.shared.len(),
            last.validation_average_precision,
            last.validation_auroc,
        )?;
    }
    write_seeds(&mut text, report)?;
    writeln!(
        text,
        "## What the training labels give away\n\nEach floor fitted and scored on the training rows \
        themselves.\n"
    )?;
    write_floors(&mut text, &report.training_audit)?;
    writeln!(text, "## Made by\n\n```console\n$ {}\n```\n", report.command)?;
    writeln!(
        text,
        "Recipe: `recipe.json`. Dataset SHA-256: `{}`. What `prepare` did:\n",
        report.dataset_sha256
    )?;
    for line in &report.preparation {
        writeln!(text, "- {line}")?;
    }
    Ok(text)
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::BiasFree => {
            "**Data.** Chimeric reads of AGO2: CLASH (Helwak 2013), Hejret 2023 and its isomiRs as read. Sites that \
             share 25 nt with a site of a published test are out. Split by site cluster (shared 25-mers) and miRNA \
             family (positions 2–8). Negatives: sites permuted among the positives of a source, anew each epoch, \
             never a site whose cluster binds the same family; some of them may bind in truth. Every miRNA and every \
             site is as often positive as negative, so neither alone tells the label."
        }
        Protocol::Paper => {
            "**Data.** The paper's protocol on the nearest public data (its own tables are not public): positives \
             are chimeric reads (CLASH 2013, Hejret 2023, isomiRs as read) with 50-nt sites as published, not reads \
             extended by 25 nt at the 3' end; an isomiR's ten reads cannot be checked. A negative is the same miRNA \
             with a window of a random human 3'UTR (RefSeq, as in MirMark), not of the same transcript, whose \
             coordinates are not public; the paper's rule on folding energy (\"< 10 kcal/mol\") excludes nothing as \
             printed and is left out. Random split of pairs, 80 : 20; a tenth of the 80 chooses the epoch, by average \
             precision. **This split and these negatives flatter a network:** a site in a coding exon and a window of \
             a 3'UTR can be told apart without looking at the miRNA (see the site-only floors). The figures on the \
             two bias-corrected tests show what is left."
        }
    }
}

fn write_set(text: &mut String, set: &SetReport) -> Result<()> {
    let model = &set.model;
    writeln!(text, "### {} ({} rows, {} positive)\n", set.name, model.rows, model.positives)?;
    writeln!(text, "| | AUROC | average precision |\n|---|---|---|")?;
    writeln!(text, "| **this model** | **{}** | **{}** |", model.auroc, model.average_precision)?;
    for floor in &set.floors {
        writeln!(text, "| {} | {} | {} |", floor.probe, floor.auroc, floor.average_precision)?;
    }
    for tool in &set.published {
        match &tool.measured {
            Some([auroc, precision]) => {
                writeln!(text, "| {} (row scores) | {auroc} | {precision} |", tool.tool)?
            }
            None => writeln!(text, "| {} (published) | – | {:.3} |", tool.tool, tool.average_precision)?,
        }
    }
    let at = &model.at_threshold;
    writeln!(
        text,
        "\nAt threshold {}: accuracy {:.3}, sensitivity {:.3}, specificity {:.3}, precision {:.3}, F1 {:.3}, MCC \
         {:.3}. Brier score {:.3}; base rate {:.3}.\n",
        at.threshold,
        at.accuracy,
        at.sensitivity,
        at.specificity,
        at.precision,
        at.f1,
        at.mcc,
        model.brier,
        model.base_rate,
    )?;
    writeln!(text, "| predicted | observed | rows |\n|---|---|---|")?;
    for bin in model.reliability.iter().filter(|bin| bin.rows > 0) {
        writeln!(text, "| {:.2} | {:.2} | {} |", bin.predicted, bin.observed, bin.rows)?;
    }
    Ok(writeln!(text)?)
}

fn write_floors(text: &mut String, floors: &[Floor]) -> Result<()> {
    writeln!(text, "| | AUROC | average precision |\n|---|---|---|")?;
    for floor in floors {
        writeln!(text, "| {} | {} | {} |", floor.probe, floor.auroc, floor.average_precision)?;
    }
    Ok(writeln!(text)?)
}

fn write_seeds(text: &mut String, report: &Report) -> Result<()> {
    let names: Vec<&String> =
        report.seeds.iter().take(1).flat_map(|seed| &seed.tests).map(|test| &test.0).collect();
    write!(text, "| seed | epochs | best | validation |")?;
    names.iter().try_for_each(|name| write!(text, " {name} |"))?;
    writeln!(text, "\n|---|---|---|---|{}", "---|".repeat(names.len()))?;
    for seed in &report.seeds {
        let Some(best) = seed.best_epoch() else { continue };
        let (precision, area) = (best.validation_average_precision, best.validation_auroc);
        write!(text, "| {} | {} | {} |", seed.seed, seed.history.len(), best.epoch)?;
        write!(text, " {precision:.3} / {area:.3} |")?;
        seed.tests
            .iter()
            .try_for_each(|(_, precision, area)| write!(text, " {precision:.3} / {area:.3} |"))?;
        writeln!(text)?;
    }
    write!(text, "| mean (range) of average precision | | |")?;
    let best = report.seeds.iter().filter_map(|seed| seed.best_epoch());
    write!(text, " {} |", mean_and_range(best.map(|epoch| epoch.validation_average_precision)))?;
    for index in 0..names.len() {
        let figures = report.seeds.iter().filter_map(|seed| seed.tests.get(index)).map(|test| test.1);
        write!(text, " {} |", mean_and_range(figures))?;
    }
    Ok(writeln!(text, "\n")?)
}

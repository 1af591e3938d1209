//! `CARD.md`: a version's data, metrics and baselines, for a person to read.

use std::fmt::Write;

use anyhow::Result;
use mirador_models::find;

use super::report::{FoldRows, MeasuredBaseline, Report, SetReport, Start, mean_and_range};
use crate::experiment::Baseline;
use crate::learn::checkpoint::Epoch;
use crate::recipe::{EpochMetric, Recipe, SiteRows};
use crate::stats::metrics::{Metric, MetricValue};

/// The card's Markdown.
pub fn card(recipe: &Recipe, report: &Report, data: &str) -> Result<String> {
    let mut text = String::new();
    let name = recipe.id();
    let description = find(&recipe.model).map_or("", |model| model.description);
    writeln!(text, "# {name}\n\n{description}\n")?;
    writeln!(text, "{} trainable parameters.\n\n{data}\n", report.parameters)?;
    write_start(&mut text, recipe, &report.started)?;
    write_teacher(&mut text, recipe)?;
    for note in recipe.notes.iter().chain(&report.default_although) {
        writeln!(text, "{note}\n")?;
    }
    let (seed, fold) = report.shipped().map_or((0, 0), |run| (run.seed, run.fold));
    let why = match recipe.shipped_seed {
        None => format!("chosen by the validation metric `{}`", recipe.choose_by),
        Some(_) => format!(
            "which the recipe names, so that a version's weights stay while seeds are added; another may be better by \
             the validation metric `{}`, below",
            recipe.choose_by
        ),
    };
    writeln!(
        text,
        "## Metrics\n\nValue (95 % interval, 1,000 bootstraps over groups of related rows). The shipped weights are \
         those of seed {seed}, {why}. Baselines are fitted on the training rows and scored on the same rows as the \
         network.\n"
    )?;
    if report.seeds.iter().any(|run| run.fold != fold) {
        writeln!(
            text,
            "Held-out rows are scored by the network that did not train on them, all folds together; the shipped \
             weights are those of fold {}.\n",
            fold + 1
        )?;
    }
    write_folds(&mut text, &report.folds)?;
    for set in &report.sets {
        write_set(&mut text, set)?;
    }
    let task = find(&recipe.model).map(|model| model.task);
    let metrics = task.map_or(&[][..], Metric::of);
    let names: Vec<&str> = metrics.iter().map(Into::into).collect();
    writeln!(
        text,
        "## All runs\n\n{}. Validation metrics are means over the sources and choose the epoch within the last stage\
         {}.\n",
        names.join(" / "),
        if recipe.shipped_seed.is_none() { ", and the run" } else { "" }
    )?;
    if let Some(last) = report.shared.last() {
        writeln!(
            text,
            "The first {} epochs were trained once, not for each seed (seed 0; validation {:.3} at their end). The spread \
             below is therefore above all that of the last stages.\n",
            report.shared.len(),
            recipe.choose_by.sign() * last.score,
        )?;
    }
    write_runs(&mut text, recipe.choose_by, report, &names)?;
    writeln!(
        text,
        "## What the training labels give away\n\nEach baseline fitted and scored on the training rows \
        themselves.\n"
    )?;
    write_baselines(&mut text, &report.training_audit)?;
    writeln!(text, "## Made by\n\n```console\n$ {}\n```\n", report.command)?;
    writeln!(
        text,
        "Recipe: `recipes/{}/{}.json`. Dataset SHA-256: `{}`. What `prepare` did:\n",
        recipe.model, recipe.version, report.dataset_sha256
    )?;
    for line in &report.preparation {
        writeln!(text, "- {line}")?;
    }
    Ok(text)
}

/// What a network starts from, or the versions that it is the mean of.
fn write_start(text: &mut String, recipe: &Recipe, started: &[Start]) -> Result<()> {
    if recipe.mean_of.is_empty() {
        for Start { version, sha256 } in started {
            writeln!(text, "Training starts from `{version}` (SHA-256 of its weights `{sha256}`).\n")?;
        }
        return Ok(());
    }
    writeln!(
        text,
        "The logit is a sum over versions that were trained apart on one aligner; nothing but the calibration is fitted \
         here.\n\n| version | part | SHA-256 of its weights |\n|---|---|---|"
    )?;
    for (member, start) in recipe.mean_of.iter().zip(started) {
        writeln!(text, "| `{}` | {} | `{}` |", member.version, member.share, start.sha256)?;
    }
    Ok(writeln!(text)?)
}

/// What a network learned from the aligner: it is no independent rival of that baseline.
fn write_teacher(text: &mut String, recipe: &Recipe) -> Result<()> {
    let stages = recipe.shared_stages.iter().chain(&recipe.stages);
    let rows: Vec<SiteRows> = stages.map(|stage| stage.rows.unwrap_or_default()).collect();
    let list =
        |value: &dyn Fn(&SiteRows) -> String| rows.iter().map(value).collect::<Vec<_>>().join(", then ");
    if rows.iter().any(|rows| rows.synthetic > 0 || rows.teacher > 0.0) {
        writeln!(
            text,
            "**Taught by the aligner.** Stage by stage, an epoch holds {} synthetic pairs that the untrained aligner \
             labelled, and the aligner's opinion is {} of a measured row's label. The baseline \"{}\" is therefore its \
             teacher in part, not only its rival.\n",
            list(&|rows| rows.synthetic.to_string()),
            list(&|rows| rows.teacher.to_string()),
            Baseline::Aligner,
        )?;
    }
    Ok(())
}

/// Positive and other rows of each fold.
fn write_folds(text: &mut String, folds: &[FoldRows]) -> Result<()> {
    if folds.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "Rows of each fold, positive + other:\n\n| fold | trained on | validation | held out |\n|---|---|---|---|"
    )?;
    for (index, FoldRows { train, validation, test }) in folds.iter().enumerate() {
        let counts = [train, validation, test].map(|of| format!("{} + {}", of.positives, of.negatives));
        writeln!(text, "| {} | {} |", index + 1, counts.join(" | "))?;
    }
    Ok(writeln!(text)?)
}

fn write_set(text: &mut String, set: &SetReport) -> Result<()> {
    let model = &set.model;
    let positives =
        model.classes.as_ref().map_or(String::new(), |classes| format!(", {} positive", classes.positives));
    writeln!(text, "### {} ({} rows{positives})\n", set.name, model.rows)?;
    if let Some(called) = model.called_of_one_class() {
        writeln!(
            text,
            "All rows are of one class, which leaves no metric but one: {called} of {} are called positive at the \
             threshold.\n",
            model.rows
        )?;
        return Ok(());
    }
    write_header(text, &model.metrics)?;
    write_line(text, "**this model**", &model.metrics)?;
    for baseline in &set.baselines {
        write_line(text, baseline.name.into(), &baseline.metrics)?;
    }
    for tool in &set.published {
        match &tool.measured {
            Some(metrics) => write_line(text, &format!("{} (row scores)", tool.tool), metrics)?,
            None => writeln!(text, "| {} (published) | – | {:.3} |", tool.tool, tool.average_precision)?,
        }
    }
    if let Some(classes) = &model.classes {
        let at = &classes.at_threshold;
        writeln!(
            text,
            "\nAt threshold {}: accuracy {:.3}, sensitivity {:.3}, specificity {:.3}, precision {:.3}, F1 {:.3}, \
             MCC {:.3}. Brier score {:.3}; base rate {:.3}.\n",
            at.threshold,
            at.accuracy,
            at.sensitivity,
            at.specificity,
            at.precision,
            at.f1,
            at.mcc,
            classes.brier,
            classes.base_rate,
        )?;
        writeln!(text, "| predicted | observed | rows |\n|---|---|---|")?;
        for bin in classes.reliability.iter().filter(|bin| bin.rows > 0) {
            writeln!(text, "| {:.2} | {:.2} | {} |", bin.predicted, bin.observed, bin.rows)?;
        }
    }
    Ok(writeln!(text)?)
}

fn write_header(text: &mut String, metrics: &[MetricValue]) -> Result<()> {
    let names: Vec<&str> = metrics.iter().map(|metric| metric.name.into()).collect();
    Ok(writeln!(text, "| | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?)
}

fn write_line(text: &mut String, name: &str, metrics: &[MetricValue]) -> Result<()> {
    write!(text, "| {name} |")?;
    metrics.iter().try_for_each(|metric| write!(text, " {} |", metric.value))?;
    Ok(writeln!(text)?)
}

fn write_baselines(text: &mut String, baselines: &[MeasuredBaseline]) -> Result<()> {
    if let Some(first) = baselines.first() {
        write_header(text, &first.metrics)?;
    }
    baselines.iter().try_for_each(|baseline| write_line(text, baseline.name.into(), &baseline.metrics))?;
    Ok(writeln!(text)?)
}

fn write_runs(text: &mut String, chosen_by: EpochMetric, report: &Report, names: &[&str]) -> Result<()> {
    let validation = |best: &Epoch| chosen_by.sign() * best.score;
    let tests: Vec<&String> =
        report.seeds.iter().take(1).flat_map(|run| &run.tests).map(|test| &test.0).collect();
    let name = chosen_by.to_string().replace('_', " ");
    write!(text, "| seed | fold | epochs | best | validation: {name} |")?;
    tests.iter().try_for_each(|name| write!(text, " {name} |"))?;
    writeln!(text, "\n|---|---|---|---|---|{}", "---|".repeat(tests.len()))?;
    for run in &report.seeds {
        let Some(best) = run.best_epoch() else { continue };
        write!(text, "| {} | {} | {} | {} |", run.seed, run.fold + 1, run.history.len(), best.epoch)?;
        write!(text, " {:.3} |", validation(best))?;
        // A fold that holds nothing out has no tests.
        for test in 0..tests.len() {
            let metrics = run.tests.get(test).map_or(&[][..], |(_, metrics)| metrics);
            let metrics: Vec<String> = of_two_classes(metrics)
                .iter()
                .map(|metric| metric.map_or("–".to_owned(), |metric| format!("{metric:.3}")))
                .collect();
            write!(text, " {} |", metrics.join(" / "))?;
        }
        writeln!(text)?;
    }
    for (index, name) in names.iter().enumerate() {
        write!(text, "| mean (range) of {name} | | | |")?;
        let best = report.seeds.iter().filter_map(|run| run.best_epoch());
        match index {
            0 => write!(text, " {} |", mean_and_range(best.map(validation)))?,
            _ => write!(text, " |")?,
        }
        for test in 0..tests.len() {
            let metrics =
                report.seeds.iter().filter_map(|run| *of_two_classes(&run.tests.get(test)?.1).get(index)?);
            write!(text, " {} |", mean_and_range(metrics))?;
        }
        writeln!(text)?;
    }
    Ok(writeln!(text)?)
}

/// Metrics of a test, none where its rows are of one class: average precision is 1 there whatever was said.
fn of_two_classes(metrics: &[Option<f64>]) -> &[Option<f64>] {
    if metrics.first() == Some(&None) { &[None] } else { metrics }
}

//! `CARD.md` of a fitted table.

use std::fmt::Write;

use anyhow::Result;
use mirador_models::find;
use mirador_models::tasks::Task;

use super::report::{Change, MeasuredOn, OfExperiment, Report};
use crate::recipe::Recipe;
use crate::stats::interval::{Interval, range};
use crate::stats::metrics::{Metric, MetricValue};

/// The card's Markdown.
pub(super) fn card(recipe: &Recipe, report: &Report) -> Result<String> {
    let mut text = String::new();
    let description = find(&recipe.model).map_or("", |model| model.description);
    let on = &report.measured_on;
    writeln!(text, "# {}\n\n{description}\n\n{} trainable parameters.\n", recipe.id(), report.parameters)?;
    writeln!(
        text,
        "**Data.** {} genes with their 3'UTRs, and how they change in {} over-expression experiments of {} seed groups \
         (`prepare repression`). No epoch is chosen, so there is no validation set: each seed group is scored by a fit on \
         the others; the shipped weights are fitted on all.\n",
        on.genes, on.experiments, on.groups
    )?;
    for note in recipe.notes.iter().chain(&report.default_although) {
        writeln!(text, "{note}\n")?;
    }
    write_weights(&mut text, report)?;
    write_metrics(&mut text, report)?;
    write_genes_left_out(&mut text, report)?;
    writeln!(
        text,
        "## What each input is worth\n\nFits without it, and the paired difference to the model.\n"
    )?;
    write_header(&mut text, true)?;
    for change in report.without.iter().chain([&report.control]) {
        write_change(&mut text, change)?;
    }
    writeln!(text, "\n## Experiments, one by one\n\nA dash stands where too few genes are down.\n")?;
    write_experiments(&mut text, &report.experiments)?;
    if !report.knock_outs.is_empty() {
        writeln!(text, "\n### Knock-outs\n\nNothing was chosen by them.\n")?;
        write_experiments(&mut text, &report.knock_outs)?;
    }
    writeln!(text, "\n## Made by\n\n```console\n$ {}\n```\n", report.command)?;
    writeln!(
        text,
        "Recipe: `recipes/{}/{}.json`. SHA-256 of the dataset: `{}`, of its table of experiments: `{}`. What `prepare` \
         did:\n",
        recipe.model, recipe.version, report.dataset_sha256, report.experiments_sha256
    )?;
    report.preparation.iter().try_for_each(|line| writeln!(text, "- {line}"))?;
    Ok(text)
}

fn write_weights(text: &mut String, report: &Report) -> Result<()> {
    writeln!(
        text,
        "## The weights\n\nA site adds its class's first number, and each feature's weight times its distance from the \
         mean in standard deviations; log2 fold change = −{:.3} × the sum.\n",
        report.unit
    )?;
    let names: Vec<&str> = report.standards.iter().map(|(name, _)| name.as_str()).collect();
    writeln!(text, "| class | a site | {} |\n|---|---|{}", names.join(" | "), "---|".repeat(names.len()))?;
    for of in &report.weights {
        write!(text, "| {} | {:.4} |", of.class, of.site)?;
        of.features.iter().try_for_each(|weight| write!(text, " {weight:.4} |"))?;
        writeln!(text)?;
    }
    let standards = report.standards.iter().map(|(_, standard)| standard);
    write!(text, "| *mean; deviation* | |")?;
    for standard in standards {
        write!(text, " {}; {} |", standard.mean, standard.deviation)?;
    }
    Ok(writeln!(text, "\n")?)
}

fn write_metrics(text: &mut String, report: &Report) -> Result<()> {
    let MeasuredOn { genes, experiments, groups, with_classes, base_rate } = report.measured_on;
    writeln!(
        text,
        "## Metrics\n\n{genes} genes, {experiments} over-expression experiments of {groups} seed groups, one group left out \
         after the other: its experiments were seen neither by the fit nor by the centring of the fit's response. Means \
         over experiments (95 % interval, 1,000 bootstraps over seed groups). Spearman with the centred repression of all \
         tested genes is by `repression_score` (canonical sites); AUROC and average precision of the genes that are down, in \
         the {with_classes} experiments where enough are (on average {base_rate:.3} of the genes), are by `rank_score` \
         (offset sites as well). Baselines stand on the same rows.\n",
    )?;
    write_header(text, false)?;
    write_line(text, "**this model**", &report.model.metrics, value)?;
    for baseline in &report.baselines {
        write_line(text, baseline.name.into(), &baseline.metrics, value)?;
    }
    write_line(text, "this model, canonical sites for all three", &report.canonical.metrics, value)?;
    write_line(
        text,
        "these weights on the experiments that they were fitted on",
        &report.on_training,
        value,
    )?;
    writeln!(text, "\nPaired differences to the seed sum:\n")?;
    write_header(text, false)?;
    write_line(text, "this model", &report.model.over_seed_sum, difference)?;
    write_line(
        text,
        "this model, canonical sites for all three",
        &report.canonical.over_seed_sum,
        difference,
    )?;
    Ok(writeln!(text)?)
}

fn write_genes_left_out(text: &mut String, report: &Report) -> Result<()> {
    let of = &report.genes_left_out;
    writeln!(
        text,
        "### Genes left out as well\n\nEach third of the genes by a fit on the others, means over thirds. Average precision of \
         a third is not that of all genes: compare within this table.\n"
    )?;
    write_header(text, false)?;
    write_line(text, "neither genes nor seed group were seen", &of.unseen.metrics, value)?;
    write_line(text, "genes seen, seed group not", &of.seen, value)?;
    write_line(text, "seed sum", &of.seed_sum, value)?;
    write_line(text, "*difference of unseen genes to seen ones*", &of.over_seen, difference)?;
    write_line(text, "*difference to the seed sum*", &of.unseen.over_seed_sum, difference)?;
    Ok(writeln!(text)?)
}

fn write_header(text: &mut String, of_changes: bool) -> Result<()> {
    let metrics = Metric::of(Task::Repression);
    let names: Vec<&str> = metrics.iter().map(Into::into).collect();
    let first = if of_changes { "without" } else { "" };
    Ok(writeln!(text, "| {first} | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()))?)
}

fn write_line(
    text: &mut String,
    name: &str,
    metrics: &[MetricValue],
    show: fn(&Interval) -> String,
) -> Result<()> {
    write!(text, "| {name} |")?;
    metrics.iter().try_for_each(|metric| write!(text, " {} |", show(&metric.value)))?;
    Ok(writeln!(text)?)
}

fn write_change(text: &mut String, change: &Change) -> Result<()> {
    write!(text, "| {} |", change.name)?;
    for (metric, over) in change.metrics.iter().zip(&change.over_model) {
        write!(text, " {:.4}; {} |", metric.value.value, difference(&over.value))?;
    }
    Ok(writeln!(text)?)
}

fn write_experiments(text: &mut String, experiments: &[OfExperiment]) -> Result<()> {
    let names: Vec<String> =
        Metric::of(Task::Repression).iter().map(|name| format!("{name} (seed sum)")).collect();
    writeln!(
        text,
        "| experiment | seed group | genes | down | {} |\n|---|---|---|---|---|---|---|",
        names.join(" | ")
    )?;
    for of in experiments {
        write!(text, "| {} | {} | {} | {} |", of.id, of.group, of.genes, of.down)?;
        for metrics in of.model.iter().zip(&of.seed_sum) {
            match metrics {
                (Some(model), Some(seed_sum)) => write!(text, " {model:.3} ({seed_sum:.3}) |")?,
                _ => write!(text, " – |")?,
            }
        }
        writeln!(text)?;
    }
    Ok(())
}

/// Four digits: what is compared differs in the third.
fn value(Interval { value, low, high }: &Interval) -> String {
    format!("{value:.4} ({})", range(*low, *high, 4))
}

fn difference(Interval { value, low, high }: &Interval) -> String {
    format!("{value:+.4} ({low:+.4} to {high:+.4})")
}

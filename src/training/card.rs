//! Writes `weights/<model>/<version>/`: the weights, what they are, the outputs they must give, every figure, and a
//! card that a person can read.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::audit::Floor;
use super::recipe::{Protocol, Recipe};
use super::report::{Report, SetReport, mean_and_range};
use crate::models::{Golden, Options, Replica, Tensors, WeightsConfig, find, sha256};
use crate::rna::{Base, Rna};
use crate::tasks::target_site::{MIRNA_LENGTHS, Pair, SITE_LENGTHS};

/// A probability from here on is called an interaction; the training rows are half and half.
pub const DECISION_THRESHOLD: f32 = 0.5;

/// What a version is called and how it is chosen.
pub struct Identity<'a> {
    /// Name in `models::MODELS`.
    pub model: &'a str,
    /// Folder under `weights/<model>/`.
    pub version: &'a str,
    /// Answers its task when a request names no model.
    pub default: bool,
    /// Answers when a request names the model only.
    pub default_version: bool,
    /// The model's own switches.
    pub options: &'a Options,
}

/// Writes a trained version's whole folder.
pub fn write(root: &Path, recipe: &Recipe, replica: &Replica, report: &Report) -> Result<()> {
    let identity = Identity {
        model: &recipe.model,
        version: &recipe.version,
        default: recipe.default,
        default_version: recipe.default_version,
        options: &recipe.options,
    };
    let folder = root.join(&recipe.model).join(&recipe.version);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    write_json(&folder.join("recipe.json"), recipe)?;
    write_folder(root, &identity, replica, report, &card(recipe, report)?)
}

/// Writes the files that are served, `config.json` last: without it a folder is not found.
pub fn write_folder(
    root: &Path,
    identity: &Identity<'_>,
    replica: &Replica,
    metrics: &impl Serialize,
    card: &str,
) -> Result<()> {
    let folder = root.join(identity.model).join(identity.version);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let weights = folder.join("model.safetensors");
    Tensors::of(&replica.store).write(&weights)?;
    write_json(&folder.join("golden.json"), &Golden::record(replica, &golden_pairs()))?;
    write_json(&folder.join("metrics.json"), metrics)?;
    fs::write(folder.join("CARD.md"), card)?;
    let config = WeightsConfig {
        model: identity.model.to_owned(),
        version: identity.version.to_owned(),
        default: identity.default,
        default_version: identity.default_version,
        decision_threshold: DECISION_THRESHOLD,
        options: identity.options.clone(),
        sha256: sha256(&weights)?,
    };
    write_json(&folder.join("config.json"), &config)?;
    println!("wrote {}", folder.display());
    Ok(())
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    fs::write(path, serde_json::to_string_pretty(value)? + "\n").with_context(|| path.display().to_string())
}

/// A dozen pairs of our own over all lengths: random letters, every third site a complement, some N.
fn golden_pairs() -> Vec<Pair> {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let letters = [Base::A, Base::C, Base::G, Base::U];
    let mut random =
        |length: usize| -> Rna { (0..length).map(|_| letters[rng.random_range(0..4)]).collect() };
    let spread = |step: usize, range: &std::ops::RangeInclusive<usize>| {
        range.start() + step * (range.end() - range.start()) / 11
    };
    (0..12)
        .map(|step| {
            let mirna = random(spread(step, &MIRNA_LENGTHS));
            let flank = random(spread(step, &SITE_LENGTHS));
            let mut site: Vec<Base> = match step % 3 {
                0 => mirna.reverse_complement().iter().chain(flank.iter()).copied().collect(),
                _ => flank.to_vec(),
            };
            site.truncate(*SITE_LENGTHS.end());
            if step % 4 == 0 {
                site[2] = Base::N;
            }
            Pair { mirna, site: site.into_iter().collect() }
        })
        .collect()
}

fn card(recipe: &Recipe, report: &Report) -> Result<String> {
    let mut text = String::new();
    let name = format!("{}@{}", recipe.model, recipe.version);
    let description = find(&recipe.model).map_or("", |model| model.description);
    writeln!(text, "# {name}\n\n{description}\n")?;
    writeln!(text, "{}\n", protocol(recipe.protocol))?;
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
    writeln!(text, "## All seeds\n\nAverage precision / AUROC.\n")?;
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

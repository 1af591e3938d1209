//! Our own network: what it reaches where short cuts are gone, what made it so, and what bounds it.

use anyhow::{Context, Result};

use super::page::Page;
use super::runs::Finished;
use super::{Runs, floors, header, network};
use crate::data::sources::published_scores;
use crate::data::target_sites::prepare::{HEJRET_TEST, KLIMENTOVA_TEST};
use crate::learn::calibration::{calibration_error, calibration_error_by_chance};
use crate::results::predictions::Predictions;
use crate::results::report::mean_and_range;
use crate::stats::interval::{Interval, bootstrap};
use crate::stats::ranking::{auroc, average_precision};

const TESTS: [&str; 2] = [HEJRET_TEST, KLIMENTOVA_TEST];
const LEFT_OUT: &str = "left_out_families";
const ALIGNER: &str = "aligner, no training";
/// Versions and what is different in them. The first two are what others start from.
const TRIALS: [(&str, &str); 5] = [
    ("aligner", "the trained aligner alone, .3 of the predicted sites in each epoch"),
    ("aligner_reads", "the same, chimeric reads only"),
    ("reads", "as shipped, chimeric reads only"),
    ("predicted_all", "as shipped, all predicted sites"),
    ("small", "as shipped, 32 units, dropout .2"),
];
/// The same on an experiment that none of it was trained on.
const UNSEEN: [(&str, &str); 5] = [
    ("unseen_aligner_reads", "the aligner alone, chimeric reads only"),
    ("unseen_aligner", "the aligner alone, with predicted sites"),
    ("unseen_reads", "as shipped, chimeric reads only"),
    ("unseen", "as shipped"),
    ("unseen_panel", "with 32 competitors"),
];
const SHARES: [(&str, &str); 6] = [
    ("aligner_03", "3 %, the aligner alone"),
    ("share_03", "3 %"),
    ("aligner_12", "12 %, the aligner alone"),
    ("share_12", "12 %"),
    ("aligner_50", "50 %, the aligner alone"),
    ("share_50", "50 %"),
];

const WHAT: &str = "A trained aligner (968 weights: a pair by its position in the miRNA and its letters, gaps, starts and \
             ends by position, a pair right behind another by the two kinds of pairs) weighs all local alignments at \
             once (forward algorithm); its score is the logarithm of their sum, and its posterior tells which letters \
             pair. Two dense layers of 128 units correct the score by 147 numbers of that duplex: for each position \
             of the miRNA how probably it faces three bonds, two, a wobble or no partner; Turner 2004 stacking \
             energies of seed, centre and 3' end; gaps, letters, lengths, A and U beside the duplex, the seed match. \
             No number of it is the site's place in its window, and none comes from the request's other rows.";

const NEVER_SEEN: &str = "Validation above is of the experiments that training saw. Here Hejret 2023 and its isomiRs are not \
             trained on and are the validation: what a laboratory has to expect of its own reads. Predicted sites \
             (miRAW, DeepMirTar) cost a little on the experiments that were seen and help on this one; that, not a \
             test, is why some of them are trained on.";

const FAMILIES: &str = "Chimeric reads of left-out families against validation rows of seen families (their sites are unseen \
             too). The untrained aligner on the same rows tells how much of the difference is the rows'.";

const CALIBRATION: &str = "Slope and offset of the logit were fitted on validation rows, at a prevalence of one half; the decision \
             threshold is one half, where at that prevalence both errors cost the same. At another prevalence π \
             multiply the odds by π / (1 − π). Expected calibration error: ten bins of equal width, classes weighing \
             one half each. A few hundred rows never show zero: the last column is what as many rows show of \
             probabilities that are right. Slope and offset of `unseen` were tried in their place (what a network is \
             worth on reads that it never saw): .067 on Hejret's test, .084 on Klimentova's, .082 on validation.";

const COMPETITORS: &str = "The version `panel` reads besides how the score stands to those of 32 frequent miRNAs of other families on \
             the same site: which miRNA would this site prefer? It helps wherever a negative's true partner is among the \
             32, and not on left-out families, where it is not; 32 reversed miRNAs, which only ask how sticky a site is, \
             help nowhere. So the gain is in how negatives are made, or in a competition that these data cannot tell \
             from it. It is for the question which miRNA a bound site belongs to, and not the default.";

const SHARE: &str = "Aligner and network trained on a share of the sites, always the same ones.";

const NOISE: &str = "Of positives that a network cannot tell from permuted pairs, as many lie below any quantile of the negatives \
             as the quantile says: the share of positives below it, divided by it, is then the same at every quantile \
             and is the share of such positives. Chimeric reads also join RNAs that met without binding. If that \
             share of the positives cannot be told from negatives by anyone, the AUROC cannot pass 1 − share / 2.";

pub fn report(runs: &mut Runs) -> Result<()> {
    let mut page = Page::new(&runs.reports, "pairmap", "pairmap, mirador's own target-site model")?;
    page.paragraph(WHAT);
    let trials = versions(runs, &TRIALS)?;
    let panel = runs.get("pairmap", "panel")?;
    let Some(shipped) = runs.get("pairmap", "balanced")? else { return page.write(&runs.missing) };
    page.heading("Where short cuts are gone");
    for test in TESTS {
        let Some(set) = shipped.set(test) else { continue };
        page.paragraph(&format!("**{test}** ({} rows). Mean and range of three seeds.", set.model.rows));
        let mut rows = vec![network("**pairmap@balanced**", &shipped, set)];
        let shown = set.model.figures.iter().map(|figure| figure.value.to_string());
        rows.push(["its shipped seed, 95 % interval".to_owned()].into_iter().chain(shown).collect());
        rows.extend(floors(set));
        rows.extend(set.published.iter().map(|tool| {
            let measured = tool.measured.as_ref();
            let area =
                measured.and_then(|figures| figures.first()).map_or("–".into(), |f| f.value.to_string());
            let precision = measured.and_then(|figures| figures.get(1));
            let printed = format!("{:.3}", tool.average_precision);
            vec![tool.tool.clone(), area, precision.map_or(printed, |f| f.value.to_string())]
        }));
        page.table(&header(&shipped, ""), &rows);
    }
    paired(&mut page, runs, &shipped)?;
    families(&mut page, &shipped);
    page.heading("Competitors");
    page.paragraph(COMPETITORS);
    if let Some(panel) = &panel {
        competitors(&mut page, &[("balanced", &shipped), ("panel", panel)]);
    }
    lengths(&mut page, &shipped);
    calibration(&mut page, &shipped)?;
    page.heading("What was tried");
    page.paragraph(include_str!("pairmap/tried.md").trim());
    page.table(&["version", "validation", "left-out families", "parameters", ""], &trials);
    page.training_curves("training", "pairmap@balanced: training", &shipped)?;
    let unseen = versions(runs, &UNSEEN)?;
    page.heading("An experiment that it never saw");
    page.paragraph(NEVER_SEEN);
    page.table(&["version", "Hejret's reads", "left-out families", "parameters", ""], &unseen);
    let mut shares = versions(runs, &SHARES)?;
    shares.push(line("balanced", "100 %", &shipped));
    page.heading("What bounds it");
    page.table(&["version", "validation", "left-out families", "parameters", "training rows"], &shares);
    page.paragraph(SHARE);
    page.table(&["positives below a quantile of the negatives, over it", ".3", ".5", ".6"], &noise(&shipped));
    page.paragraph(NOISE);
    page.write(&runs.missing)
}

fn versions(runs: &mut Runs, versions: &[(&str, &str)]) -> Result<Vec<Vec<String>>> {
    let mut rows = Vec::new();
    for (version, what) in versions {
        rows.extend(runs.get("pairmap", version)?.map(|finished| line(version, what, &finished)));
    }
    Ok(rows)
}

/// For each set the share of positives below some quantiles of the negatives, divided by them.
fn noise(shipped: &Finished) -> Vec<Vec<String>> {
    let of = |name: &str| {
        let set = shipped.scores(name)?;
        let scores = |label: bool| -> Vec<f64> {
            let rows = set.labels().into_iter().zip(set.network());
            rows.filter(|(of, _)| *of == label).map(|(_, &score)| score).collect()
        };
        let (positives, mut negatives) = (scores(true), scores(false));
        negatives.sort_by(f64::total_cmp);
        let share = |quantile: f64| {
            let bound = negatives.get((quantile * negatives.len() as f64) as usize)?;
            let below = positives.iter().filter(|&score| score < bound).count();
            Some(format!("{:.2}", below as f64 / positives.len() as f64 / quantile))
        };
        let shares: Option<Vec<String>> = [0.3, 0.5, 0.6].map(share).into_iter().collect();
        Some([name.to_owned()].into_iter().chain(shares?).collect())
    };
    ["validation", LEFT_OUT, HEJRET_TEST, KLIMENTOVA_TEST].into_iter().filter_map(of).collect()
}

/// Average precision on validation, the mean over its strata, and on left-out families.
fn line(version: &str, what: &str, finished: &Finished) -> Vec<String> {
    let best = finished.report.seeds.iter().filter_map(|run| Some(run.best_epoch()?.score));
    let left_out = finished.by_run(LEFT_OUT, 1);
    let parameters = finished.report.parameters.to_string();
    let figures = [mean_and_range(best), mean_and_range(left_out.into_iter()), parameters];
    [format!("`{version}`")].into_iter().chain(figures).chain([what.to_owned()]).collect()
}

/// What the network has more than others on the same rows.
fn paired(page: &mut Page, runs: &Runs, shipped: &Finished) -> Result<()> {
    let mut rows = Vec::new();
    for test in TESTS {
        let Some(set) = shipped.scores(test) else { continue };
        let aligner = set.floor(ALIGNER).map(|scores| (ALIGNER.to_owned(), scores.to_vec()));
        let tools = match test == KLIMENTOVA_TEST && runs.data.is_dir() {
            true => published_scores(&runs.data)?,
            false => Vec::new(),
        };
        let tools = tools.into_iter().map(|(tool, scores)| (tool.to_owned(), scores));
        for (name, scores) in aligner.into_iter().chain(tools) {
            let more = more(set, &scores);
            let cells = more
                .iter()
                .map(|Interval { value, low, high }| format!("{value:+.3} ({low:+.3} to {high:+.3})"));
            rows.push([test.to_owned(), name].into_iter().chain(cells).collect());
        }
    }
    page.paragraph(
        "Paired: what the shipped seed has more on the same rows, with 95 % intervals (1,000 bootstraps over site \
         clusters). Row scores of the published tools are public for Klimentova 2022 only.",
    );
    page.table(&["test", "than", "AUROC", "average precision"], &rows);
    Ok(())
}

fn more(set: &Predictions, scores: &[f64]) -> Vec<Interval> {
    let (labels, own) = (set.labels(), set.network());
    bootstrap(&set.groups, |rows| {
        let labels: Vec<bool> = rows.iter().map(|&row| labels[row]).collect();
        let of = |scores: &[f64]| -> Vec<f64> { rows.iter().map(|&row| scores[row]).collect() };
        let (own, other) = (of(own), of(scores));
        vec![
            auroc(&labels, &own) - auroc(&labels, &other),
            average_precision(&labels, &own) - average_precision(&labels, &other),
        ]
    })
}

fn families(page: &mut Page, shipped: &Finished) {
    page.heading("miRNA families that training never saw");
    page.paragraph(FAMILIES);
    let rows = ["validation", LEFT_OUT].iter().filter_map(|name| {
        let set = shipped.set(name)?;
        let aligner = set.floors.iter().find(|floor| floor.probe == ALIGNER)?;
        let figures = [&set.model.figures, &aligner.figures].map(|figures| figures[1].value.to_string());
        Some([(*name).to_owned(), set.model.rows.to_string()].into_iter().chain(figures).collect())
    });
    page.table(&["average precision", "rows", "pairmap", ALIGNER], &rows.collect::<Vec<_>>());
}

/// With and without, on every set of whole sites.
fn competitors(page: &mut Page, versions: &[(&str, &Finished)]) {
    let rows = [LEFT_OUT, HEJRET_TEST, KLIMENTOVA_TEST].into_iter().flat_map(|name| {
        versions.iter().filter_map(move |(version, finished)| {
            Some(network(&format!("{name}: `{version}`"), finished, finished.set(name)?))
        })
    });
    page.table(&header(versions[0].1, ""), &rows.collect::<Vec<_>>());
}

fn lengths(page: &mut Page, shipped: &Finished) {
    page.heading("Short sites");
    page.paragraph(
        "Each row's site cut round the duplex that the untrained aligner finds; no label is used. Mean and range of \
         three seeds.",
    );
    let rows = TESTS.iter().flat_map(|test| {
        let sets = shipped.report.sets.iter().filter(move |set| set.name.starts_with(*test));
        sets.map(|set| network(&set.name, shipped, set))
    });
    page.table(&header(shipped, ""), &rows.collect::<Vec<_>>());
}

fn calibration(page: &mut Page, shipped: &Finished) -> Result<()> {
    page.heading("What a probability means");
    page.paragraph(CALIBRATION);
    let mut rows = Vec::new();
    for name in ["validation", LEFT_OUT, HEJRET_TEST, KLIMENTOVA_TEST] {
        let scores = shipped.scores(name).with_context(|| format!("{name}: no row scores; train again"))?;
        let error = calibration_error(&scores.labels(), scores.network());
        let chance = calibration_error_by_chance(scores.network());
        rows.push(vec![
            name.to_owned(),
            scores.targets.len().to_string(),
            format!("{error:.3}"),
            format!("{chance:.3}"),
        ]);
        page.reliability(&format!("{name}-reliability"), &format!("{name}: reliability"), scores)?;
    }
    page.table(&["set", "rows", "expected calibration error", "of perfect probabilities"], &rows);
    Ok(())
}

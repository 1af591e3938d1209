//! A split's rows: what each epoch trains on, what chooses the epoch, what measures the result.

use std::collections::HashSet;
use std::ops::RangeInclusive;

use anyhow::{Result, ensure};
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::augment::CUT;
use super::families::{Apart, apart};
use super::negatives::{pairs, permute};
use super::{augment, baselines, teacher};
use crate::data::target_sites::dataset::{Example, Split};
use crate::experiment::{Experiment, FittedBaseline, Fold, Labelled, Row};
use crate::recipe::{SiteSplit, Stage, TargetSites};

/// Seed of the validation permutation and of the paper's random split: one for every seed of the network, so that runs compare.
const SEED: u64 = 7;

/// The rows of one split.
pub struct Examples {
    split: SiteSplit,
    /// Share of the site clusters whose rows take part.
    part: Option<f64>,
    /// Positives of the bias-free protocol, both labels of the paper's.
    train: Vec<Example>,
    /// miRNAs of the positives among them, with repeats: a frequent miRNA is drawn as often as it binds.
    mirnas: Vec<Rna>,
    sites: Vec<Rna>,
    /// The only one.
    fold: Fold,
}

impl Examples {
    /// Sorts a dataset's rows.
    pub fn new(rows: Vec<Example>, data: &TargetSites) -> Result<Self> {
        let split = data.split;
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let part = data.part;
        // The first cluster of a set may be its largest by far; it is in no small part.
        let takes_part = |row: &Example| part.is_none_or(|part| share_of(row.cluster + 1) < part);
        let (mut published, rows): (Vec<Example>, Vec<Example>) =
            rows.into_iter().filter(takes_part).partition(|row| row.split == Split::Test);
        let (train, mut validation, mut tests) = match split {
            SiteSplit::BiasFree | SiteSplit::BiasFreeLengths => {
                let of = |split| rows.iter().filter(move |row| row.label && row.split == split);
                let measured = |split| of(split).filter(|row| !row.is_predicted()).cloned().collect();
                let left_out = with_permuted(measured(Split::LeftOut), &mut rng)?;
                let is_unseen = |row: &Example| data.unseen_sources.contains(&row.source);
                let mut train: Vec<Example> = of(Split::Train).cloned().collect();
                let mut validation: Vec<Example> = measured(Split::Validation);
                if !data.unseen_sources.is_empty() {
                    validation.extend(train.extract_if(.., |row| is_unseen(row)));
                    validation.retain(is_unseen);
                    let held: HashSet<usize> = validation.iter().map(|row| row.cluster).collect();
                    train.retain(|row| !held.contains(&row.cluster));
                }
                let validation = with_permuted(validation, &mut rng)?;
                (train, validation, vec![("left_out_families".to_owned(), left_out)])
            }
            SiteSplit::Paper | SiteSplit::PaperTranscripts | SiteSplit::RandomFifths => {
                let mut rows = rows;
                rows.shuffle(&mut rng);
                if let Some(share) = data.negatives {
                    keep_negatives(&mut rows, share);
                    // The negatives that are kept stood first.
                    rows.shuffle(&mut rng);
                }
                let test = rows.split_off(rows.len() * 4 / 5);
                let parts = if split == SiteSplit::RandomFifths { 5 } else { 10 };
                let kept = rows.len() * (parts - 1) / parts;
                let validation = rows.split_off(kept);
                (rows, validation, vec![("random_fifth".to_owned(), test)])
            }
            SiteSplit::Published => {
                let of = |split| rows.iter().filter(move |row| row.split == split).cloned().collect();
                (of(Split::Train), of(Split::Validation), Vec::new())
            }
            SiteSplit::PublishedFamilies => {
                let Apart { train, validation, tests } =
                    apart(rows, std::mem::take(&mut published), &mut rng);
                (train, validation, tests)
            }
        };
        for row in published {
            match tests.iter_mut().find(|(name, _)| *name == row.source) {
                Some((_, rows)) => rows.push(row),
                None => tests.push((row.source.clone(), vec![row])),
            }
        }
        if split == SiteSplit::BiasFreeLengths {
            let cuts = cut(&validation, CUT, &mut rng).into_iter();
            validation.extend(cuts.map(|row| Example { source: format!("{}, cut", row.source), ..row }));
            for (name, rows) in tests.clone() {
                for lengths in [CUT, 20..=20, 25..=25, 34..=34] {
                    let name = format!("{name}, {}", name_of(&lengths));
                    tests.push((name, cut(&rows, lengths, &mut rng)));
                }
            }
        }
        ensure!(
            !train.is_empty() && !validation.is_empty(),
            "the dataset has no training or no validation rows"
        );
        let of = |part: fn(&Pair) -> &Rna| {
            train.iter().filter(|row| row.label).map(|row| part(&row.pair).clone()).collect()
        };
        let (mirnas, sites) = (of(|pair| &pair.mirna), of(|pair| &pair.site));
        let fold = Fold {
            train: to_rows(with_negatives(&train, split, &mut ChaCha8Rng::seed_from_u64(0))?),
            validation: to_rows(validation),
            tests: tests.into_iter().map(|(name, rows)| (name, to_rows(rows))).collect(),
        };
        Ok(Self { split, part, train, mirnas, sites, fold })
    }
}

/// Keeps as many negatives as this share of the positives; the rows stand in an order drawn by lot.
fn keep_negatives(rows: &mut Vec<Example>, share: f64) {
    let positives = rows.iter().filter(|row| row.label).count();
    let mut left = (positives as f64 * share).round() as usize;
    rows.retain(|row| {
        let kept = row.label || left > 0;
        left -= usize::from(kept && !row.label);
        kept
    });
}

/// The rows with their sites cut round the duplex to random lengths.
fn cut(rows: &[Example], lengths: RangeInclusive<usize>, rng: &mut ChaCha8Rng) -> Vec<Example> {
    let cut = |row: &Example| {
        let pair = augment::cut(&row.pair, rng.random_range(lengths.clone()), 0.5);
        Example { pair, ..row.clone() }
    };
    rows.iter().map(cut).collect()
}

/// A number in [0, 1) that is always the same for a cluster: by the golden ratio, which spreads them evenly.
fn share_of(cluster: usize) -> f64 {
    (cluster as f64 * 0.618_033_988_749_895).fract()
}

fn name_of(lengths: &RangeInclusive<usize>) -> String {
    match (lengths.start(), lengths.end()) {
        (first, last) if first == last => format!("cut to {first} nt"),
        (first, last) => format!("cut to {first} to {last} nt"),
    }
}

/// Training rows of both labels.
fn with_negatives(train: &[Example], split: SiteSplit, rng: &mut ChaCha8Rng) -> Result<Vec<Example>> {
    match split {
        SiteSplit::BiasFree | SiteSplit::BiasFreeLengths => with_permuted(train.to_vec(), rng),
        _ => Ok(train.to_vec()),
    }
}

fn to_rows(examples: Vec<Example>) -> Vec<Row> {
    examples.into_iter().map(Row::from).collect()
}

impl From<Example> for Row {
    fn from(example: Example) -> Self {
        Self {
            id: format!("{} {}", example.pair.mirna, example.pair.site),
            target: f32::from(u8::from(example.label)),
            group: example.cluster,
            stratum: example.stratum().to_owned(),
            input: example.pair.into(),
        }
    }
}

impl Experiment for Examples {
    fn folds(&self) -> &[Fold] {
        std::slice::from_ref(&self.fold)
    }

    fn draw(&self, _: usize, stage: &Stage, rng: &mut ChaCha8Rng) -> Result<Vec<Labelled>> {
        let (rows, mut drawn) = (stage.rows.unwrap_or_default(), Vec::new());
        if rows.examples {
            let only = rows.only.unwrap_or(1.0);
            let mut chance = |share: f64| rng.random_bool(share);
            let mixed = self.split == SiteSplit::BiasFreeLengths;
            let takes_part = |row: &&Example| {
                (!mixed || !row.is_predicted() || chance(rows.predicted)) && share_of(row.cluster) < only
            };
            let train: Vec<Example> = self.train.iter().filter(takes_part).cloned().collect();
            for row in with_negatives(&train, self.split, rng)? {
                let pair = augment::augment(row.pair, &self.sites, rows, rng);
                let measured = f32::from(u8::from(row.label));
                let label = match rows.teacher {
                    0.0 => measured,
                    share => measured + share * (teacher::opinion(&pair) - measured),
                };
                drawn.push((pair.into(), label));
            }
        }
        drawn.extend((0..rows.synthetic).map(|_| {
            let (pair, opinion) = teacher::draw(&self.mirnas, &self.sites, rng);
            (pair.into(), opinion)
        }));
        Ok(drawn)
    }

    fn baselines<'a>(&'a self, train: &'a [Row]) -> Vec<FittedBaseline<'a>> {
        baselines::baselines(train)
    }

    fn description(&self) -> String {
        let mut text = description(self.split).to_owned();
        if let Some(part) = self.part {
            text += &format!(
                " A fixed part of the rows, {part} of the site clusters, stands for all of them, in tests too."
            );
        }
        text
    }
}

/// Positives that keep their place in the permutation, and as many permuted negatives. A negative belongs to its
/// site's cluster.
pub fn with_permuted(positives: Vec<Example>, rng: &mut ChaCha8Rng) -> Result<Vec<Example>> {
    let references: Vec<&Example> = positives.iter().collect();
    let permutation = permute(&references, rng)?;
    let mut rows = Vec::with_capacity(2 * permutation.len());
    for (&(row, partner), pair) in permutation.iter().zip(pairs(&references, &permutation)) {
        rows.push(positives[row].clone());
        rows.push(Example { pair, label: false, ..positives[partner].clone() });
    }
    Ok(rows)
}

/// The card's paragraph on the data.
fn description(split: SiteSplit) -> &'static str {
    match split {
        SiteSplit::BiasFreeLengths => {
            "**Data.** Chimeric reads of AGO2: CLASH (Helwak 2013), Hejret 2023 and its isomiRs as read; and, where the \
             recipe says so, a share of predicted sites (miRAW, DeepMirTar). Sites that share 25 nt with a site of a \
             published test are out. Split by site cluster (shared 25-mers) and miRNA family (positions 2–8). \
             Negatives: sites permuted among the positives of a source, anew each epoch, never a site whose cluster \
             binds the same family; some of them may bind in truth. Validation: chimeric reads, the mean over their \
             sources, each as read and cut to 20 to 50 nt round the duplex that the untrained aligner finds."
        }
        SiteSplit::BiasFree => {
            "**Data.** Chimeric reads of AGO2: CLASH (Helwak 2013), Hejret 2023 and its isomiRs as read. Sites that \
             share 25 nt with a site of a published test are out. Split by site cluster (shared 25-mers) and miRNA \
             family (positions 2–8). Negatives: sites permuted among the positives of a source, anew each epoch, \
             never a site whose cluster binds the same family; some of them may bind in truth. Every miRNA and every \
             site is as often positive as negative, so neither alone tells the label."
        }
        SiteSplit::Paper => {
            "**Data.** The paper's protocol on the nearest public data (its own tables are not public): positives \
             are chimeric reads (CLASH 2013, Hejret 2023, isomiRs as read) with 50-nt sites as published, not reads \
             extended by 25 nt at the 3' end; an isomiR's ten reads cannot be checked. A negative is the same miRNA \
             with a window of a random human 3'UTR (RefSeq, as in MirMark), not of the same transcript, whose \
             coordinates are not public; the paper's rule on folding energy (\"< 10 kcal/mol\") excludes nothing as \
             printed and is left out. Random split of pairs, 80 : 20; a tenth of the 80 chooses the epoch, by average \
             precision. **This split and these negatives flatter a network:** a site in a coding exon and a window of \
             a 3'UTR can be told apart without looking at the miRNA (see the site-only baselines). The metrics on the \
             two bias-corrected tests show what is left."
        }
        SiteSplit::PaperTranscripts => {
            "**Data.** The paper's protocol where the transcript is known: positives are chimeric reads (CLASH 2013, Hejret \
             2023, isomiRs as read) whose 50-nt site lies in a 3'UTR at hand, letter by letter. A negative is the same miRNA \
             with a window of that same 3'UTR, 10 nt or more from every site that was read there, whose duplex with the miRNA \
             has a free energy below −10 kcal/mol: the paper prints \"< 10 kcal/mol\", which excludes nothing. Random split \
             of pairs, 80 : 20; a tenth of the 80 chooses the epoch, by average precision. Positives and negatives are of \
             the same transcripts, so that a site's composition gives away less than beside windows of any transcript."
        }
        SiteSplit::RandomFifths => {
            "**Data.** The paper's own rows (see what `prepare` did), split at random into 64 % training, 16 % \
             validation and 20 % test. Its negatives give themselves away: see the baselines that read one sequence only."
        }
        SiteSplit::Published => {
            "**Data.** Rows and split as published (see what `prepare` did). Its negatives give themselves away: see \
             the baselines that read one sequence only."
        }
        SiteSplit::PublishedFamilies => {
            "**Data.** The published split with miRNA families (positions 2–8) held out of its training rows: a fifth of \
             the rows belongs to families that measure, a tenth to families that choose the epoch, none of them to a \
             family of 3 % of the rows or more. Training rows that share a site cluster with a row that chooses, or with \
             a test row of an unseen family, are out. The published test is told apart by whether training saw the family."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_always_the_same() {
        let example = |cluster: usize, split: Split| Example {
            source: if split == Split::Test { "test" } else { "set" }.to_owned(),
            split,
            cluster,
            pair: Pair {
                mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(),
                site: "ACGUACGU".parse().unwrap(),
            },
            label: cluster.is_multiple_of(2),
        };
        let rows = || {
            [(Split::Train, 300), (Split::Validation, 100), (Split::Test, 50)]
                .into_iter()
                .flat_map(|(split, count)| (0..count).map(move |cluster| example(cluster, split)))
                .collect::<Vec<Example>>()
        };
        let sizes = |part: Option<f64>| {
            let (dataset, unseen_sources) = (String::new(), Vec::new());
            let (split, negatives) = (SiteSplit::Published, None);
            let data = TargetSites { dataset, split, unseen_sources, negatives, part };
            let Fold { train, validation, tests } = Examples::new(rows(), &data).unwrap().fold;
            (train.len(), validation.len(), tests[0].1.len())
        };
        assert_eq!(sizes(None), (300, 100, 50));
        let (train, validation, test) = sizes(Some(0.2));
        assert!((55..=65).contains(&train) && (17..=23).contains(&validation) && (8..=12).contains(&test));
        assert_eq!(sizes(Some(0.2)), (train, validation, test));
    }

    #[test]
    fn fewer_negatives_are_spread_over_all_parts() {
        let row = |index: usize| {
            let site: String =
                (0..20).map(|at| ["A", "C", "G", "U"][index / 4_usize.pow(at % 5) % 4]).collect();
            let pair = Pair { mirna: "UGAGGUAGUAGGUUGUAUAGUU".parse().unwrap(), site: site.parse().unwrap() };
            let (source, label) = ("s".to_owned(), index.is_multiple_of(2));
            Example { source, split: Split::Train, cluster: index, pair, label }
        };
        let data: TargetSites =
            serde_json::from_str(r#"{"dataset": "d", "split": "paper_transcripts", "negatives": 0.5}"#)
                .unwrap();
        let examples = Examples::new((0..1000).map(row).collect(), &data).unwrap();
        let fold = &examples.folds()[0];
        let test = &fold.tests[0].1;
        let counted = |rows: &[Row]| (rows.len(), rows.iter().filter(|row| !row.label()).count());
        assert_eq!(counted(test).0 + counted(&fold.train).0 + counted(&fold.validation).0, 750);
        assert!((35..=65).contains(&counted(test).1), "{:?}", counted(test));
    }
}

//! Pairs for a teacher to label: measured pairs and their permutations, and windows of 3'UTRs, where no experiment says
//! what binds. Whatever touches a validation row or a test stays out, and so do the miRNA families that training never
//! sees: the teacher has seen them, and its student is measured on them.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Result;
use mirador_models::sha256;
use mirador_models::tasks::target_site::Pair;
use mirna::{Base, Rna};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dataset::{self, Example, Split, seed};
use super::prepare::all_target_sites;
use super::random::random_letters;
use super::split::SharedKmers;
use crate::data::files::{beside, log};
use crate::data::sources::{Functional, Tally, human_mature};
use crate::data::tsv::{self, parse_pair};

/// Fixed, so that everybody gets the same file.
const SEED: u64 = 1;
/// Letters of a window, and of a shorter site once random letters stand on either side.
const WINDOW: usize = 50;
/// Permutations of the measured pairs, and windows of 3'UTRs.
const PERMUTATIONS: usize = 4;
const WINDOWS: usize = 360_000;
/// Share of windows round a match of positions 2 to 7, and of miRNAs drawn as often as training binds them; the others
/// are drawn from all human ones.
const SEEDED: f64 = 0.6;
const FREQUENT: f64 = 0.5;

/// Writes `out` from the public files below `data`; the splits are those of `all_target_sites`, which is made beside it.
pub fn teaching_pairs(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let measured = beside(out, "all-target-sites");
    if !measured.is_file() {
        log(&measured, &all_target_sites(data, &measured)?)?;
    }
    let (train, held): (Vec<Example>, Vec<Example>) =
        dataset::read(&measured)?.into_iter().partition(|row| row.split == Split::Train);
    let held_sites = SharedKmers::new(held.iter().map(|row| &row.pair.site));
    let left_out: HashSet<&[Base]> =
        held.iter().filter(|row| row.split == Split::LeftOut).map(Example::family).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut pairs: Vec<Pair> = train.iter().map(|row| filled(&row.pair, &mut rng)).collect();
    tally.count(pairs.len(), "positives of the training rows");
    let mut partners: Vec<usize> = (0..train.len()).collect();
    for _ in 0..PERMUTATIONS {
        partners.shuffle(&mut rng);
        for (row, &partner) in train.iter().zip(&partners) {
            let permuted = Pair { mirna: row.pair.mirna.clone(), site: train[partner].pair.site.clone() };
            pairs.push(filled(&permuted, &mut rng));
        }
    }
    tally.count(PERMUTATIONS * train.len(), "permutations of them");
    let human: Vec<Rna> =
        human_mature(data)?.into_iter().filter(|mirna| !left_out.contains(seed(mirna))).collect();
    let utrs = Functional::utrs(data)?;
    let mut touching = 0;
    for _ in 0..WINDOWS {
        let mirna = match rng.random_bool(FREQUENT) {
            true => train.choose(&mut rng).map(|row| &row.pair.mirna),
            false => human.choose(&mut rng),
        };
        let Some(mirna) = mirna else { continue };
        let seeded = rng.random_bool(SEEDED);
        let site = loop {
            let Some(window) = window(mirna, seeded, &utrs, &mut rng) else { continue };
            match held_sites.touch(&window) {
                true => touching += 1,
                false => break window,
            }
        };
        pairs.push(Pair { mirna: mirna.clone(), site });
    }
    tally.count(WINDOWS, "windows of 3'UTRs");
    tally.count(touching, "windows touch a site of a validation row or a test: drawn again");
    pairs.shuffle(&mut rng);
    let mut writer = csv::WriterBuilder::new().delimiter(b'\t').from_path(out)?;
    writer.write_record(["mirna", "site"])?;
    for pair in &pairs {
        writer.serialize((pair.mirna.to_string(), pair.site.to_string()))?;
    }
    writer.flush()?;
    drop(writer);
    tally.0.push(format!("{} pairs in {}, SHA-256 {}", pairs.len(), out.display(), sha256(out)?));
    Ok(tally.0)
}

/// Pairs of a file that [`teaching_pairs`] wrote.
pub fn read(path: &Path) -> Result<Vec<Pair>> {
    tsv::read(path, |(mirna, site): (String, String)| parse_pair(&mirna, &site))
}

/// The pair with random letters on either side of a short site: a network of fixed windows then sees no border.
fn filled(pair: &Pair, rng: &mut ChaCha8Rng) -> Pair {
    let missing = WINDOW.saturating_sub(pair.site.len());
    let before = rng.random_range(0..=missing);
    let site =
        [random_letters(before, rng), pair.site.to_vec(), random_letters(missing - before, rng)].concat();
    Pair { mirna: pair.mirna.clone(), site: site.into_iter().collect() }
}

/// A window of a random 3'UTR, round a match of the miRNA's positions 2 to 7 if that is asked; none where this 3'UTR has
/// none, or masked letters.
fn window(mirna: &Rna, seeded: bool, utrs: &[Rna], rng: &mut ChaCha8Rng) -> Option<Rna> {
    let utr = utrs.choose(rng).filter(|utr| utr.len() >= WINDOW)?;
    let last = utr.len() - WINDOW;
    let start = match seeded {
        true => {
            let wanted: Vec<Base> = mirna[1..7].iter().rev().map(|base| base.complement()).collect();
            let found: Vec<usize> = utr
                .windows(wanted.len())
                .enumerate()
                .filter(|(_, letters)| *letters == wanted)
                .map(|(at, _)| at)
                .collect();
            let at = *found.choose(rng)?;
            at.saturating_sub(rng.random_range(0..=WINDOW - wanted.len())).min(last)
        }
        false => rng.random_range(0..=last),
    };
    let letters = &utr[start..start + WINDOW];
    (!letters.contains(&Base::N)).then(|| Rna::from(letters))
}

//! The papers' own data sets, with their splits or for a random one, and the two bias-corrected tests beside them:
//! what a version `paper` is trained and measured on.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Result;
use mirador_models::tasks::target_site::Pair;
use mirna::Rna;

use super::dataset::{Example, Split};
use super::prepare::{fair_tests, finish};
use super::split::clusters;
use crate::data::sources::{Labelled, MIRAW_GENE, MitarFile, Tally, deepmirnatar, mitar, without_genes};

/// Name of the 48 PAR-CLIP pairs, positives only, in the datasets.
pub const PARCLIP: &str = "parclip48";

/// DeepmiRNATar's train, validation and test files; `raw_orientation` keeps its mixture of directions.
pub fn prepare_deepmirnatar(data: &Path, out: &Path, raw_orientation: bool) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let mut rows = Vec::new();
    for (set, split) in [("train", Split::Train), ("valid", Split::Validation), ("test", Split::Test)] {
        let source = if split == Split::Test { "deepmirnatar_test" } else { "deepmirnatar" };
        let read = deepmirnatar(data, set, raw_orientation, &mut tally)?;
        rows.extend(examples(source, split, read));
    }
    complete(data, out, rows, tally)
}

/// DeepMirTar as miTAR was trained on it (48 negatives less than the full set).
pub fn prepare_mitar_deepmirtar(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let rows = distinct(without_genes(mitar(data, MitarFile::DeepMirTar, &mut tally)?), &mut tally);
    complete(data, out, examples("deepmirtar", Split::Train, rows), tally)
}

/// The complete miRAW set but for its independent test.
pub fn prepare_mitar_miraw(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let in_both = mitar(data, MitarFile::Both, &mut tally)?
        .into_iter()
        .filter(|(gene, _)| gene.starts_with(MIRAW_GENE));
    let mut rows = without_genes(in_both.collect());
    rows.extend(without_genes(mitar(data, MitarFile::MirawRest, &mut tally)?));
    let independent = without_genes(mitar(data, MitarFile::MirawIndependent, &mut tally)?);
    let rows = without(distinct(rows, &mut tally), &independent, &mut tally);
    let mut rows = examples("miraw", Split::Train, rows);
    rows.extend(examples("miraw_independent", Split::Test, independent));
    complete(data, out, rows, tally)
}

/// Both sets together, as the third network was trained, with its two independent tests.
pub fn prepare_mitar(data: &Path, out: &Path) -> Result<Vec<String>> {
    let mut tally = Tally::default();
    let deepmirtar = without_genes(mitar(data, MitarFile::DeepMirTarIndependent, &mut tally)?);
    let miraw = without_genes(mitar(data, MitarFile::MirawRest, &mut tally)?);
    let rows = distinct(without_genes(mitar(data, MitarFile::Both, &mut tally)?), &mut tally);
    let rows = without(without(rows, &deepmirtar, &mut tally), &miraw, &mut tally);
    let mut rows = examples("deepmirtar_miraw", Split::Train, rows);
    rows.extend(examples("deepmirtar_independent", Split::Test, deepmirtar));
    rows.extend(examples("miraw_rest", Split::Test, miraw));
    complete(data, out, rows, tally)
}

/// Adds the tests that every version is measured on, and writes the file.
fn complete(data: &Path, out: &Path, mut rows: Vec<Example>, mut tally: Tally) -> Result<Vec<String>> {
    rows.extend(examples(PARCLIP, Split::Test, without_genes(mitar(data, MitarFile::Parclip, &mut tally)?)));
    let sites: Vec<&Rna> = rows.iter().map(|row| &row.pair.site).collect();
    let numbers = clusters(&sites);
    rows.iter_mut().zip(numbers).for_each(|(row, cluster)| row.cluster = cluster);
    rows.extend(fair_tests(data)?);
    finish(out, &rows, tally)
}

fn examples(source: &str, split: Split, rows: Vec<Labelled>) -> Vec<Example> {
    let example = |(pair, label)| Example { source: source.to_owned(), split, cluster: 0, pair, label };
    rows.into_iter().map(example).collect()
}

/// Each pair once; where it carries both labels, as the positive.
fn distinct(rows: Vec<Labelled>, tally: &mut Tally) -> Vec<Labelled> {
    let mut place: HashMap<Pair, usize> = HashMap::new();
    let mut kept: Vec<Labelled> = Vec::with_capacity(rows.len());
    let (mut repeats, mut conflicts) = (0, 0);
    for (pair, label) in rows {
        match place.get(&pair).copied() {
            None => {
                place.insert(pair.clone(), kept.len());
                kept.push((pair, label));
            }
            Some(index) => {
                repeats += 1;
                conflicts += usize::from(kept[index].1 != label);
                kept[index].1 |= label;
            }
        }
    }
    tally.count(repeats, "rows repeat a pair: dropped");
    tally.count(conflicts, "of them with the other label: the positive is kept");
    kept
}

/// The rows whose pair is not in a test.
fn without(rows: Vec<Labelled>, test: &[Labelled], tally: &mut Tally) -> Vec<Labelled> {
    let test: std::collections::HashSet<&Pair> = test.iter().map(|(pair, _)| pair).collect();
    let before = rows.len();
    let rows: Vec<Labelled> = rows.into_iter().filter(|(pair, _)| !test.contains(pair)).collect();
    tally.count(before - rows.len(), "training rows are also in an independent test: dropped");
    rows
}
